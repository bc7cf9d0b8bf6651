package commands

import (
	"context"
	"slices"
	"strings"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/event"
)

// listed are the events that a list is made of; they say all that it needs.
var listed = []string{"certificate.revoked.", "certificate.suspended.", "certificate.suspension-lifted."}

// revocations are the lines of one issuer's lists, folded from the log and kept
// in order: a list of a million costs no sorting, and no look at each certificate.
type revocations struct {
	issuer  string
	after   event.Position // all up to here is taken in
	changed event.Position // where the last change stands
	covers  crl.Event      // the same
	lines   []line         // by serial
	fresh   map[string]line
	unknown map[string]bool // of whom no event said the issuer and the end
}

// line is a line and when its certificate's validity ends; zero if that is not
// known, or nothing was ever intended.
type line struct {
	RevokedSerial
	end  time.Time
	gone bool // it is on no list any more
}

func newRevocations(issuer string) *revocations {
	return &revocations{issuer: issuer, fresh: map[string]line{}, unknown: map[string]bool{}}
}

// follow takes in what the log holds beyond what is known. A log that was set
// back is read anew.
func (s *revocations) follow(ctx context.Context, log event.Log) error {
	head, err := log.Head(ctx)
	if err != nil {
		return unavailable(err)
	}
	if head < s.after {
		*s = *newRevocations(s.issuer)
	}
	if head == s.after {
		return nil
	}
	for r, err := range log.ReadAll(ctx, s.after, listed...) {
		if err != nil {
			return unavailable(err)
		}
		e, err := certificate.Catalog.Open(r)
		if err != nil {
			return err
		}
		if s.take(e, r.Stream) {
			s.changed, s.covers = r.Position, crl.Event{Stream: r.Stream, Revision: r.Revision}
		}
		s.after = r.Position
	}
	s.after = max(s.after, head)
	return nil
}

// take tells whether an event changes the lines.
func (s *revocations) take(e event.Event, stream event.Stream) bool {
	serial := stream.ID()
	was, there := s.find(serial)
	switch e := e.(type) {
	case certificate.Revoked:
		if e.Issuer != "" && e.Issuer != s.issuer {
			return false
		}
		now := line{RevokedSerial: RevokedSerial{serial, e.Reason, e.At}, end: e.NotAfter}
		if there && was.Reason != certificate.CertificateHold {
			now.At = was.At // a worse reason does not make trust end later
		}
		if e.Issuer == "" {
			s.unknown[serial] = true
		}
		s.fresh[serial] = now
	case certificate.Suspended:
		if e.Issuer != "" && e.Issuer != s.issuer {
			return false
		}
		s.fresh[serial] = line{RevokedSerial: RevokedSerial{serial, certificate.CertificateHold, e.At}}
		s.unknown[serial] = true
	case certificate.SuspensionLifted:
		if !there {
			return false
		}
		s.fresh[serial] = line{RevokedSerial: RevokedSerial{Serial: serial}, gone: true} // RFC 5280 §5.3.1
	default:
		return false
	}
	return true
}

func (s *revocations) find(serial string) (line, bool) {
	if l, ok := s.fresh[serial]; ok {
		return l, !l.gone
	}
	i, ok := slices.BinarySearchFunc(s.lines, serial, func(l line, serial string) int { return compareSerials(l.Serial, serial) })
	if !ok {
		return line{}, false
	}
	return s.lines[i], true
}

// compareSerials orders them as numbers: their texts have no leading zeros.
func compareSerials(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}

// few is how many certificates are looked up one by one.
const few = 16

// resolve learns issuer and end of those of which no event said them: it looks a
// few up, and reads through all intents for many.
func (s *revocations) resolve(ctx context.Context, log event.Log) error {
	if len(s.unknown) == 0 {
		return nil
	}
	if len(s.unknown) > few {
		for r, err := range log.ReadAll(ctx, 0, "certificate.issuance-intended.") {
			if err := s.learn(r, err); err != nil {
				return err
			}
		}
	} else if err := s.lookUp(ctx, log); err != nil {
		return err
	}
	clear(s.unknown) // of the others nothing was ever intended
	return nil
}

func (s *revocations) lookUp(ctx context.Context, log event.Log) error {
	for serial := range s.unknown {
		for r, err := range log.Read(ctx, certificate.Kind.Stream(serial), 0) {
			if err := s.learn(r, err); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

func (s *revocations) learn(r event.Recorded, err error) error {
	if err != nil {
		return unavailable(err)
	}
	l, there := s.find(r.Stream.ID())
	if !there || !s.unknown[r.Stream.ID()] {
		return nil
	}
	e, err := certificate.Catalog.Open(r)
	if err != nil {
		return err
	}
	if i, ok := e.(certificate.IssuanceIntended); ok {
		l.end, l.gone = i.NotAfter, i.Issuer != s.issuer
		s.fresh[l.Serial] = l
	}
	return nil
}

// list keeps a serial past its certificate's end on one more list (RFC 5280
// §3.3): it goes for good when it was already over at the latest list's time.
func (s *revocations) list(lastUpdate time.Time) []RevokedSerial {
	s.merge()
	s.lines = slices.DeleteFunc(s.lines, func(l line) bool { return !l.end.IsZero() && l.end.Before(lastUpdate) })
	list := make([]RevokedSerial, len(s.lines))
	for i, l := range s.lines {
		list[i] = l.RevokedSerial
	}
	return list
}

// merge puts what is fresh in its place.
func (s *revocations) merge() {
	if len(s.fresh) == 0 {
		return
	}
	fresh := make([]line, 0, len(s.fresh))
	for _, l := range s.fresh {
		fresh = append(fresh, l)
	}
	slices.SortFunc(fresh, func(a, b line) int { return compareSerials(a.Serial, b.Serial) })
	merged := make([]line, 0, len(s.lines)+len(fresh))
	rest := s.lines
	for _, l := range fresh {
		n, there := slices.BinarySearchFunc(rest, l.Serial, func(l line, serial string) int { return compareSerials(l.Serial, serial) })
		merged = append(merged, rest[:n]...)
		if there {
			n++
		}
		rest = rest[n:]
		if !l.gone {
			merged = append(merged, l)
		}
	}
	s.lines = append(merged, rest...)
	clear(s.fresh)
}
