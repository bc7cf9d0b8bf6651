package commands

import (
	"context"
	"iter"
	"strings"
	"sync"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/event"
)

// Standing is where an issued certificate stands.
type Standing struct {
	Status certificate.Status // Valid, OnHold or Withdrawn; None for a serial that nothing is known of
	Reason certificate.Reason
	Since  time.Time // of revocation or suspension
}

// How standings follow the log.
const (
	standingsEvery  = 100 * time.Millisecond
	standingsWithin = 5 * time.Second  // a look at the log that takes longer has failed
	standingsGood   = 10 * time.Second // after the last look, nothing is said from memory any more
)

// Standings knows in memory where each issued certificate stands. It reads the
// log itself, several times a second, and says nothing once that was too long
// ago: a feed, a view or a log that hangs makes no revoked certificate good.
type Standings struct {
	log event.Log

	mu      sync.RWMutex
	of      map[string]Standing // by serial
	at      event.Position
	asOf    time.Time // of the log's end, by this machine's own clock; zero until all was read
	changed []string  // serials, since they were last taken
	wake    chan struct{}
}

// NewStandings knows nothing until it runs.
func NewStandings(log event.Log) *Standings {
	return &Standings{log: log, of: map[string]Standing{}, wake: make(chan struct{}, 1)}
}

// Run follows the log until the context ends. Trouble passes, or what is known
// gets too old to be said.
func (s *Standings) Run(ctx context.Context) error {
	for {
		_ = s.look(ctx) // as said above
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(standingsEvery):
		}
	}
}

// Of is where a serial stands; false where that is not known, or not well enough.
func (s *Standings) Of(serial string) (Standing, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.asOf.IsZero() || time.Since(s.asOf) > standingsGood {
		return Standing{}, false
	}
	known, ok := s.of[serial]
	return known, ok && known.Status != certificate.None
}

// Age is how long ago the end of the log was known; false if it never was.
func (s *Standings) Age() (time.Duration, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return time.Since(s.asOf), !s.asOf.IsZero()
}

// Serials are those of all issued certificates, in any order.
func (s *Standings) Serials() iter.Seq[string] {
	s.mu.RLock()
	all := make([]string, 0, len(s.of))
	for serial := range s.of {
		all = append(all, serial)
	}
	s.mu.RUnlock()
	return func(yield func(string) bool) {
		for _, serial := range all {
			if !yield(serial) {
				return
			}
		}
	}
}

// Changes wakes who takes them; if there are none to take, all is known anew.
func (s *Standings) Changes() <-chan struct{} { return s.wake }

// TakeChanges are the serials that changed since the last call.
func (s *Standings) TakeChanges() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := s.changed
	s.changed = nil
	return changed
}

// look takes in what the log holds beyond what is known.
func (s *Standings) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, max(standingsWithin, s.patience()))
	defer cancel()
	now := time.Now()
	head, err := s.log.Head(ctx)
	if err != nil {
		return err
	}
	if head < s.at { // the log was set back
		s.mu.Lock()
		s.of, s.at, s.asOf = map[string]Standing{}, 0, time.Time{}
		s.mu.Unlock()
	}
	if head > s.at {
		if err := s.read(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asOf.IsZero() {
		s.wakes() // without changes: all is known now
	}
	s.at, s.asOf = max(s.at, head), now
	return nil
}

// patience is longer for the first look, which reads all of a log's certificates.
func (s *Standings) patience() time.Duration {
	if s.asOf.IsZero() {
		return time.Hour
	}
	return 0
}

func (s *Standings) read(ctx context.Context) error {
	for r, err := range s.log.ReadAll(ctx, s.at, "certificate.issued.", "certificate.revoked.", "certificate.suspended.", "certificate.suspension-lifted.") {
		if err != nil {
			return err
		}
		if strings.HasPrefix(r.Type, "certificate.issued.") {
			s.take(r, certificate.Issued{}) // that it was issued is all; the certificate in it is long
			continue
		}
		e, err := certificate.Catalog.Open(r)
		if err != nil {
			return err
		}
		s.take(r, e)
	}
	return nil
}

// take does as certificate.Evolve does. A serial that was abandoned is revoked,
// for a signature may exist.
func (s *Standings) take(r event.Recorded, e event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	serial := r.Stream.ID()
	now := s.of[serial]
	switch e := e.(type) {
	case certificate.Issued:
		now.Status = certificate.Valid
	case certificate.Suspended:
		now = Standing{certificate.OnHold, certificate.CertificateHold, e.At}
	case certificate.SuspensionLifted:
		now = Standing{Status: certificate.Valid}
	case certificate.Revoked:
		if now.Status != certificate.Withdrawn {
			now.Since = e.At
		}
		now.Status, now.Reason = certificate.Withdrawn, e.Reason
	default:
		return
	}
	s.of[serial], s.at = now, r.Position
	if s.asOf.IsZero() {
		return // all that there is would be one great change
	}
	s.changed = append(s.changed, serial)
	s.wakes()
}

func (s *Standings) wakes() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
