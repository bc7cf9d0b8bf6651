package commands_test

import (
	"fmt"
	"slices"
	"strings"

	"govahi/domain/access"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/token"
)

// wayInside is what a file of channel B says beside: where its papers are, and
// how far its token came.
type wayInside struct {
	approved bool
	unit     string
	place    string // who has the papers, or sent them
	to       string // while they travel
	origin   string // whence the office had them
	noted    bool   // its CPMIS user is defined
	token    event.Stream
	tokenAt  []string // where the file knows it was received
}

// definable: the token is at the unit, and was not sent on.
func (w wayInside) definable() bool { return len(w.tokenAt) == 2 && w.tokenAt[1] == w.unit }

// travels: the papers are in one place, or in one bag.
func (f *file) travels(e event.Event) error {
	switch e := e.(type) {
	case enrollment.FormCompleted:
		f.approved = false
	case enrollment.DossierApproved:
		f.approved, f.confirmed, f.hands = true, false, append(f.hands, e.By)
		if e.By == f.form.Person {
			return fmt.Errorf("his own (invariant 2)")
		}
	case enrollment.DossierDispatched:
		if f.to != "" || e.From != f.place || !f.approved {
			return fmt.Errorf("the papers are at %s, on the way to %q, approved: %v (S1.19)", f.place, f.to, f.approved)
		}
		f.to = e.To
	case enrollment.DossierReceived:
		return f.receives(e)
	case enrollment.DossierLost:
		if f.to == "" {
			return fmt.Errorf("the papers are at %s", f.place)
		}
		f.to = ""
	case enrollment.AccessNoted:
		f.noted = true
	case enrollment.IssuanceRequested:
		f.token = token.Kind.Stream(e.Token)
		if f.inside && f.origin == "" {
			return fmt.Errorf("no papers at the office (S1.19)")
		}
	}
	return nil
}

func (f *file) receives(e enrollment.DossierReceived) error {
	if f.to == "" || e.Place != f.to {
		return fmt.Errorf("at %s the papers that are on the way to %q", e.Place, f.to)
	}
	if e.Office {
		f.origin = f.place
	}
	f.place, f.to = e.Place, ""
	return nil
}

// arrived wants the token's own receipt of it (invariant 5).
func (c *chronicle) arrived(s event.Stream, f *file, e enrollment.TokenArrived) error {
	t := c.tokens[f.token]
	if t == nil || t.request != s || !slices.Contains(t.places[1:], e.Place) {
		return fmt.Errorf("at %s, and the token has no receipt of it (invariant 5)", e.Place)
	}
	f.tokenAt = append(f.tokenAt, e.Place)
	return nil
}

// handed: by who has the token, and in channel B after the definition of the
// user.
func (c *chronicle) handed(s event.Stream, f *file) error {
	t := c.tokens[f.token]
	switch {
	case t == nil || t.request != s || t.to != "" || t.gone:
		return fmt.Errorf("a token that is not there (invariant 5)")
	case f.inside && !f.noted:
		return fmt.Errorf("before the user was defined (invariant 4)")
	case f.inside && (len(f.tokenAt) != 3 || t.place != f.tokenAt[2]):
		return fmt.Errorf("while the token is at %s (invariant 5)", t.place)
	}
	return nil
}

// accepted in channel B by who commands the token (invariant 6).
func (c *chronicle) accepted(f *file) error {
	if !f.delivered || f.inside && !c.tokens[f.token].activated {
		return fmt.Errorf("a token that was not delivered and activated (invariant 6)")
	}
	return nil
}

func (c *chronicle) bound(e access.CertificateBound) error {
	if c.pending[e.UserName] != e.Certificate {
		return fmt.Errorf("%s, which does not wait for it (invariant 3)", e.Certificate)
	}
	if active := c.users[e.UserName]; active != "" && active != e.Certificate {
		return fmt.Errorf("beside %s (invariant 3)", active)
	}
	delete(c.pending, e.UserName)
	if !c.halted[e.UserName] { // it was accepted, and its certificate ended before the policy came
		c.users[e.UserName] = e.Certificate
	}
	return nil
}

