package appointment

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Founding is the appointment of an instance's first administrator: its stream
// can be begun once, by its name. It goes on only when the appointment of every
// administrator has ended.
var Founding = event.Kind[Founded]{
	Category: "founding",
	Catalog:  event.NewCatalog(event.Of[Founded]("founding.begun.v1")),
	Evolve:   func(_ Founded, e event.Event) Founded { return e.(Founded) },
}

// Founded names the first administrator.
type Founded struct {
	Person event.Subject `json:"person"`
	At     time.Time     `json:"at"`
}

// ErrFounded reports that the instance has its first administrator.
var ErrFounded = fault.New(fault.Conflict, "already-bootstrapped",
	"این سامانه پیش‌تر راه‌اندازی شده است؛ مدیر سامانه انتصاب می‌کند.",
	"This instance was bootstrapped before; ask its administrator for an appointment.")

// Found names the first administrator, or one for a house that has none any more.
type Found struct {
	Person event.Subject
	Lapsed bool // there were administrators, and the appointment of each has ended
	At     time.Time
}

// Decide refuses as long as the house has an administrator, but lets the same
// person's retry pass.
func (c Found) Decide(s Founded) ([]event.Event, error) {
	switch {
	case s.Person == "" || c.Lapsed:
		return []event.Event{Founded{c.Person, c.At}}, nil
	case s.Person == c.Person:
		return nil, nil
	}
	return nil, ErrFounded
}
