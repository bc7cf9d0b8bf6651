package certificate

import (
	"time"

	"govahi/domain/event"
)

// Suspend withdraws trust for a time (certificateHold, RFC 5280 §5.3.1).
type Suspend struct {
	Until time.Time
	By    string
	At    time.Time
}

// Decide holds what is valid, once.
func (c Suspend) Decide(s Certificate) ([]event.Event, error) {
	switch s.Status {
	case Valid:
		return []event.Event{Suspended{s.Intent.Serial, s.request(), c.Until, c.By, c.At}}, nil
	case OnHold:
		return nil, nil
	case Withdrawn:
		return nil, s.refuse(ErrAlreadyRevoked)
	}
	return nil, ErrNotIssued
}

// LiftSuspension gives the trust back.
type LiftSuspension struct {
	By string
	At time.Time
}

// Decide lifts what is on hold; what was revoked stays so.
func (c LiftSuspension) Decide(s Certificate) ([]event.Event, error) {
	switch s.Status {
	case OnHold:
		return []event.Event{SuspensionLifted{s.Intent.Serial, s.request(), c.By, c.At}}, nil
	case Withdrawn:
		return nil, s.refuse(ErrAlreadyRevoked)
	}
	if s.Issued.Serial == "" {
		return nil, ErrNotIssued
	}
	return nil, s.refuse(ErrNotSuspended)
}
