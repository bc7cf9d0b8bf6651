// Package access is a user of CPMIS with his level, bound to a certificate
// (S1.13, S1.14).
//
//	─UserDefined─▶ Active ─Suspended─▶ Suspended ─Restored─▶ Active      channel A, after the delivery
//	─UserDefined─▶ Pending ─CertificateBound─▶ Active                    channel B, before it
package access

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a CPMIS user.
var Catalog = event.NewCatalog(
	event.Was("access.user-defined.v1", userDefinedV1.upcast),
	event.Of[UserDefined]("access.user-defined.v2"),
	event.Of[CertificateBound]("access.certificate-bound.v1"),
	event.Of[Suspended]("access.suspended.v1"),
	event.Of[Restored]("access.restored.v1"),
)

// Kind is the stream `access-<CPMIS user name>`.
var Kind = event.Kind[Access]{Category: "access", Catalog: Catalog, Evolve: Evolve, Life: life}

// Level is what the user may do in CPMIS (سطح دسترسی).
type Level string

// The levels.
const (
	Viewer      Level = "viewer"
	Contributor Level = "contributor"
	Approver    Level = "approver"
)

// Levels lists them.
var Levels = []Level{Viewer, Contributor, Approver}

// UserDefined names the user and the certificate that he will enter with. In
// channel B nobody enters before the applicant has activated and accepted it.
type UserDefined struct {
	UserName    string        `json:"userName"`
	Level       Level         `json:"level"`
	Person      event.Subject `json:"person"`
	Request     event.Stream  `json:"request"`
	Certificate string        `json:"certificate"` // serial
	Fingerprint string        `json:"fingerprint"`
	Unit        string        `json:"unit"`
	Pending     bool          `json:"pending"` // until the certificate is bound
	By          event.Subject `json:"by"`
	At          time.Time     `json:"at"`
}

// userDefinedV1 was of channel A alone.
type userDefinedV1 struct {
	UserName    string        `json:"userName"`
	Level       Level         `json:"level"`
	Person      event.Subject `json:"person"`
	Request     event.Stream  `json:"request"`
	Certificate string        `json:"certificate"`
	Fingerprint string        `json:"fingerprint"`
	Unit        string        `json:"unit"`
	By          event.Subject `json:"by"`
	At          time.Time     `json:"at"`
}

func (v userDefinedV1) upcast() event.Event {
	return UserDefined{
		UserName: v.UserName, Level: v.Level, Person: v.Person, Request: v.Request, Certificate: v.Certificate,
		Fingerprint: v.Fingerprint, Unit: v.Unit, By: v.By, At: v.At,
	}
}

// CertificateBound lets the user of channel B enter: he holds the token, has
// activated it, and accepted the certificate.
type CertificateBound struct {
	UserName    string    `json:"userName"`
	Certificate string    `json:"certificate"`
	At          time.Time `json:"at"`
}

// Suspended ends the access until another certificate is bound.
type Suspended struct {
	UserName    string       `json:"userName"`
	Certificate string       `json:"certificate"`
	Cause       event.Stream `json:"cause"`
	At          time.Time    `json:"at"`
}

// Restored gives the access back when the suspension of its certificate was
// lifted.
type Restored struct {
	UserName    string       `json:"userName"`
	Certificate string       `json:"certificate"`
	Cause       event.Stream `json:"cause"`
	At          time.Time    `json:"at"`
}

// Access is the state.
type Access struct {
	User   UserDefined
	Active bool
	Halted bool // its certificate is not valid now
}

// Evolve is what each event means.
func Evolve(s Access, e event.Event) Access {
	switch e := e.(type) {
	case UserDefined:
		s = Access{User: e, Active: !e.Pending}
	case CertificateBound:
		s.User.Pending, s.Active = false, !s.Halted
	case Suspended:
		s.Active, s.Halted = false, true
	case Restored:
		s.Active, s.Halted = !s.User.Pending, false
	}
	return s
}

