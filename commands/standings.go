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
	Issuer string    // SHA-256 of its certificate; empty of what was issued when there was one issuer
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
	watches []*Watch
}

// Watch is what one issuer's responder sees of the standings: its own.
type Watch struct {
	*Standings
	issuer  string
	first   bool     // also of what was issued when there was one issuer
	changed []string // serials, since they were last taken
	wake    chan struct{}
}

// Watch shows an issuer its certificates. The first issuer's are also those that
// were issued before there was another.
func (s *Standings) Watch(issuer string, first bool) *Watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &Watch{Standings: s, issuer: issuer, first: first, wake: make(chan struct{}, 1)}
	s.watches = append(s.watches, w)
	return w
}

func (w *Watch) sees(known Standing) bool {
	return known.Issuer == w.issuer || known.Issuer == "" && w.first
}

// Of is where a serial of this issuer's stands; false of others'.
func (w *Watch) Of(serial string) (Standing, bool) {
	known, ok := w.Standings.Of(serial)
	return known, ok && w.sees(known)
}

// NewStandings knows nothing until it runs.
func NewStandings(log event.Log) *Standings {
	return &Standings{log: log, of: map[string]Standing{}}
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

// Count is how many certificates of an issuer are not revoked, and how many are;
// false where that is not known well enough.
func (s *Standings) Count(issuer string, first bool) (live, revoked int, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, one := range s.of {
		switch {
		case one.Issuer != issuer && (one.Issuer != "" || !first):
		case one.Status == certificate.Withdrawn:
			revoked++
		default:
			live++
		}
	}
	return live, revoked, !s.asOf.IsZero() && time.Since(s.asOf) <= standingsGood
}

// Age is how long ago the end of the log was known; false if it never was.
func (s *Standings) Age() (time.Duration, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return time.Since(s.asOf), !s.asOf.IsZero()
}

// Serials are those of all its certificates, in any order.
func (w *Watch) Serials() iter.Seq[string] {
	w.mu.RLock()
	all := make([]string, 0, len(w.of))
	for serial, known := range w.of {
		if w.sees(known) {
			all = append(all, serial)
		}
	}
	w.mu.RUnlock()
	return func(yield func(string) bool) {
		for _, serial := range all {
			if !yield(serial) {
				return
			}
		}
	}
}

// Changes wakes who takes them; if there are none to take, all is known anew.
func (w *Watch) Changes() <-chan struct{} { return w.wake }

// TakeChanges are the serials that changed since the last call.
func (w *Watch) TakeChanges() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := w.changed
	w.changed = nil
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
		for _, w := range s.watches {
			w.wakes() // without changes: all is known now
		}
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
			s.take(r, certificate.Issued{Issuer: certificate.IssuerOf(r.Data)}) // more is not asked, and the certificate in it is long
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
		now.Status, now.Issuer = certificate.Valid, e.Issuer
	case certificate.Suspended:
		now.Status, now.Reason, now.Since = certificate.OnHold, certificate.CertificateHold, e.At
	case certificate.SuspensionLifted:
		now = Standing{Status: certificate.Valid, Issuer: now.Issuer}
	case certificate.Revoked:
		if now.Status != certificate.Withdrawn {
			now.Since = e.At
		}
		now.Status, now.Reason = certificate.Withdrawn, e.Reason
		if now.Issuer == "" {
			now.Issuer = e.Issuer // of what was never issued
		}
	default:
		return
	}
	s.of[serial], s.at = now, r.Position
	if s.asOf.IsZero() {
		return // all that there is would be one great change
	}
	for _, w := range s.watches {
		if w.sees(now) {
			w.changed = append(w.changed, serial)
			w.wakes()
		}
	}
}

func (w *Watch) wakes() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}
