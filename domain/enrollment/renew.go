package enrollment

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Basis is in what a request follows an earlier certificate of the same person
// (RFC 3647 §4.6–4.8).
type Basis string

// The bases.
const (
	Renewal      Basis = "renewal"      // same data, same key, on the holder's own token
	Rekey        Basis = "re-key"       // same data, another key on another token
	Modification Basis = "modification" // other data: the old certificate is revoked first
)

// Bases lists them.
var Bases = []Basis{Renewal, Rekey, Modification}

// Persian is the basis' name on screen.
func (b Basis) Persian() string {
	return map[Basis]string{Renewal: "تمدید", Rekey: "صدور با کلید تازه", Modification: "تغییر اطلاعات"}[b]
}

// RenewalOpened says which certificate a request follows, and in what.
type RenewalOpened struct {
	Basis       Basis         `json:"basis"`
	Certificate string        `json:"certificate"` // serial
	Request     event.Stream  `json:"request"`     // the one that it was issued on
	Person      event.Subject `json:"person"`      // its holder, and so the applicant
	At          time.Time     `json:"at"`
}

// Renews tells whether the request follows an earlier certificate.
func (s Enrollment) Renews() bool { return s.Renewal.Certificate != "" }

// OnOwnToken tells whether the certificate goes to the token that the applicant
// already has, beside the key that it already holds.
func (s Enrollment) OnOwnToken() bool { return s.Renewal.Basis == Renewal }

// The refusals of a renewal.
var (
	ErrBasis = fault.New(fault.Invalid, "basis-unknown",
		"نوع درخواست را از تمدید، صدور با کلید تازه یا تغییر اطلاعات برگزینید.",
		"Choose one of renewal, re-key or modification.").At("basis")
	ErrRenewalInside = fault.New(fault.Conflict, "renewal-inside",
		"در مسیر داخل صنعت توکن دارنده به دفتر بازنمی‌گردد و تمدید روی همان توکن شدنی نیست؛ صدور با کلید تازه را برگزینید.",
		"In the inside channel the holder's token does not come back to the office, so nothing is renewed on it; ask for a re-key.").At("basis")
	ErrNotAccepted = fault.New(fault.Conflict, "certificate-not-accepted",
		"دارنده هنوز این گواهی را نپذیرفته است؛ نخست کار درخواست پیشین را به پایان برسانید.",
		"The holder has not accepted this certificate yet; finish its own request first.")
	ErrDataChanged = fault.New(fault.Conflict, "certified-data-changed",
		"تمدید و صدور با کلید تازه همان اطلاعات گواهی پیشین را دارند؛ برای اطلاعات دیگر درخواست «تغییر اطلاعات» بگشایید.",
		"A renewal or re-key has the data of the certificate before it; for other data open a modification.")
	ErrKeyNotKept = fault.New(fault.Conflict, "renewal-of-other-key",
		"تمدید برای همان کلیدِ گواهی پیشین است؛ برای کلید دیگر، صدور با کلید تازه را درخواست کنید.",
		"A renewal is for the key of the certificate before it; for another key open a re-key.").At("csr")
	ErrOwnToken = fault.New(fault.Conflict, "renewal-on-own-token",
		"گواهی تمدیدی روی توکنی نوشته می‌شود که در دست خود متقاضی است؛ همان را بخواهید.",
		"A renewed certificate is written to the token that the applicant has; ask him for that one.").At("token")
)

// OpenRenewal starts a request that follows a certificate, its form filled in
// with what the certificate's own request said.
type OpenRenewal struct {
	Open
	Basis       Basis
	Certificate string
	Former      Enrollment // the request that it was issued on
	Form        *Form      // of that request; none if it cannot be filled in so any more
}

// Decide opens it for an accepted certificate.
func (c OpenRenewal) Decide(s Enrollment) ([]event.Event, error) {
	events, err := c.Open.Decide(s)
	switch {
	case err != nil:
		return nil, err
	case c.Basis.Persian() == "":
		return nil, ErrBasis
	case c.Former.Status != StatusAccepted:
		return nil, life.Refuse(ErrNotAccepted, string(c.Former.Status))
	case c.Basis == Renewal && c.Former.Channel == Inside:
		return nil, ErrRenewalInside
	}
	person := c.Former.Form.Person
	events = append(events, RenewalOpened{c.Basis, c.Certificate, Kind.Stream(c.Former.TrackingCode), person, c.At})
	if c.Form == nil {
		return events, nil
	}
	entry := ByApplicant
	if c.Office != "" {
		entry = AtCounter
	}
	return append(events, FormCompleted{
		Version: 1, Person: person, Foreign: c.Former.Form.Foreign, Organization: c.Form.Organization,
		Province: c.Form.Province, EnteredBy: c.By, Entry: entry, Office: c.Office, Form: event.About(person, *c.Form), At: c.At,
	}), nil
}

// SameCertified compares what two forms let a certificate say; the first field
// that differs, or empty. Telephone and address are not in it, nor is a passport.
func SameCertified(a, b Form) (field string) {
	for _, f := range []struct{ name, a, b string }{
		{"personCode", a.PersonCode, b.PersonCode},
		{"givenName", a.GivenName, b.GivenName},
		{"surname", a.Surname, b.Surname},
		{"latinGivenName", a.LatinGivenName, b.LatinGivenName},
		{"latinSurname", a.LatinSurname, b.LatinSurname},
		{"birthDate", a.BirthDate, b.BirthDate},
		{"email", a.Email, b.Email},
		{"province", a.Province, b.Province},
		{"city", a.City, b.City},
		{"organization", a.Organization, b.Organization},
		{"organizationName", a.OrganizationName, b.OrganizationName},
		{"latinOrganizationName", a.LatinOrganizationName, b.LatinOrganizationName},
		{"post", a.Post, b.Post},
	} {
		if f.a != f.b {
			return f.name
		}
	}
	return ""
}

// RenewalKey names the one open request that follows a certificate: the
// `opening-renewal-<serial>`. It is let go of only by a request that came to
// nothing, so whoever knows the old certificate finds the new one by it.
func RenewalKey(serial string) event.Stream { return Opening.Stream("renewal", serial) }

// Failed tells whether the request is over and left no certificate that stands.
func (s Status) Failed() bool {
	return s == StatusRejected || s == StatusWithdrawn || s == StatusRevoked
}
