package commands

import (
	"context"
	"fmt"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
)

// ErrForbidden reports a caller without the appointment that a door asks for.
var ErrForbidden = fault.New(fault.Forbidden, "not-appointed",
	"این کار در سمت‌های شما نیست؛ از مدیر سامانه بپرسید.",
	"Your appointments do not allow this; ask the administrator.")

// must cites the appointment by which the caller may act, or refuses. It folds
// the person's own stream: from a view, a dismissed officer would keep acting.
func (a *App) must(ctx context.Context, c Caller, role appointment.Role, place string) (string, error) {
	h, err := load(ctx, a, appointment.Kind, appointment.Kind.Stream(string(c.Person)))
	if err != nil {
		return "", err
	}
	if !h.state.Holds(role, place, a.Clock()) {
		return "", ErrForbidden
	}
	return fmt.Sprintf("%s@%d %s %s", h.receipt(appointment.Kind.Stream(string(c.Person))).Stream,
		len(h.records)-1, role, place), nil
}

// Posts lists what a person holds now: for greeting him, and for the queries'
// own checks.
func (a *App) Posts(ctx context.Context, c Caller) (appointment.Appointments, error) {
	h, err := load(ctx, a, appointment.Kind, appointment.Kind.Stream(string(c.Person)))
	now := a.Clock()
	for post, until := range h.state {
		if !now.Before(until) {
			delete(h.state, post)
		}
	}
	return h.state, err
}

// asApplicant is the right of a person over his own request.
const asApplicant = "applicant"

// party is by what right the caller acts for the applicant: being him, or being
// the officer at whose counter he stands.
func (a *App) party(ctx context.Context, c Caller, s enrollment.Enrollment) (authority string, counter bool, err error) {
	switch {
	case s.Status == enrollment.StatusNone:
		return "", false, enrollment.ErrNotFound
	case s.Counter == "" && (c.Person == s.OpenedBy || c.Person == s.Form.Person):
		return asApplicant, false, nil
	case c.Person == s.Form.Person:
		return asApplicant, false, nil
	case s.Counter == "":
		return "", false, enrollment.ErrNotYours
	}
	authority, err = a.must(ctx, c, appointment.RegistrationOfficer, s.Counter)
	return authority, true, err
}

// theirs reads a request for a caller on its applicant's side.
func (a *App) theirs(ctx context.Context, c Caller, code string) (h history[enrollment.Enrollment], authority string, counter bool, err error) {
	if h, err = load(ctx, a, enrollment.Kind, enrollment.Kind.Stream(code)); err == nil {
		authority, counter, err = a.party(ctx, c, h.state)
	}
	return h, authority, counter, err
}

// ours reads a request for an officer of the office that has it.
func (a *App) ours(ctx context.Context, c Caller, code string) (h history[enrollment.Enrollment], authority string, err error) {
	if h, err = load(ctx, a, enrollment.Kind, enrollment.Kind.Stream(code)); err == nil {
		authority, err = a.desk(ctx, c, h.state)
	}
	return h, authority, err
}

// desk is the right of an officer of the office that has the request.
func (a *App) desk(ctx context.Context, c Caller, s enrollment.Enrollment) (string, error) {
	switch {
	case s.Status == enrollment.StatusNone:
		return "", enrollment.ErrNotFound
	case s.Office == "":
		return "", ErrForbidden
	case c.Person == s.Form.Person: // an officer too: nobody handles his own request
		return "", enrollment.ErrOwnRequest
	}
	return a.must(ctx, c, appointment.RegistrationOfficer, s.Office)
}

// do is a caller's act by name.
func (a *App) do(c Caller, name, authority, about string) act {
	return act{Caller: c, name: name, authority: authority, at: a.Clock(), about: about}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
