package commands_test

import (
	"fmt"
	"slices"

	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/consignment"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/token"
)

// chronicle is what the bare history says, event by event, without a state of
// the domain.
type chronicle struct {
	files   map[event.Stream]*file
	holders map[string]event.Stream // the open request of person, organisation and type
	paid    map[event.Stream]bool
	dead    map[string]bool   // serials
	users   map[string]string // the active users' certificates
	pending map[string]string // those of who waits for his token, in channel B
	halted  map[string]bool   // users whose certificate does not hold
	tokens  map[event.Stream]*carried
	bags    []consignment.Dispatched
	read    event.Position
}

// file is what was shown about the present form of a request.
type file struct {
	form      enrollment.FormCompleted
	kind      string // of certificate
	proofs    map[string]bool
	controls  map[enrollment.Control]bool
	hands     []event.Subject
	confirmed bool
	delivered bool
	over      bool
	inside    bool
	wayInside
}

func untold() chronicle {
	return chronicle{
		files: map[event.Stream]*file{}, holders: map[string]event.Stream{}, paid: map[event.Stream]bool{}, dead: map[string]bool{},
		users: map[string]string{}, pending: map[string]string{}, halted: map[string]bool{}, tokens: map[event.Stream]*carried{},
	}
}

var histories = map[string]event.Catalog{
	"enrollment": enrollment.Catalog, "certificate": certificate.Catalog, "access": access.Catalog, "fee": fee.Catalog,
	"token": token.Catalog, "consignment": consignment.Catalog,
}

// hears the next event of the log.
func (c *chronicle) hears(r event.Recorded) error {
	c.read = r.Position
	catalog, concerns := histories[r.Stream.Category()]
	if !concerns {
		return nil
	}
	e, err := catalog.Open(r)
	if err != nil {
		return err
	}
	return c.judge(r.Stream, e)
}

func (c *chronicle) judge(s event.Stream, e event.Event) error {
	switch e := e.(type) {
	case fee.Settled:
		c.paid[e.Request] = true
	case certificate.Issued:
		if e.Request != "" && (!c.files[e.Request].confirmed || !c.paid[e.Request]) {
			return fmt.Errorf("not confirmed, or not paid (invariant 1)")
		}
	case certificate.Revoked:
		if c.dead[e.Serial] && e.Reason != certificate.KeyCompromise {
			return fmt.Errorf("revoked before (invariant 8)")
		}
		c.dead[e.Serial] = true
	case consignment.Dispatched:
		c.bags = append(c.bags, e)
	default:
		switch s.Category() {
		case "enrollment":
			return c.enrolled(s, e)
		case "access":
			return c.entered(e)
		case "token":
			return c.carries(s, e)
		case "certificate":
			if c.dead[s.ID()] {
				return fmt.Errorf("after the revocation (invariant 8)")
			}
		}
	}
	return nil
}

func (c *chronicle) entered(e event.Event) error {
	switch e := e.(type) {
	case access.UserDefined:
		return c.defined(e)
	case access.CertificateBound:
		return c.bound(e)
	case access.Suspended:
		delete(c.users, e.UserName)
		c.halted[e.UserName] = true
	case access.Restored:
		delete(c.halted, e.UserName)
		if c.pending[e.UserName] == "" {
			c.users[e.UserName] = e.Certificate
		}
	}
	return nil
}

func (c *chronicle) defined(e access.UserDefined) error {
	f := c.files[e.Request]
	switch active := c.users[e.UserName]; {
	case !f.inside && !f.delivered:
		return fmt.Errorf("before the delivery (invariant 4)")
	case f.inside && active != e.Certificate && !f.definable():
		return fmt.Errorf("when the token was not at the unit (invariant 4)")
	case c.dead[e.Certificate]:
		return fmt.Errorf("with a revoked certificate (invariant 8)")
	case e.By == e.Person:
		return fmt.Errorf("by the user himself (invariant 2)")
	case active != "" && active != e.Certificate:
		return fmt.Errorf("with a second certificate (invariant 3)")
	}
	delete(c.halted, e.UserName)
	if e.Pending {
		c.pending[e.UserName] = e.Certificate
		return nil
	}
	c.users[e.UserName] = e.Certificate
	return nil
}

