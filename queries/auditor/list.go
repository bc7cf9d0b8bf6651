package auditor

import (
	"context"
	"crypto/x509"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"govahi/domain/event"
)

// The kinds of differences about the revocation list (RFC 5280 §5).
const (
	List        = "crl"         // it is not the one that the log says was signed last
	ListMissing = "crl-missing" // revoked or on hold, and not listed
	ListSurplus = "crl-surplus" // listed, and neither revoked nor on hold, or long over
	ListUnknown = "crl-unknown" // listed, and the log knows no such serial
	ListReason  = "crl-reason"
	ListDate    = "crl-date"
)

// list is the present revocation list, and what the log says of it.
type list struct {
	der     []byte
	parsed  *x509.RevocationList
	lines   map[serial]x509.RevocationListEntry
	covers  event.Position // the last event of certificates that it takes account of
	earlier time.Time      // thisUpdate of the list before it
}

// standing is what the log says of a serial, as far as the list takes account of
// it. There may be a million: times are in seconds, zero for none.
type standing struct {
	state  state
	reason uint8
	own    bool  // the responder's
	at     int64 // of the revocation
	end    int64 // of validity; none if it never was intended
	since  int64 // of the first change that the list does not take account of
}

// state is a State in a byte.
type state uint8

var states = []State{Unknown, Good, Revoked}

func (s standing) answer() Answer {
	a := Answer{State: states[s.state], Reason: int(s.reason)}
	if s.at != 0 {
		a.At = time.Unix(s.at, 0).UTC()
	}
	return a
}

