package payment

import (
	"time"

	"govahi/domain/event"
)

// Finish says that the fee order knows of the money.
type Finish struct{ At time.Time }

// Decide wants the bank's last word first.
func (c Finish) Decide(s Payment) ([]event.Event, error) {
	if s.Status == StatusSettled || s.Status == StatusVerified && !s.Requested.Separate {
		return []event.Event{Done(c)}, nil
	}
	return nil, nil
}

// Fail ends an attempt that brought no money.
type Fail struct {
	Cause string
	At    time.Time
}

// Decide fails nothing that the bank holds.
func (c Fail) Decide(s Payment) ([]event.Event, error) {
	switch s.Status {
	case StatusOpen, StatusAway, StatusCheck:
		return []event.Event{Failed(c)}, nil
	}
	return nil, nil
}

// NoteReversed records the bank's word that the money went back.
type NoteReversed struct {
	Cause string
	At    time.Time
}

// Decide believes it until the sum was paid out to us.
func (c NoteReversed) Decide(s Payment) ([]event.Event, error) {
	switch s.Status {
	case StatusAway, StatusCheck, StatusVerified:
		return []event.Event{Reversed(c)}, nil
	}
	return nil, nil
}

// Lapse ends an attempt whose payer never came back.
type Lapse struct{ At time.Time }

// Decide ends it once no verification can begin any more.
func (c Lapse) Decide(s Payment) ([]event.Event, error) {
	if s.Status != StatusAway || c.At.Before(s.Requested.Until) {
		return nil, nil
	}
	return []event.Event{Gone(c)}, nil
}