func (c *chronicle) enrolled(s event.Stream, e event.Event) error {
	f := c.files[s]
	if f == nil {
		f = &file{proofs: map[string]bool{}, controls: map[enrollment.Control]bool{}}
		c.files[s] = f
	}
	if f.over {
		return fmt.Errorf("after the end")
	}
	key := fmt.Sprint(f.form.Person, f.form.Organization, f.kind)
	switch e := e.(type) {
	case enrollment.Submitted:
		return c.submitted(key, s)
	case enrollment.SubmittedToUnit:
		f.unit, f.place = e.Unit, e.Unit
		return c.submitted(key, s)
	case enrollment.Rejected, enrollment.Withdrawn, enrollment.Revoked:
		f.over = true
		c.release(key, s)
	case enrollment.Accepted:
		c.release(key, s)
		return c.accepted(f)
	case enrollment.InformationConfirmed:
		return f.confirm(e)
	case enrollment.Issued:
		if !f.confirmed {
			return fmt.Errorf("not confirmed as it is (invariant 1)")
		}
	case enrollment.Delivered:
		f.delivered = true
		return c.handed(s, f)
	case enrollment.TokenArrived:
		return c.arrived(s, f, e)
	default:
		f.note(e)
		return f.travels(e)
	}
	return nil
}

// submitted takes the one opening of person, organisation and type.
func (c *chronicle) submitted(key string, s event.Stream) error {
	if c.holders[key] != "" {
		return fmt.Errorf("beside %s (invariant 3)", c.holders[key])
	}
	c.holders[key] = s
	return nil
}

func (c *chronicle) release(key string, s event.Stream) {
	if c.holders[key] == s {
		delete(c.holders, key)
	}
}

// note takes what bears on the record; whatever changes it voids the word on it.
func (f *file) note(e event.Event) {
	switch e := e.(type) {
	case enrollment.Opened:
		f.kind, f.inside = e.CertificateType, e.Channel == enrollment.Inside
		if e.Office != "" {
			f.hands = append(f.hands, e.OpenedBy)
		}
		return
	case enrollment.FormCompleted:
		f.completed(e)
	case enrollment.EmailConfirmed:
		f.proofs["email"] = true
		return
	case enrollment.LiabilityAccepted:
		f.proofs["liability"] = true
		if e.AtCounter {
			f.hands = append(f.hands, e.By)
		}
		return
	case enrollment.DocumentSighted:
		f.shown(string(e.Document), e.By)
	case enrollment.IdentityInquired:
		f.hands = append(f.hands, e.By)
	case enrollment.IdentityAnswered:
		f.shown("identity", e.AskedBy)
		f.proofs["identity"] = e.Matched && e.TrackingCode != "" && e.FormVersion == f.form.Version
	case enrollment.FeeSettled:
		f.proofs["fee"] = true
	case enrollment.ControlRequired:
		f.controls[e.Control] = false
		f.hands = append(f.hands, e.By)
	case enrollment.ControlClosed:
		f.controls[e.Control] = e.Passed
		f.hands = append(f.hands, e.By)
	case enrollment.CorrectionRequested:
	default:
		return
	}
	f.confirmed = false
}

func (f *file) shown(proof string, by event.Subject) {
	f.proofs[proof] = true
	f.hands = append(f.hands, by)
}

// completed forgets what was shown about another form.
func (f *file) completed(e enrollment.FormCompleted) {
	f.proofs = map[string]bool{"fee": f.proofs["fee"], "email": f.proofs["email"] && !e.EmailChanged}
	for control := range f.controls {
		f.controls[control] = false
	}
	f.form, f.hands = e, append(f.hands, e.EnteredBy)
}

func (f *file) confirm(e enrollment.InformationConfirmed) error {
	if e.By == f.form.Person || slices.Contains(f.hands, e.By) {
		return fmt.Errorf("by %s, who had a part in it (invariant 2)", e.By)
	}
	f.proofs["birth-certificate"] = f.proofs["birth-certificate"] || f.proofs["passport"]
	for _, proof := range []string{
		"email", "liability", "identity", "fee", "birth-certificate", "national-card", "legal-person-card", "introduction-letter",
	} {
		if !f.proofs[proof] {
			return fmt.Errorf("without %s (invariant 1)", proof)
		}
	}
	for control, passed := range f.controls {
		if !passed {
			return fmt.Errorf("while %s is open (invariant 1)", control)
		}
	}
	f.confirmed = true
	return nil
}