// carried is a token by its bare history.
type carried struct {
	request event.Stream
	place   string // the one holder: a place,
	person  event.Subject
	to      string   // while it travels
	places  []string // that ever had it
	pins    []string // by which its PIN went
	gone,
	returned,
	destroyed,
	pinThere,
	activated bool
}

func (c *chronicle) carries(s event.Stream, e event.Event) error {
	t := c.tokens[s]
	switch e := e.(type) {
	case token.ReceivedInStock:
		if t != nil {
			return fmt.Errorf("again")
		}
		c.tokens[s] = &carried{place: e.Office, places: []string{e.Office}}
	case token.Reserved:
		if t.request != "" {
			return fmt.Errorf("for %s too", t.request)
		}
		t.request = e.Request
	case token.PINIssued:
		if e.Via == t.to || slices.Contains(t.places, e.Via) {
			return fmt.Errorf("by %s, which has the token (invariant 6)", e.Via)
		}
		t.pins = append(t.pins, e.Via)
	case token.HandedOver:
		return c.handsOver(t, e)
	case token.PINDelivered:
		if e.By != c.files[t.request].form.Person {
			return fmt.Errorf("by the word of %s, who is not the applicant (invariant 6)", e.By)
		}
		t.pinThere = true
	default:
		return c.ends(t, e)
	}
	return nil
}

// handsOver: by its holder, to the next place and nowhere else (S1.21–S1.24),
// which never had the PIN.
func (c *chronicle) handsOver(t *carried, e token.HandedOver) error {
	f := c.files[t.request]
	way := []string{f.origin, f.unit, "company-unit"} // or another of the company's
	switch n := len(t.places) - 1; {
	case t.to != "" || t.gone || e.From != t.place:
		return fmt.Errorf("by %s, while %s has it, to %q (invariant 5)", e.From, t.place, t.to)
	case n >= len(way) || !strings.HasPrefix(e.To, way[n]) || n == 2 && !f.noted:
		return fmt.Errorf("to %s from %v (S1.21)", e.To, t.places)
	case len(t.pins) == 0 || slices.Contains(t.pins, e.To):
		return fmt.Errorf("to %s, and the PIN went by %v (invariant 6)", e.To, t.pins)
	}
	t.to = e.To
	return nil
}

func (c *chronicle) ends(t *carried, e event.Event) error {
	switch e := e.(type) {
	case token.Received:
		if late := t.to == "" && e.Place == t.place && !e.SealIntact; late { // its seal was broken after all
			t.gone = true
			return nil
		}
		if t.to == "" || e.Place != t.to {
			return fmt.Errorf("at %s what was sent to %q (invariant 5)", e.Place, t.to)
		}
		t.place, t.to, t.places, t.gone = e.Place, "", append(t.places, e.Place), t.gone || !e.SealIntact
	case token.Delivered:
		f := c.files[t.request]
		if t.to != "" || t.gone || !f.delivered || e.To != f.form.Person {
			return fmt.Errorf("to %s (invariant 5)", e.To)
		}
		t.place, t.person = "", e.To
	case token.PINActivated:
		if t.gone || t.person == "" || e.By != t.person || len(t.pins) > 0 && !t.pinThere {
			return fmt.Errorf("by %s, while %s has it, his PIN's envelope came: %v (invariant 6)", e.By, t.person, t.pinThere)
		}
		t.activated = true
	case token.Lost, token.FoundDefective, token.Recalled:
		t.gone = true
	case token.Returned:
		if !t.gone || t.destroyed {
			return fmt.Errorf("what was not gone")
		}
		t.place, t.person, t.to, t.returned = e.Office, "", "", true
	case token.Destroyed:
		if !t.returned || t.destroyed {
			return fmt.Errorf("what is not back")
		}
		t.place, t.destroyed = "", true
	}
	return nil
}
