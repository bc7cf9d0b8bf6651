package commands

import (
	"context"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
	"govahi/domain/office"
)

// founderTerm is how long the first administrator's appointment lasts.
const founderTerm = 365 * 24 * time.Hour

// Bootstrap appoints the first administrator of an instance that has none. The
// founding stream lets one person through, ever; his retry finishes what a
// crash left.
func (a *App) Bootstrap(ctx context.Context, personCode string) (event.Subject, error) {
	code, _, err := iran.PersonCode(personCode)
	if err != nil {
		return "", err
	}
	person, err := a.People.Person(ctx, code)
	if err != nil {
		return "", err
	}
	c := Caller{Policy: "bootstrap", Key: "bootstrap"}
	as := a.do(c, "Bootstrap", "bootstrap", "instance")
	as.Key = string(person) // another person's try is another command
	found := appointment.Found{Person: person, At: as.at}
	_, err = transact(ctx, a, appointment.Founding, appointment.Founding.Stream("instance"), as, just[appointment.Founded](found))
	if err != nil {
		return "", err
	}
	appoint := appointment.Appoint{Role: appointment.Administrator, Until: as.at.Add(founderTerm), By: as.actor(), At: as.at}
	stream := appointment.Kind.Stream(string(person))
	if _, err = transact(ctx, a, appointment.Kind, stream, as, just[appointment.Appointments](appoint)); err != nil {
		return "", err
	}
	h, err := load(ctx, a, appointment.Kind, stream)
	if err == nil && !h.state.Holds(appointment.Administrator, "", as.at) {
		err = appointment.ErrFounded // he was, and is no more
	}
	return person, err
}

// Appoint gives a person a role at an office or unit until a day.
type Appoint struct {
	PersonCode string           `json:"personCode" maxLength:"40" doc:"National code of the person appointed"`
	Role       appointment.Role `json:"role" enum:"registration-officer,research-officer,ca-operator,manager,auditor,administrator"`
	Place      string           `json:"place,omitempty" required:"false" maxLength:"40" doc:"Office or unit"`
	Until      time.Time        `json:"until"`
}

// Appoint is the administrator's; it counts at once.
func (a *App) Appoint(ctx context.Context, c Caller, in Appoint) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.Administrator, "")
	if err != nil {
		return Receipt{}, err
	}
	person, err := a.personOf(ctx, in.PersonCode)
	if err != nil {
		return Receipt{}, err
	}
	if in.Place != "" {
		if err := a.placeOf(ctx, in.Role, in.Place); err != nil {
			return Receipt{}, err
		}
	}
	as := a.do(c, "Appoint", authority, string(person))
	appoint := appointment.Appoint{Role: in.Role, Place: in.Place, Until: in.Until, By: string(c.Person), At: as.at}
	return transact(ctx, a, appointment.Kind, appointment.Kind.Stream(string(person)), as, just[appointment.Appointments](appoint))
}

// placeOf checks that a role's place is of the kind that has such officers.
func (a *App) placeOf(ctx context.Context, role appointment.Role, place string) error {
	h, err := load(ctx, a, office.Kind, office.Kind.Stream(place))
	if err != nil {
		return err
	}
	fits := h.state.Code != ""
	switch role {
	case appointment.RegistrationOfficer:
		fits = h.state.Sort == office.Registration
	case appointment.ResearchOfficer:
		fits = h.state.Sort == office.Research
	}
	if !fits {
		return office.ErrNotFound.At("place")
	}
	return nil
}

// Dismiss takes a role back; it counts at once, also for tokens issued before.
type Dismiss struct {
	PersonCode string           `json:"personCode" maxLength:"40"`
	Role       appointment.Role `json:"role" enum:"registration-officer,research-officer,ca-operator,manager,auditor,administrator"`
	Place      string           `json:"place,omitempty" required:"false" maxLength:"40"`
}

// errSelfDismissal keeps a house from losing its last administrator: another
// one must dismiss him.
var errSelfDismissal = fault.New(fault.Conflict, "self-dismissal",
	"هیچ مدیر سامانه‌ای خود را برکنار نمی‌کند؛ مدیر دیگری باید اقدام کند.",
	"No administrator dismisses himself; another administrator must.").At("personCode")

// Dismiss is the administrator's.
func (a *App) Dismiss(ctx context.Context, c Caller, in Dismiss) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.Administrator, "")
	if err != nil {
		return Receipt{}, err
	}
	person, err := a.personOf(ctx, in.PersonCode)
	if err != nil {
		return Receipt{}, err
	}
	if in.Role == appointment.Administrator && person == c.Person {
		return Receipt{}, errSelfDismissal
	}
	as := a.do(c, "Dismiss", authority, string(person))
	dismiss := appointment.Dismiss{Role: in.Role, Place: in.Place, By: string(c.Person), At: as.at}
	return transact(ctx, a, appointment.Kind, appointment.Kind.Stream(string(person)), as, just[appointment.Appointments](dismiss))
}

func (a *App) personOf(ctx context.Context, input string) (event.Subject, error) {
	var n normaliser
	code := n.parsed("personCode", input, personCode)
	if n.err != nil {
		return "", n.err
	}
	return a.People.Person(ctx, code)
}
