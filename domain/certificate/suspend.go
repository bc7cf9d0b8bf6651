package certificate

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
)

// The refusals of a suspension.
var (
	ErrNotYourSuspension = fault.New(fault.Forbidden, "not-your-suspension",
		"تعلیق را تنها همان کسی که گواهی را معلق کرده است یا کارشناس مرکز صدور برمی‌دارد.",
		"A suspension is lifted by whoever suspended the certificate, or by an operator of the CA.")
	// ErrOnHold refuses what needs a certificate that is valid today.
	ErrOnHold = fault.New(fault.Conflict, "certificate-suspended",
		"گواهی معلق است و تا برداشته‌شدن تعلیق به کار نمی‌آید.",
		"The certificate is suspended and cannot be used until that is lifted.")
)

// errHeldUntil refuses another end of a hold: whoever asked for more days would
// find the certificate revoked long before.
func errHeldUntil(until time.Time) *fault.Fault {
	day := iran.FromTime(until).String()
	return fault.New(fault.Conflict, "certificate-held-already",
		"این گواهی تا "+iran.PersianDigits(day)+" معلق است و اگر تا آن زمان تعلیق برداشته نشود باطل می‌شود. برای مهلتی دیگر، نخست کسی که آن را معلق کرده است یا کارشناس مرکز صدور تعلیق را بردارد و سپس دوباره معلق کنید؛ یا تا پایان همان مهلت بمانید.",
		"This certificate is suspended until "+day+" (Jalali), and revoked if that is not lifted by then. For another time have it lifted first, by whoever suspended it or an operator of the CA, and suspend it anew; or wait for that end.")
}

// Suspend withdraws trust for a time (certificateHold, RFC 5280 §5.3.1).
type Suspend struct {
	Until    time.Time
	Open     bool // he named no end, and it is the longest that may be
	By       string
	Operator bool // of the CA
	At       time.Time
}

// Decide holds what is valid, once. An operator of the CA takes over what
// another suspended, so that the other does not lift it; that gives no more time,
// so he names no end. Asked again for the same end it is done, by any clock of the
// house; for another it is refused.
func (c Suspend) Decide(s Certificate) ([]event.Event, error) {
	if s.expired(c.At) {
		return nil, ErrExpired
	}
	switch s.Status {
	case Valid:
		return []event.Event{Suspended{s.Intent.Serial, s.Intent.Issuer, s.request(), c.Until, c.By, c.At}}, nil
	case OnHold:
		over := c.Operator && s.Hold.By != c.By
		switch same := c.Until.Sub(s.Hold.Until).Abs() <= event.Apart; {
		case !same && !(over && c.Open):
			return nil, s.refuse(errHeldUntil(s.Hold.Until))
		case over:
			return []event.Event{Suspended{s.Intent.Serial, s.Intent.Issuer, s.request(), s.Hold.Until, c.By, c.At}}, nil
		}
		return nil, nil
	case Withdrawn:
		if s.Issued.Serial != "" {
			return nil, s.refuse(ErrAlreadyRevoked)
		}
	}
	return nil, ErrNotIssued
}

// expired tells it of a certificate that nobody has revoked.
func (s Certificate) expired(at time.Time) bool {
	return (s.Status == Valid || s.Status == OnHold) && !at.Before(s.Issued.NotAfter)
}

// LiftSuspension gives the trust back.
type LiftSuspension struct {
	By       string
	Operator bool // of the CA
	At       time.Time
}

// Decide lifts what is on hold, for whoever held it or for the CA; what was
// revoked stays so, and what expired opens nothing again.
func (c LiftSuspension) Decide(s Certificate) ([]event.Event, error) {
	switch {
	case s.Issued.Serial == "":
		return nil, ErrNotIssued
	case s.Status == Withdrawn:
		return nil, s.refuse(ErrAlreadyRevoked)
	case s.Status != OnHold:
		return nil, s.refuse(ErrNotSuspended)
	case s.expired(c.At):
		return nil, ErrExpired
	case !c.Operator && s.Hold.By != c.By:
		return nil, ErrNotYourSuspension
	}
	return []event.Event{SuspensionLifted{s.Intent.Serial, s.request(), c.By, c.At}}, nil
}

// EndSuspension follows a suspension that nobody has lifted in its time: what
// was not trusted for so long is not trusted any more.
type EndSuspension struct {
	By string
	At time.Time
}

// Decide revokes once the time is over, and does nothing before.
func (c EndSuspension) Decide(s Certificate) ([]event.Event, error) {
	if s.Status != OnHold || c.At.Before(s.Hold.Until) {
		return nil, nil
	}
	return Revoke{Ask: Ask{Ground: SuspensionNotLifted, By: House}, By: c.By, At: c.At}.Decide(s)
}
