package auditor

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"govahi/domain/event"
)

// The kinds of differences about those who act.
const (
	RASignature   = "ra-signature"   // not the officer's over this record (domain §4.5)
	RACertificate = "ra-certificate" // not his own, or not valid then
	Appointment   = "appointment"    // he did not hold the post
	Licence       = "licence"        // the office's was not in force (domain §4.1)
	Vouched       = "vouched"        // an officer's certificate without an operator's word
	Delegation    = "delegation"     // a responder's certificate that nobody delegated to
)

// officer checks the word of who confirmed: his signature, and by what right he
// gave it. What held then must hold when the certificate was intended, too: the
// CA answers for what it signs.
func (a *application) officer(ctx context.Context) error {
	by, place := a.confirmed.data.text("by"), a.confirmed.data.text("office")
	if err := a.signed(ctx, by); err != nil {
		return err
	}
	if err := a.appointed(ctx, by, "registration-officer", place, a.confirmed, a.intent); err != nil {
		return err
	}
	return a.licensed(ctx, place)
}

// signed verifies the CMS by the officer's certificate as the log has it.
func (a *application) signed(ctx context.Context, by string) error {
	signature, err := base64.StdEncoding.DecodeString(a.confirmed.data.text("signature"))
	if err != nil || len(signature) == 0 {
		a.differs(RASignature, "signed by the officer", "not signed")
		return nil
	}
	id := a.confirmed.data.text("certificate")
	own, err := a.readOften(ctx, event.NewStream("certificate", id))
	if err != nil {
		return err
	}
	issued, ok := own.before(a.confirmed.Position).last("issued")
	if !ok || !strings.HasPrefix(issued.data.text("profile"), "ra-officer@") || issued.data.text("subject") != by {
		a.differs(RACertificate, "the officer's own, issued before", or(id))
		return nil
	}
	a.validThen(own, issued)
	der, err := a.run.der(ctx, issued, "certificate")
	switch {
	case errors.Is(err, event.ErrErased):
		a.erased = true
		return nil
	case errors.Is(err, errNotSealed): // said of that certificate itself
		return nil
	case err != nil:
		return err
	}
	if named, err := a.Signatures.Serial(signature); err != nil || named != id {
		a.differs(RASignature, "by certificate "+id, or(named))
		return nil
	}
	if a.Signatures.Check(signature, a.statement(), der) != nil {
		a.differs(RASignature, "over this record by certificate "+id, "of something else")
	}
	return nil
}

// statement is what an officer signs who confirms a record.
func (a *application) statement() []byte {
	return fmt.Appendf(nil, "Govahi: information confirmed (S1.10)\nrequest %s\nrevision %d\nrecord %s\n",
		a.stream.ID(), a.confirmed.data.number("recordRevision"), a.confirmed.data.text("recordHash"))
}

// validThen holds at both moments: within its time, neither revoked nor on hold.
func (a *application) validThen(own facts, issued fact) {
	for _, moment := range []fact{a.confirmed, a.intent} {
		at := moment.data.time("at")
		if at.Before(issued.data.time("notBefore")) || at.After(issued.data.time("notAfter")) {
			a.differs(RACertificate, "valid at "+moment.data.text("at"), issued.data.text("notBefore")+" to "+issued.data.text("notAfter"))
			return
		}
		if state := stateOf(own.before(moment.Position)).State; state != Good {
			a.differs(RACertificate, "valid at "+moment.data.text("at"), "revoked or on hold")
			return
		}
	}
}

// appointed wants a post held at each of the moments.
func (c *subject) appointed(ctx context.Context, person, role, place string, moments ...fact) error {
	posts, err := c.readOften(ctx, event.NewStream("appointment", person))
	if err != nil {
		return err
	}
	for _, moment := range moments {
		if !holds(posts.before(moment.Position), role, place, moment.data.time("at")) {
			c.differs(Appointment, role+" "+place+" at "+moment.data.text("at"), "not appointed")
		}
	}
	return nil
}

// holds is at a place, or in the whole house.
func holds(posts facts, role, place string, at time.Time) bool {
	until := map[string]time.Time{}
	for _, f := range posts {
		if f.data.text("role") == role {
			delete(until, f.data.text("place"))
			if f.name == "appointed" {
				until[f.data.text("place")] = f.data.time("until")
			}
		}
	}
	return at.Before(until[place]) || at.Before(until[""])
}

// licensed wants the office's licence in force when the certificate was intended:
// without it nothing is sent to the CA (domain §4.1, Art. 14).
func (a *application) licensed(ctx context.Context, place string) error {
	office, err := a.readOften(ctx, event.NewStream("office", place))
	if err != nil {
		return err
	}
	licence, ok := office.before(a.intent.Position).last("licensed")
	at := a.intent.data.time("at")
	if !ok || at.Before(licence.data.time("from")) || !at.Before(licence.data.time("until")) {
		a.differs(Licence, place+" licensed at "+a.intent.data.text("at"), or(licence.data.text("number")))
	}
	return nil
}

// credential checks an officer's own certificate: asked for by himself, vouched
// for by an operator who is another.
func (c *subject) credential(ctx context.Context) error {
	stream := event.Stream(c.intent.data.inner("record").text("stream"))
	if stream.Category() != "credential" {
		c.differs(Vouched, "the stream of a credential", or(string(stream)))
		return nil
	}
	s, err := c.read(ctx, stream)
	if err != nil {
		return err
	}
	s = s.before(c.intent.Position)
	asked, _ := s.last("requested")
	approved, ok := s.last("approved")
	attempted, _ := s.last("attempted")
	person, by := asked.data.text("person"), approved.data.text("by")
	switch {
	case !ok || by == person || by == "":
		c.differs(Vouched, "an operator's word before the intent", "none, or his own")
		return nil
	case person != c.intent.data.text("subject"):
		c.differs(Subject, "the officer who asked", "somebody else")
	}
	c.same(Key, "as requested", asked.data.text("keyHash"), c.intent.data.text("keyHash"))
	c.same(Request, "the attempt's serial", attempted.data.text("serial"), c.id)
	if err := c.keyClaim(ctx, "", nil); err != nil {
		return err
	}
	if err := c.appointed(ctx, by, "ca-operator", "", approved, c.intent); err != nil {
		return err
	}
	return c.appointed(ctx, person, "registration-officer", asked.data.text("office"), c.intent)
}

// delegation checks a responder's certificate: named before it was intended, and
// about nobody.
func (c *subject) delegation(ctx context.Context) error {
	s, err := c.readOften(ctx, event.NewStream("delegation", c.intent.data.text("issuer")))
	if err != nil {
		return err
	}
	for _, f := range s.before(c.intent.Position).all("attempted") {
		if f.data.text("serial") == c.id {
			if c.intent.data.text("subject") != "" || c.intent.data.inner("record") != nil {
				c.differs(Subject, "nobody", "a person")
			}
			return nil
		}
	}
	c.differs(Delegation, "named as the responder's before its intent", "not named")
	return nil
}
