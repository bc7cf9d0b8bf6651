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

// list is the present revocation list, without its bytes, and what the log says of
// it.
type list struct {
	number  int64
	next    time.Time // update
	sha256  string
	signed  bool // by the issuer
	lines   map[serial]line
	covers  event.Position // the last event of certificates that it takes account of
	earlier time.Time      // thisUpdate of the list before it
}

// line is one of the list. There may be a million: the time is in seconds.
type line struct {
	at     int64
	reason int
}

// standing is what the log says of a serial, as far as the list takes account of
// it. There may be a million: times are in seconds, zero for none.
type standing struct {
	state  state
	reason uint8
	own    bool  // the responder's
	of     int16 // which issuer's, from 1; 0 until an event says so: then the first's
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
func (r *run) fetchList(ctx context.Context, i *issuer) *list {
	der, err := i.Published.List(ctx)
	if err != nil {
		return nil
	}
	parsed, err := x509.ParseRevocationList(der)
	if err != nil || parsed.Number == nil {
		r.tellOf(i, List, "a numbered revocation list", "something else")
		return nil
	}
	l := &list{
		number: parsed.Number.Int64(), next: parsed.NextUpdate, sha256: digest(der), signed: parsed.CheckSignatureFrom(i.Certificate) == nil,
		lines: make(map[serial]line, len(parsed.RevokedCertificateEntries)),
	}
	for _, e := range parsed.RevokedCertificateEntries {
		l.lines[serial(e.SerialNumber.Bytes())] = line{e.RevocationTime.Unix(), e.ReasonCode}
	}
	return l
}

// laidWithin is how long a signed list may be on its way to where it is served.
const laidWithin = 10 * time.Minute

// placeList finds the list's record in the log, and which events it covers.
func (r *run) placeList(ctx context.Context, i *issuer) error {
	if i.Published == nil {
		return nil
	}
	s, err := r.read(ctx, event.NewStream("crl", i.id))
	if err != nil {
		return err
	}
	served := int64(0)
	if i.list != nil {
		served = i.list.number
		r.summary.Listed += len(i.list.lines)
		r.judgeList(i, s)
	}
	for _, f := range s.all("signed") {
		if n := f.data.number("number"); n > served && r.now.Sub(f.data.time("at")) > laidWithin {
			r.tellOf(i, List, fmt.Sprintf("number %d, signed %s", n, f.data.text("at")), fmt.Sprintf("number %d", served))
			break
		}
	}
	if i.list == nil {
		return nil
	}
	return r.coverage(ctx, i, s)
}

// judgeList compares the list with the record of its own signature.
func (r *run) judgeList(i *issuer, s facts) {
	l, recorded := i.list, ""
	for _, f := range s.all("signed") {
		if f.data.number("number") == l.number {
			recorded = f.data.text("sha256")
		}
	}
	differs := func(expected, found string) { r.tellOf(i, List, expected, found) }
	switch {
	case !l.signed:
		differs("the issuer's signature", "another's")
	case recorded != l.sha256:
		differs(fmt.Sprintf("number %d as signed: %s", l.number, or(recorded)), l.sha256)
	case !r.now.Before(l.next):
		differs("a later nextUpdate than "+r.now.Format(time.RFC3339), l.next.Format(time.RFC3339))
	}
}

// coverage reads the intent of the list. The first shape of an intent did not say
// what it covers: then that is everything before it. A later one that says nothing
// covers no revocation at all.
func (r *run) coverage(ctx context.Context, i *issuer, s facts) error {
	l := i.list
	signed := map[int64]bool{}
	for _, f := range s.all("signed") {
		signed[f.data.number("number")] = true
	}
	l.covers = r.summary.Position
	for _, f := range s.all("intended") {
		switch number := f.data.number("number"); {
		case number < l.number && signed[number]:
			l.earlier = f.data.time("thisUpdate")
		case number == l.number:
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
				r.tellOf(i, List, "covers an event of the log", fmt.Sprintf("%s@%d", c.text("stream"), at))
			}
		}
	}
	return nil
}

// stand takes in an event of certificates.
func (r *run) stand(f fact) {
	id := serialOf(f.Stream.ID())
	s := r.serials[id]
	if s.of == 0 {
		s.of = r.numberOf(f.data.text("issuer"))
	}
	if f.name == "issuance-intended" {
		s.end, s.own = seconds(f.data.time("notAfter")), strings.HasPrefix(f.data.text("profile"), "ocsp-responder@")
	}
	l := r.issuers[s.issuer()].list
	switch before := s.answer(); {
	case l == nil || f.Position <= l.covers:
		s = s.as(before.after(f))
	case s.since == 0 && before.State != before.after(f).State && (before.State == Revoked || before.after(f).State == Revoked):
		s.since = seconds(f.data.time("at"))
	}
	r.serials[id] = s
}

// compareLists compares each line with the log, both ways round, and the
// responders' certificates with those that the log knows.
func (r *run) compareLists() {
	for n, i := range r.issuers {
		for _, id := range slices.Sorted(maps.Keys(i.responders)) {
			if s := r.serials[serialOf(id)]; !s.own || s.issuer() != n {
				r.tellOf(i, OCSP, "answers by a responder that the log knows", or(id))
			}
		}
	}
	for id, s := range r.serials {
		switch i := r.issuers[s.issuer()]; {
		case i.list != nil:
			r.compareLine(id, s, i.list)
		case i.Published != nil && s.answer().State == Revoked && r.now.Unix()-s.at > int64(patience.Seconds()):
			i.awaited = true
		}
	}
	for n, i := range r.issuers {
		if i.awaited {
			r.tellOf(i, List, "a list, for something was revoked more than an hour ago", "none")
		}
		r.compareStrange(n, i.list)
	}
}

// compareStrange finds the lines that are not of this issuer's certificates.
func (r *run) compareStrange(n int, l *list) {
	if l == nil {
		return
	}
	for _, id := range slices.Sorted(maps.Keys(l.lines)) {
		switch s, known := r.serials[id]; {
		case !known:
			r.tell(Difference{id.String(), ListUnknown, "a serial of the log", "listed"})
		case s.issuer() != n:
			r.tell(Difference{id.String(), ListSurplus, "on its own issuer's list alone", "listed by another"})
		}
	}
}

// compareLine holds RFC 5280 §3.3: a line stays until it stood on one list that
// was issued after the certificate's end.
func (r *run) compareLine(id serial, s standing, l *list) {
	said, listed := l.lines[id]
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
	case due && said.reason != int(s.reason):
		differs(ListReason, fmt.Sprint(s.reason), fmt.Sprint(said.reason))
	case due && said.at != s.at:
		differs(ListDate, s.answer().At.Format(time.RFC3339), time.Unix(said.at, 0).UTC().Format(time.RFC3339))
	}
}