// The refusals.
var (
	ErrNotArrived = fault.New(fault.Conflict, "token-not-at-unit",
		"در مسیر داخل صنعت، نام کاربری وقتی تعریف می‌شود که توکن به واحد پژوهش و فناوری رسیده و هنوز تحویل نشده است.",
		"In the inside channel the user is defined while the token is at the research unit, before its delivery.")
	ErrNotDelivered = fault.New(fault.Conflict, "token-not-delivered",
		"نام کاربری پس از تحویل توکن به متقاضی تعریف می‌شود.",
		"The user name is defined only after the applicant holds the token.")
	ErrNotValid = fault.New(fault.Conflict, "certificate-not-valid",
		"گواهی این درخواست معتبر نیست؛ برای گواهی تازه درخواست بگشایید.",
		"This request's certificate is not valid; for a new one open a request.")
	ErrNotFound = fault.New(fault.NotFound, "access-not-found",
		"چنین کاربری در CPMIS نیست.", "There is no such CPMIS user.")
	ErrTaken = fault.New(fault.Conflict, "user-name-taken",
		"این نام کاربری از آن شخص یا گواهی دیگری است؛ نام دیگری برگزینید.",
		"This user name is another person's or another certificate's; choose another.").At("userName")
	ErrBound = fault.New(fault.Conflict, "certificate-already-bound",
		"این گواهی نام کاربری دیگری دارد؛ همان را به کار ببرید.",
		"This certificate is bound to another user name; use that one.").At("userName")
)

// Define names the user. Delivered, Valid and Over are facts of other streams that
// never turn back to false, true and nothing.
type Define struct {
	User      UserDefined
	Replaces  string // serial of the certificate that this one follows
	Over      string // serial of the user's certificate, if it expired or is revoked
	Delivered bool
	Arrived   bool // of channel B: the token is at the unit, and was not delivered
	Valid     bool
}

// Decide waits for the delivery (S1.13, invariant 4) and binds one active
// certificate to a user name (invariant 3).
func (c Define) Decide(s Access) ([]event.Event, error) {
	switch {
	case c.User.Pending && !c.Arrived && s.User.Certificate != c.User.Certificate:
		return nil, ErrNotArrived
	case !c.User.Pending && !c.Delivered:
		return nil, ErrNotDelivered
	case !c.Valid:
		return nil, ErrNotValid
	case (s.Active || s.User.Pending) && s.User.Certificate == c.User.Certificate && s.User.Level == c.User.Level:
		return nil, nil
	case s.User.Person != "" && s.User.Person != c.User.Person, s.inUse() && !c.comesAfter(s.User.Certificate):
		return nil, life.Refuse(ErrTaken, string(s.Status()))
	}
	if s.Active && s.User.Certificate == c.User.Certificate { // only the level is another
		c.User.Pending = false
	}
	return []event.Event{c.User}, nil
}

// comesAfter tells whether the new certificate takes the place of that one.
func (c Define) comesAfter(serial string) bool {
	return serial == c.User.Certificate || serial == c.Replaces || serial == c.Over
}

// inUse tells whether the present certificate has the user name.
func (s Access) inUse() bool { return s.Active || s.User.Pending && !s.Halted }

// BindCertificate follows the acceptance; a policy asks.
type BindCertificate struct {
	Certificate string
	At          time.Time
}

// Decide binds what waits for it.
func (c BindCertificate) Decide(s Access) ([]event.Event, error) {
	if !s.User.Pending || s.User.Certificate != c.Certificate {
		return nil, nil
	}
	return []event.Event{CertificateBound{s.User.UserName, c.Certificate, c.At}}, nil
}

// Suspend ends the access of a certificate that is no longer valid (invariant 8).
type Suspend struct {
	Certificate string
	Cause       event.Stream
	At          time.Time
}

// Decide leaves a user alone who has another certificate by now.
func (c Suspend) Decide(s Access) ([]event.Event, error) {
	if s.Halted || s.User.Certificate != c.Certificate {
		return nil, nil
	}
	return []event.Event{Suspended{s.User.UserName, c.Certificate, c.Cause, c.At}}, nil
}

// Restore gives the access back of a certificate that is valid again.
type Restore struct {
	Certificate string
	Cause       event.Stream
	At          time.Time
}

// Decide leaves a user alone who has another certificate by now.
func (c Restore) Decide(s Access) ([]event.Event, error) {
	if !s.Halted || s.User.Certificate != c.Certificate {
		return nil, nil
	}
	return []event.Event{Restored{s.User.UserName, c.Certificate, c.Cause, c.At}}, nil
}
