package payment

import (
	"time"

	"govahi/domain/event"
)

// Request begins an attempt.
type Request struct{ Requested Requested }

// Decide begins once.
func (c Request) Decide(s Payment) ([]event.Event, error) {
	if s.Status != None {
		return nil, nil
	}
	return []event.Event{c.Requested}, nil
}

// Redirect says by which name the bank knows it.
type Redirect struct {
	Reference string
	At        time.Time
}

// Decide takes the first name: the payer was sent there.
func (c Redirect) Decide(s Payment) ([]event.Event, error) {
	if s.Status != StatusOpen {
		return nil, nil
	}
	return []event.Event{Redirected(c)}, nil
}

// checkWithin is how long whoever noted a step may take for the next one,
// before a worker takes over: longer than one call to a bank.
const checkWithin = 15 * time.Second

// NoteCallback takes a hint.
type NoteCallback struct {
	Claim Claim
	Hint  string
	At    time.Time
}

// Decide takes down a few of them, while they can change anything.
func (c NoteCallback) Decide(s Payment) ([]event.Event, error) {
	if s.Callbacks >= mostCallbacks || s.Status != StatusAway && s.Status != StatusCheck {
		return nil, nil
	}
	return []event.Event{CallbackNoted{c.Claim, c.Hint, c.At.Add(checkWithin), c.At}}, nil
}

// pauses between looks at an attempt that does not move.
var pauses = []time.Duration{15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}

// Postpone says that nothing could be found out now, and why.
type Postpone struct {
	Cause string
	At    time.Time
}

// Decide chooses the next look.
func (c Postpone) Decide(s Payment) ([]event.Event, error) {
	if s.Status == None || s.Status.Over() {
		return nil, nil
	}
	pause := pauses[min(s.Looks, len(pauses)-1)]
	return []event.Event{Postponed{c.Cause, s.Looks + 1, c.At.Add(pause), c.At}}, nil
}
