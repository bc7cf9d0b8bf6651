package commands

import (
	"context"
	"fmt"
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
// founding stream lets one person through, and another only when the appointment
// of every administrator has ended: nobody could appoint one then. A retry
// finishes what a crash left.
func (a *App) Bootstrap(ctx context.Context, personCode string) (event.Subject, error) {
	code, _, err := iran.PersonCode(personCode)
	if err != nil {
		return "", err
	}
	person, err := a.People.Person(ctx, code)
	if err != nil {
		return "", err
	}
	lapsed, err := a.lapsed(ctx)
	if err != nil {
		return "", err
	}
	founding := appointment.Founding.Stream("instance")
	before, err := load(ctx, a, appointment.Founding, founding)
	if err != nil {
		return "", err
	}
	as := a.do(Caller{Policy: "bootstrap"}, "Bootstrap", "bootstrap", "instance")
	as.Key = string(person) // another person's try is another command, and so is one after a lapse
	if lapsed {
		as.Key = fmt.Sprintf("%s/%d", person, len(before.records))
	}
	found := appointment.Found{Person: person, Lapsed: lapsed, At: as.at}
	if _, err = transactFrom(ctx, a, appointment.Founding, founding, before, as, just[appointment.Founded](found)); err != nil {
		return "", err
	}
	return person, a.firstAppointment(ctx, as, person)
}

func (a *App) firstAppointment(ctx context.Context, as act, person event.Subject) error {
	appoint := appointment.Appoint{Role: appointment.Administrator, Until: as.at.Add(founderTerm), By: as.actor(), At: as.at}
	stream := appointment.Kind.Stream(string(person))
	if _, err := transact(ctx, a, appointment.Kind, stream, as, just[appointment.Appointments](appoint)); err != nil {
		return err
	}
	h, err := load(ctx, a, appointment.Kind, stream)
	if err == nil && !h.state.Holds(appointment.Administrator, "", as.at) {
		err = appointment.ErrFounded // he was, and is no more
	}
	return err
}

// lapsed tells whether there were administrators and none is left in office. It
// reads all appointments that were ever made: once in the life of a house.
func (a *App) lapsed(ctx context.Context) (bool, error) {
	people := map[event.Stream]appointment.Appointments{}
	for r, err := range a.Log.ReadAll(ctx, 0, appointment.Catalog.Prefix()) {
		if err != nil {
			return false, unavailable(err)
		}
		e, err := appointment.Catalog.Open(r)
		if err != nil {
			return false, err
		}
		people[r.Stream] = appointment.Evolve(people[r.Stream], e)
	}
	for _, held := range people {
		if held.Holds(appointment.Administrator, "", a.Clock()) {
			return false, nil
		}
	}
	return len(people) > 0, nil
}

// Appoint gives a person a role at an office or unit until a day.
type Appoint struct {
	PersonCode string           `json:"personCode" maxLength:"40" doc:"National code of the person appointed"`
	Role       appointment.Role `json:"role" enum:"registration-officer,research-officer,authority-officer,unit-officer,ca-operator,manager,auditor,administrator"`
	Place      string           `json:"place,omitempty" required:"false" maxLength:"40" doc:"Office or unit"`
	Until      time.Time        `json:"until" doc:"End of the appointment: in the future, three years ahead at most"`
}

// Appoint is the administrator's; it counts at once. To shorten one's own
// administration would be to dismiss oneself.
func (a *App) Appoint(ctx context.Context, c Caller, in Appoint) (Receipt, error) {
	authority, err := a.must(ctx, c, appointment.Administrator, "")
	if err != nil {
		return Receipt{}, err
	}
	person, err := a.appointee(ctx, c, in.PersonCode)
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
	stream := appointment.Kind.Stream(string(person))
	return transact(ctx, a, appointment.Kind, stream, as, func(h history[appointment.Appointments]) ([]event.Event, error) {
		present := h.state[appointment.Post{Role: appointment.Administrator}]
		if person == c.Person && in.Role == appointment.Administrator && in.Until.Before(present) {
			return nil, errSelfDismissal.At("until")
		}
		return appoint.Decide(h.state)
	})
}

// placeOf checks that a role's place is of the kind that has such officers.
func (a *App) placeOf(ctx context.Context, role appointment.Role, place string) error {
	h, err := load(ctx, a, office.Kind, office.Kind.Stream(place))
	if err != nil {
		return err
	}
	fits := true // the decision itself refuses a place for the other roles
	switch role {
	case appointment.RegistrationOfficer:
		fits = h.state.Sort == office.Registration
	case appointment.ResearchOfficer:
		fits = h.state.Sort == office.Research
	case appointment.AuthorityOfficer:
		fits = h.state.Sort == office.Authority
	case appointment.UnitOfficer:
		fits = h.state.Sort == office.CompanyUnit
	}
	if !fits {
		return office.ErrNotFound.At("place")
	}
	return nil
}

// Dismiss takes a role back; it counts at once, also for tokens issued before.
type Dismiss struct {
	PersonCode string           `json:"personCode" maxLength:"40"`
	Role       appointment.Role `json:"role" enum:"registration-officer,research-officer,authority-officer,unit-officer,ca-operator,manager,auditor,administrator"`
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
	person, err := a.appointee(ctx, c, in.PersonCode)
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

// appointee is who has the code, or had it when the command first came.
func (a *App) appointee(ctx context.Context, c Caller, input string) (event.Subject, error) {
	var n normaliser
	code := n.parsed("personCode", input, personCode)
	if n.err != nil {
		return "", n.err
	}
	meant, err := a.meant(ctx, c, appointment.Kind.Category)
	if meant != "" || err != nil {
		return event.Subject(meant.ID()), err
	}
	return a.People.Person(ctx, code)
}
