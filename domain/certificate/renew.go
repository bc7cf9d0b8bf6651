package certificate

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// The refusals of a renewal.
var (
	ErrExpired = fault.New(fault.Conflict, "certificate-expired",
		"زمان این گواهی به پایان رسیده است؛ برای گواهی تازه درخواست بگشایید.",
		"This certificate has expired; for a new one open a request.")
	ErrOfficers = fault.New(fault.Conflict, "certificate-without-request",
		"این گواهی بر پایهٔ درخواست متقاضی صادر نشده است و تمدید نمی‌شود؛ گواهی تازه بخواهید.",
		"This certificate was not issued on an applicant's request and is not renewed; ask for a new one.")
)

// Renewable refuses what no request can follow: a certificate that is not valid
// at that moment. What expired or was revoked is asked for anew.
func (s Certificate) Renewable(at time.Time) error {
	switch {
	case s.Issued.Serial == "" || s.Status == Withdrawn:
		return s.NotValid()
	case s.Issued.Request == "":
		return ErrOfficers
	case s.Status == OnHold:
		return s.refuse(ErrOnHold)
	case !at.Before(s.Issued.NotAfter):
		return ErrExpired
	}
	return nil
}

// RenewKey hands a key on to the request that renews its certificate.
type RenewKey struct {
	From, Request event.Stream
	At            time.Time
}

// Decide lets the renewal have it, and nobody after that but the next renewal.
func (c RenewKey) Decide(s KeyClaimed) ([]event.Event, error) {
	switch s.Request {
	case c.Request:
		return nil, nil
	case c.From:
		return []event.Event{KeyClaimed{c.Request, c.At}}, nil
	}
	return nil, ErrKeyReused
}
