// Package appointment is what a person may do, and where. It stands on the
// person's own stream, so that a dismissal counts at once.
package appointment

import (
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Role is what a person was appointed to (S1.33).
type Role string

// The roles.
const (
	RegistrationOfficer Role = "registration-officer" // مأمور دفتر ثبت‌نام, at an office
	ResearchOfficer     Role = "research-officer"     // کارشناس واحد پژوهش و فناوری, at a unit
	AuthorityOfficer    Role = "authority-officer"    // مسئول مرجع طرف قرارداد, at the authority
	UnitOfficer         Role = "unit-officer"         // مسئول واحد ذی‌ربط شرکت, at the company's unit
	CAOperator          Role = "ca-operator"          // مرکز صدور (مگانفت)
	Manager             Role = "manager"
	Auditor             Role = "auditor"
	Administrator       Role = "administrator" // opens offices, appoints
)

// Roles lists them.
var Roles = []Role{RegistrationOfficer, ResearchOfficer, AuthorityOfficer, UnitOfficer, CAOperator, Manager, Auditor, Administrator}

// Overseers may see every request, certificate and case, but no form.
var Overseers = []Role{CAOperator, Manager, Auditor}

var persianRole = map[Role]string{
	RegistrationOfficer: "مأمور همان دفتر ثبت‌نام", ResearchOfficer: "کارشناس همان واحد پژوهش و فناوری",
	AuthorityOfficer: "مسئول همان مرجع طرف قرارداد", UnitOfficer: "مسئول همان واحد شرکت",
	CAOperator: "کارشناس مرکز صدور", Manager: "مدیر", Auditor: "بازرس", Administrator: "مدیر سامانه",
}

var englishRole = map[Role]string{
	RegistrationOfficer: "an officer of that registration office", ResearchOfficer: "an officer of that research unit",
	AuthorityOfficer: "an officer of that contracted authority", UnitOfficer: "an officer of that company unit",
	CAOperator: "an operator of the CA", Manager: "a manager", Auditor: "an auditor", Administrator: "an administrator",
}

// Persian is the role as a refusal names it.
func (r Role) Persian() string { return persianRole[r] }

// English is the same in English.
func (r Role) English() string { return englishRole[r] }

// local tells whether the role is held at an office or unit; the others are
// held in the whole house.
func (r Role) local() bool { return slices.Contains(Local, r) }

// Local are the roles that are held at a place.
var Local = []Role{RegistrationOfficer, ResearchOfficer, AuthorityOfficer, UnitOfficer}

// Catalog lists every event of a person's appointments.
var Catalog = event.NewCatalog(
	event.Of[Appointed]("appointment.appointed.v1"),
	event.Of[Dismissed]("appointment.dismissed.v1"),
)

// Kind is the stream `appointment-<person>`.
var Kind = event.Kind[Appointments]{Category: "appointment", Catalog: Catalog, Evolve: Evolve}

// Appointed gives a role at a place until a day.
type Appointed struct {
	Role  Role      `json:"role"`
	Place string    `json:"place,omitempty"` // office or unit; empty for the whole house
	Until time.Time `json:"until"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// Dismissed takes it back.
type Dismissed struct {
	Role  Role      `json:"role"`
	Place string    `json:"place,omitempty"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// Post is a role at a place.
type Post struct {
	Role  Role
	Place string
}

// Appointments is the state: the end of each post held.
type Appointments map[Post]time.Time

// Evolve is what each event means.
func Evolve(s Appointments, e event.Event) Appointments {
	next := make(Appointments, len(s)+1)
	for p, until := range s {
		next[p] = until
	}
	switch e := e.(type) {
	case Appointed:
		next[Post{e.Role, e.Place}] = e.Until
	case Dismissed:
		delete(next, Post{e.Role, e.Place})
	}
	return next
}

// Holds tells whether the post is held at a moment; the place of an empty post
// is the whole house.
func (s Appointments) Holds(role Role, place string, at time.Time) bool {
	for _, p := range []Post{{role, place}, {role, ""}} {
		if until, ok := s[p]; ok && at.Before(until) {
			return true
		}
	}
	return false
}

// The refusals.
var (
	ErrRole = fault.New(fault.Invalid, "role-unknown",
		"چنین سمتی نیست؛ یکی از سمت‌های فهرست را برگزینید.", "There is no such role; choose one of the list.").At("role")
	ErrUntil = fault.New(fault.Invalid, "until-past",
		"پایان انتصاب باید در آینده باشد.", "The appointment must end in the future.").At("until")
	ErrTerm = fault.New(fault.Invalid, "until-too-far",
		"انتصاب بیش از سه سال نیست؛ پایان نزدیک‌تری بنویسید و در پایان آن تمدید کنید.",
		"An appointment lasts three years at most; choose a nearer end and prolong it then.").At("until")
	ErrPlace = fault.New(fault.Invalid, "place-needed",
		"دفتر یا واحد این سمت را بنویسید.", "Name the office or unit of this role.").At("place")
	ErrNoPlace = fault.New(fault.Invalid, "place-not-needed",
		"این سمت در همهٔ سامانه است؛ دفتر یا واحد ننویسید.",
		"This role is held in the whole house; name no office or unit.").At("place")
)

// longest is the term of a registration office's licence (domain §4.1, Art. 14):
// nobody is appointed for longer. It is three years of either calendar,
// with the one leap day of theirs.
const longest = (3*365 + 1) * 24 * time.Hour

// Appoint gives a role.
type Appoint struct {
	Role  Role
	Place string
	Until time.Time
	By    string
	At    time.Time
}

// Decide gives the same post again only with another end, nearer or farther. A
// role of the whole house that was given at a place would count nowhere.
func (c Appoint) Decide(s Appointments) ([]event.Event, error) {
	switch {
	case !slices.Contains(Roles, c.Role):
		return nil, ErrRole
	case !c.Until.After(c.At):
		return nil, ErrUntil
	case c.Until.After(c.At.Add(longest)):
		return nil, ErrTerm
	case c.Place == "" && c.Role.local():
		return nil, ErrPlace
	case c.Place != "" && !c.Role.local():
		return nil, ErrNoPlace
	case s[Post{c.Role, c.Place}].Equal(c.Until):
		return nil, nil
	}
	return []event.Event{Appointed(c)}, nil
}

// Dismiss takes a role back, at once.
type Dismiss struct {
	Role  Role
	Place string
	By    string
	At    time.Time
}

// Decide has nothing to do for a post that is not held.
func (c Dismiss) Decide(s Appointments) ([]event.Event, error) {
	if _, held := s[Post{c.Role, c.Place}]; !held {
		return nil, nil
	}
	return []event.Event{Dismissed(c)}, nil
}
