package payment

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// ErrTooLate reports a verification that would come when the bank may have
// given the money back already.
var ErrTooLate = fault.New(fault.Conflict, "verification-too-late",
	"زمان تأیید این پرداخت گذشته است و بانک وجه را برمی‌گرداند.",
	"The time to verify this payment is over, and the bank gives the money back.")

// StartVerification comes before the call by which the bank makes the payment
// final: after a crash we know that it may have been made.
type StartVerification struct{ At time.Time }

// Decide allows it until the attempt's end, as often as it takes.
func (c StartVerification) Decide(s Payment) ([]event.Event, error) {
	switch {
	case s.Status != StatusAway && s.Status != StatusCheck:
		return nil, nil
	case !c.At.Before(s.Requested.Until):
		return nil, life.Refuse(ErrTooLate, string(s.Status))
	case s.Status == StatusCheck:
		return nil, nil
	}
	return []event.Event{VerificationStarted{c.At.Add(checkWithin), c.At}}, nil
}

// NoteVerified records the bank's word that it holds the money.
type NoteVerified struct {
	Money Money
	Hint  string
	At    time.Time
}

// Decide takes the first word. Money that is found after the attempt was over is
// late: it settles nothing, and it is not lost.
func (c NoteVerified) Decide(s Payment) ([]event.Event, error) {
	switch s.Status {
	case StatusCheck:
		return []event.Event{Verified{c.Money, c.Hint, false, c.At.Add(checkWithin), c.At}}, nil
	case StatusFailed, StatusReversed, StatusGone:
		return []event.Event{Verified{c.Money, c.Hint, true, c.At.Add(checkWithin), c.At}}, nil
	}
	return nil, nil
}

// NoteBankSettled records the bank's word that it pays out.
type NoteBankSettled struct{ At time.Time }

// Decide takes it after the verification.
func (c NoteBankSettled) Decide(s Payment) ([]event.Event, error) {
	if s.Status != StatusVerified {
		return nil, nil
	}
	return []event.Event{BankSettled{c.At.Add(checkWithin), c.At}}, nil
}
