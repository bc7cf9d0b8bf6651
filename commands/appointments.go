package commands

import (
	"context"
	"time"

	"govahi/domain/appointment"
	"govahi/domain/event"
	"govahi/domain/iran"
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
	_, err = transact(ctx, a, appointment.Kind, appointment.Kind.Stream(string(person)), as, just[appointment.Appointments](appoint))
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
		if err := a.officeExists(ctx, in.Place); err != nil {
			return Receipt{}, err
		}
	}
	as := a.do(c, "Appoint", authority, string(person))
	appoint := appointment.Appoint{Role: in.Role, Place: in.Place, Until: in.Until, By: string(c.Person), At: as.at}
	return transact(ctx, a, appointment.Kind, appointment.Kind.Stream(string(person)), as, just[appointment.Appointments](appoint))
}

// Dismiss takes a role back; it counts at once, also for tokens issued before.
type Dismiss struct {
	PersonCode string           `json:"personCode" maxLength:"40"`
	Role       appointment.Role `json:"role" enum:"registration-officer,research-officer,ca-operator,manager,auditor,administrator"`
	Place      string           `json:"place,omitempty" required:"false" maxLength:"40"`
}

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
