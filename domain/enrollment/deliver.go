package enrollment

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// ErrFingerprint reports that the token holds another certificate.
var ErrFingerprint = fault.New(fault.Conflict, "fingerprint-differs",
	"گواهی خوانده‌شده از توکن گواهی این درخواست نیست؛ گواهی درست را بنویسید و دوباره بخوانید.",
	"The certificate read back is not this request's; write the right one and read it back again.").At("fingerprint")

// PersonaliseToken says that the certificate was written to the reserved token
// and read back (S1.11).
type PersonaliseToken struct {
	Token, Fingerprint string
	By                 event.Subject
	At                 time.Time
}

// Decide compares what was read back with what was issued.
func (c PersonaliseToken) Decide(s Enrollment) ([]event.Event, error) {
	if s.OnToken && c.Token == s.Issuance.Token && c.Fingerprint == s.Fingerprint {
		return nil, nil
	}
	if err := s.in(StatusIssued); err != nil {
		return nil, err
	}
	switch {
	case c.Token != s.Issuance.Token:
		return nil, ErrOtherToken
	case c.Fingerprint != s.Fingerprint:
		return nil, ErrFingerprint
	}
	return []event.Event{TokenPersonalised{c.Token, c.By, c.At}}, nil
}

// PrintSheet records a printout of the particulars (S1.12).
type PrintSheet struct {
	By event.Subject
	At time.Time
}

// Decide numbers the copies.
func (c PrintSheet) Decide(s Enrollment) ([]event.Event, error) {
	if err := s.in(StatusIssued, StatusReadyForDelivery, StatusReadyForDispatch, StatusDelivered, StatusAccepted); err != nil {
		return nil, err
	}
	return []event.Event{SheetPrinted{s.Copies + 1, c.By, c.At}}, nil
}

// ErrDelivered reports that the token was delivered already, to somebody else or
// by another document.
var ErrDelivered = fault.New(fault.Conflict, "delivered-otherwise",
	"تحویل این توکن پیش‌تر با گیرنده یا مدرک هویتی دیگری ثبت شده است و همان می‌ماند.",
	"The delivery of this token was recorded before, with another receiver or identity document, and that stays recorded.")

// Deliver hands the token over after a second look at an identity document
// (S1.11; §2.3 ReadyForDelivery → Delivered).
type Deliver struct {
	IdentityChecked Document
	Attorney        *Attorney // who received it for the applicant, if not he himself
	Received        *Attorney // the same, of what was delivered already
	By              event.Subject
	At              time.Time
}

// Decide accepts only an identity document for the re-check.
func (c Deliver) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status == StatusDelivered {
		return nil, c.again(s)
	}
	if err := s.in(StatusReadyForDelivery, StatusAtCompanyUnit); err != nil {
		return nil, err
	}
	if err := s.notOwn(c.By); err != nil {
		return nil, err
	}
	switch c.IdentityChecked {
	case NationalCard, Passport, BirthCertificate:
		d := Delivered{IdentityChecked: c.IdentityChecked, By: c.By, At: c.At}
		if c.Attorney != nil {
			d.Attorney = event.About(s.Form.Person, *c.Attorney)
		}
		return []event.Event{d}, nil
	}
	return nil, ErrIdentityDocument
}

// again refuses what would have been another delivery: the receiver answers for
// the token.
func (c Deliver) again(s Enrollment) error {
	same := c.Attorney == nil && c.Received == nil || c.Attorney != nil && c.Received != nil && *c.Attorney == *c.Received
	if same && c.IdentityChecked == s.KnownBy {
		return nil
	}
	return life.Refuse(ErrDelivered, string(s.Status))
}

// Accept is the subscriber's own acceptance (RFC 3647 §4.4.1).
type Accept struct {
	Activated bool // he has shown that he commands the token
	By        event.Subject
	Within    time.Duration // of the delivery; at any time, if zero
	At        time.Time
}

// ErrAcceptanceLate refuses an acceptance after its time: the certificate is
// about to be revoked.
var ErrAcceptanceLate = fault.New(fault.Conflict, "acceptance-late",
	"مهلت پذیرش گواهی گذشته است و گواهی باطل می‌شود؛ برای گواهی تازه درخواست بگشایید.",
	"The time to accept the certificate is over and it is revoked; for a new one open a request.")

// Decide lets only the applicant accept, in time, and in channel B only who has
// activated the token: others had it in their hands before (invariant 6).
func (c Accept) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status == StatusAccepted {
		return nil, nil
	}
	if err := s.in(StatusDelivered); err != nil {
		return nil, err
	}
	if c.By != s.Form.Person {
		return nil, ErrNotYours
	}
	if s.late(c.Within, c.At) {
		return nil, ErrAcceptanceLate
	}
	if s.Channel == Inside && !c.Activated {
		return nil, life.Refuse(ErrNotActivated, string(s.Status))
	}
	return []event.Event{Accepted{c.By, c.At}}, nil
}

// NoteRevoked ends a request whose certificate was revoked: nothing is handed
// over, accepted or printed after that.
type NoteRevoked struct {
	Serial string
	At     time.Time
}

// Decide looks at the request's own certificate only: an abandoned attempt's
// serial is revoked too.
func (c NoteRevoked) Decide(s Enrollment) ([]event.Event, error) {
	if s.Serial == "" || s.Serial != c.Serial || s.Status == StatusRevoked {
		return nil, nil
	}
	return []event.Event{Revoked(c)}, nil
}

// late tells whether the time to accept is over.
func (s Enrollment) late(within time.Duration, at time.Time) bool {
	return within > 0 && at.After(s.DeliveredAt.Add(within))
}

// Waits tells whether a certificate was issued and no token's custody runs for it:
// it is not yet on its token, or goes to the one that its holder has.
func (s Enrollment) Waits() bool {
	return s.Status == StatusIssued && !s.OnToken ||
		s.OnOwnToken() && (s.Status == StatusIssued || s.Status == StatusReadyForDelivery)
}

// Undelivered tells whether it waits for longer than it may, by any clock of the
// house.
func (s Enrollment) Undelivered(within time.Duration, at time.Time) bool {
	return s.Waits() && at.Add(-event.Apart).After(s.Issued.Add(within))
}

// Unaccepted tells whether the certificate was delivered and not accepted in
// time, by any clock of the house.
func (s Enrollment) Unaccepted(within time.Duration, at time.Time) bool {
	return s.Status == StatusDelivered && s.late(within, at.Add(-event.Apart))
}