func (s standing) as(a Answer) standing {
	s.state, s.reason, s.at = state(slices.Index(states, a.State)), uint8(a.Reason), seconds(a.At)
	return s
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// fetchList is nil where none is served: whether one must be, the log says.
func (r *run) fetchList(ctx context.Context) *list {
	der, err := r.Published.List(ctx)
	if err != nil {
		return nil
	}
	parsed, err := x509.ParseRevocationList(der)
	if err != nil || parsed.Number == nil {
		r.tell(Difference{Kind: List, Expected: "a numbered revocation list", Found: "something else"})
		return nil
	}
	l := &list{der: der, parsed: parsed, lines: map[serial]x509.RevocationListEntry{}}
	for _, e := range parsed.RevokedCertificateEntries {
		l.lines[serial(e.SerialNumber.Bytes())] = e
	}
	return l
}

// laidWithin is how long a signed list may be on its way to where it is served.
const laidWithin = 10 * time.Minute

// placeList finds the list's record in the log, and which events it covers.
func (r *run) placeList(ctx context.Context) error {
	if r.Published == nil {
		return nil
	}
	s, err := r.read(ctx, event.NewStream("crl", digest(r.Issuer.Raw)))
	if err != nil {
		return err
	}
	served := int64(0)
	if r.list != nil {
		served = r.list.parsed.Number.Int64()
		r.summary.Listed = len(r.list.lines)
		r.judgeList(s)
	}
	for _, f := range s.all("signed") {
		if n := f.data.number("number"); n > served && r.now.Sub(f.data.time("at")) > laidWithin {
			r.tell(Difference{Kind: List, Expected: fmt.Sprintf("number %d, signed %s", n, f.data.text("at")), Found: fmt.Sprintf("number %d", served)})
			break
		}
	}
	if r.list == nil {
		return nil
	}
	return r.coverage(ctx, s)
}

// judgeList compares the list with the record of its own signature.
func (r *run) judgeList(s facts) {
	l, recorded := r.list, ""
	for _, f := range s.all("signed") {
		if f.data.number("number") == l.parsed.Number.Int64() {
			recorded = f.data.text("sha256")
		}
	}
	differs := func(expected, found string) { r.tell(Difference{Kind: List, Expected: expected, Found: found}) }
	switch {
	case l.parsed.CheckSignatureFrom(r.Issuer) != nil:
		differs("the issuer's signature", "another's")
	case recorded != digest(l.der):
		differs(fmt.Sprintf("number %v as signed: %s", l.parsed.Number, or(recorded)), digest(l.der))
	case !r.now.Before(l.parsed.NextUpdate):
		differs("a later nextUpdate than "+r.now.Format(time.RFC3339), l.parsed.NextUpdate.Format(time.RFC3339))
	}
}

// coverage reads the intent of the list. The first shape of an intent did not say
// what it covers: then that is everything before it. A later one that says nothing
// covers no revocation at all.
func (r *run) coverage(ctx context.Context, s facts) error {
	l := r.list
	signed := map[int64]bool{}
	for _, f := range s.all("signed") {
		signed[f.data.number("number")] = true
	}
	l.covers = r.summary.Position
	for _, f := range s.all("intended") {
		switch number := f.data.number("number"); {
		case number < l.parsed.Number.Int64() && signed[number]:
			l.earlier = f.data.time("thisUpdate")
		case number == l.parsed.Number.Int64():
			if l.covers = 0; f.Type == "crl.intended.v1" {
				l.covers = f.Position
			}
			c := f.data.inner("covers")
			last, err := r.read(ctx, event.Stream(c.text("stream")))
			if err != nil {
				return err
			}
			switch at := c.number("revision"); {
			case c.text("stream") == "":
			case at < int64(len(last)):
				l.covers = last[at].Position
			default:
				l.covers = f.Position
				r.tell(Difference{"", List, "covers an event of the log", fmt.Sprintf("%s@%d", c.text("stream"), at)})
			}
		}
	}
	return nil
}

// stand takes in an event of certificates.
func (r *run) stand(f fact) {
	id := serialOf(f.Stream.ID())
	s := r.serials[id]
	if f.name == "issuance-intended" {
		s.end, s.own = seconds(f.data.time("notAfter")), strings.HasPrefix(f.data.text("profile"), "ocsp-responder@")
	}
	switch before := s.answer(); {
	case r.list == nil || f.Position <= r.list.covers:
		s = s.as(before.after(f))
	case s.since == 0 && before.State != before.after(f).State && (before.State == Revoked || before.after(f).State == Revoked):
		s.since = seconds(f.data.time("at"))
	}
	r.serials[id] = s
}

// compareList compares each line with the log, both ways round, and the
// responder's certificates with those that the log knows.
func (r *run) compareList() {
	for id := range r.responders {
		if s := r.serials[serialOf(id)]; !s.own {
			r.tell(Difference{Kind: OCSP, Expected: "answers by a responder that the log knows", Found: or(id)})
		}
	}
	if r.list == nil {
		return
	}
	for id, s := range r.serials {
		r.compareLine(id, s, r.list)
	}
	for _, id := range slices.Sorted(maps.Keys(r.list.lines)) {
		if _, known := r.serials[id]; !known {
			r.tell(Difference{id.String(), ListUnknown, "a serial of the log", "listed"})
		}
	}
}

// compareLine holds RFC 5280 §3.3: a line stays until it stood on one list that
// was issued after the certificate's end.
func (r *run) compareLine(id serial, s standing, l *list) {
	line, listed := l.lines[id]
	over := s.end != 0 && s.end < seconds(l.earlier)
	due := s.answer().State == Revoked && !over
	differs := func(kind, expected, found string) { r.tell(Difference{id.String(), kind, expected, found}) }
	switch {
	case due && !listed:
		differs(ListMissing, s.answer().String(), "not listed")
	case !due && listed:
		differs(ListSurplus, "not listed: "+s.answer().String(), "listed")
	case s.since != 0 && r.now.Unix()-s.since > int64(patience.Seconds()):
		differs(ListMissing, "a list that takes account of the change at "+time.Unix(s.since, 0).UTC().Format(time.RFC3339), "none for an hour")
	case due && line.ReasonCode != int(s.reason):
		differs(ListReason, fmt.Sprint(s.reason), fmt.Sprint(line.ReasonCode))
	case due && line.RevocationTime.Unix() != s.at:
		differs(ListDate, s.answer().At.Format(time.RFC3339), line.RevocationTime.UTC().Format(time.RFC3339))
	}
}
