package auditor

import (
	"context"
	"crypto/x509"
	"time"

	"govahi/domain/event"
)

// Authority is one issuer of the house, and what relying parties see of it.
type Authority struct {
	Certificate *x509.Certificate
	Published   Published // nil: its list and responder are not asked

	List, Responder, Itself string // where its certificates say that they are; not compared if all are empty
}

// issuer is one while its certificates are checked.
type issuer struct {
	Authority
	id          string // SHA-256 of its certificate, hexadecimal
	list        *list
	ended       time.Time // it issues nothing after that but what it needs to answer; zero if it did not end
	compromised time.Time // nor even that; zero if its key is not

	awaited    bool            // its list, and there is none
	silent     int             // how often in a row the responder did not answer
	responders map[string]bool // by whose certificates it did
}

func issuersOf(all []Authority) (issuers []*issuer) {
	for _, a := range all {
		issuers = append(issuers, &issuer{Authority: a, id: digest(a.Certificate.Raw), responders: map[string]bool{}})
	}
	return issuers
}

// tellOf tells a difference that is about no certificate, but about an issuer.
func (r *run) tellOf(i *issuer, kind, expected, found string) {
	if len(r.issuers) > 1 {
		expected = "of issuer " + i.id[:16] + ": " + expected
	}
	r.tell(Difference{Kind: kind, Expected: expected, Found: found})
}

// numberOf counts from 1; 0 is none of the house.
func (r *run) numberOf(id string) int16 {
	for n, i := range r.issuers {
		if i.id == id {
			return int16(n + 1)
		}
	}
	return 0
}

// issuerOf is the first that one of the house's names; the first of all if none
// is, for there was one issuer before events named theirs.
func (r *run) issuerOf(ids ...string) *issuer {
	for _, id := range ids {
		if n := r.numberOf(id); n > 0 {
			return r.issuers[n-1]
		}
	}
	return r.issuers[0]
}

// issuer is the index of a serial's.
func (s standing) issuer() int { return int(max(s.of, 1)) - 1 }

// lastList tells that no list follows the served one (X.509 §7.11.1).
func (i *issuer) lastList() bool { return i.list != nil && i.list.next.Year() == 9999 }

// placeEnd finds out whether and when an issuer ended.
func (r *run) placeEnd(ctx context.Context, i *issuer) error {
	s, err := r.read(ctx, event.NewStream("issuer", i.id))
	for _, f := range s.all("retired", "compromised") {
		if i.ended.IsZero() {
			i.ended = f.data.time("at")
		}
		if f.name == "compromised" {
			i.compromised = f.data.time("at")
		}
	}
	return err
}

// closing is how long what was under way when an issuer ended may take to be
// issued all the same.
const closing = 10 * time.Minute

// inOffice wants nothing issued after the issuer's end, and nothing trusted whose
// issuer's key is compromised (domain §4.4). A retired issuer still certifies who
// answers for it; the last such certificate outlives a compromise, to say that all
// others are revoked.
func (c *subject) inOffice(context.Context) error {
	end, compromised := c.by.ended, c.by.compromised
	if c.isOwn() {
		end = compromised
	}
	switch now := stateOf(c.facts).State; {
	case !end.IsZero() && c.intent.data.time("at").Sub(end) > closing:
		c.differs(IssuerEnded, "nothing issued after "+end.Format(time.RFC3339), "intended "+c.intent.data.text("at"))
	case compromised.IsZero() || c.isOwn() || c.now.Sub(compromised) <= patience || c.now.After(c.issued.data.time("notAfter")):
	case now != Revoked:
		c.differs(IssuerEnded, "revoked, for its issuer's key is compromised", string(now))
	}
	return nil
}
