package token

import (
	"math"
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Alarm is what did not happen in time.
type Alarm string

// The alarms (§2.4, policy 4).
const (
	NotReceived  Alarm = "not-received"  // handed over, and no receipt
	NotDelivered Alarm = "not-delivered" // personalised, and not with the applicant
	NotActivated Alarm = "not-activated" // delivered, and its PIN not activated
)

// AlarmRaised says that something is overdue; officers and operators see it.
type AlarmRaised struct {
	Kind  Alarm     `json:"kind"`
	Since time.Time `json:"since"`
	At    time.Time `json:"at"`
}

// Lost says that nobody knows where it is, or that it was stolen.
type Lost struct {
	By string    `json:"by"` // a person's pseudonym, or a policy
	At time.Time `json:"at"`
}

// FoundDefective says that it does not work.
type FoundDefective struct {
	By event.Subject `json:"by"`
	At time.Time     `json:"at"`
}

// Recalled asks for it back: its certificate is no good any more, or it came too
// late.
type Recalled struct {
	Cause string    `json:"cause"` // an alarm, or revoked
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// Revoked is the cause of a recall after a revocation.
const Revoked = "certificate-revoked"

// Returned says that an office has it back.
type Returned struct {
	Office string        `json:"office"`
	By     event.Subject `json:"by"`
	At     time.Time     `json:"at"`
}

// Destroyed ends it: its key with it.
type Destroyed struct {
	By event.Subject `json:"by"`
	At time.Time     `json:"at"`
}

// Terms are how long each part of the way may take: an alarm after the first
// time, the end of the token and its certificate after the second.
type Terms struct {
	Receipt    Term `json:"receipt"`    // of a hand-over
	Delivery   Term `json:"delivery"`   // from personalised to delivered
	Activation Term `json:"activation"` // from delivered to activated
}

// Term is a pair of such times.
type Term struct {
	Alarm time.Duration `json:"alarm"`
	End   time.Duration `json:"end"`
}

// overdue is the term that the token is in, since when, and what it would be
// called.
func (t Terms) overdue(s Token) (Term, time.Time, Alarm) {
	switch s.Status {
	case InTransit:
		return t.Receipt, s.Since, NotReceived
	case StatusPersonalised:
		return t.Delivery, s.Born, NotDelivered
	case StatusDelivered:
		return t.Activation, s.Since, NotActivated
	case StatusRecalled:
		if s.To != "" { // its certificate has ended: there is nothing more to end
			return Term{t.Receipt.Alarm, math.MaxInt64}, s.Since, NotReceived
		}
	}
	return Term{}, time.Time{}, ""
}

// Watch looks at the clock.
type Watch struct {
	Terms Terms
	By    string
	At    time.Time
}

// Decide raises one alarm for each delay, and takes the token for lost or
// recalls it when the last time is over.
func (c Watch) Decide(s Token) ([]event.Event, error) {
	term, since, alarm := c.Terms.overdue(s)
	switch late := c.At.Sub(since); {
	case alarm == "":
		return nil, nil
	case late >= term.End && alarm == NotReceived:
		return []event.Event{Lost{c.By, c.At}}, nil
	case late >= term.End:
		return []event.Event{Recalled{string(alarm), c.By, c.At}}, nil
	case late >= term.Alarm && s.Alarm != alarm:
		return []event.Event{AlarmRaised{alarm, since, c.At}}, nil
	}
	return nil, nil
}

// inUse are the states in which something may still go wrong.
var inUse = []Status{StatusReserved, StatusPersonalised, InTransit, StatusDelivered, Activated, Compromised, StatusRecalled}

// ErrOutOfUse reports trouble with what is no longer used.
var ErrOutOfUse = fault.New(fault.Conflict, "token-out-of-use",
	"این توکن دیگر به کار نمی‌رود؛ گم‌شدن یا خرابی آن ثبت نمی‌شود.",
	"This token is out of use already; no loss or defect of it is recorded.").At("token")

// ReportLost is the holder's word, or that of who misses it.
type ReportLost struct {
	By string
	At time.Time
}

// Decide has it lost once.
func (c ReportLost) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.Status == StatusLost:
		return nil, nil
	case !slices.Contains(inUse, s.Status) && s.Status != InStock:
		return nil, s.refuse(ErrOutOfUse)
	}
	return []event.Event{Lost(c)}, nil
}

// ReportDefective is the word of who tried it.
type ReportDefective struct {
	By event.Subject
	At time.Time
}

// Decide has it defective once.
func (c ReportDefective) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.Status == Defective:
		return nil, nil
	case !slices.Contains(inUse, s.Status) && s.Status != InStock:
		return nil, s.refuse(ErrOutOfUse)
	}
	return []event.Event{FoundDefective(c)}, nil
}

// Recall follows a revocation.
type Recall struct {
	Certificate string
	By          string
	At          time.Time
}

// Decide leaves alone what has ended, or has another certificate.
func (c Recall) Decide(s Token) ([]event.Event, error) {
	if s.Certificate != c.Certificate || !slices.Contains([]Status{StatusPersonalised, InTransit, StatusDelivered, Activated}, s.Status) {
		return nil, nil
	}
	return []event.Event{Recalled{Revoked, c.By, c.At}}, nil
}

// Return is an office's word that it has it back.
type Return struct {
	Office string
	By     event.Subject
	At     time.Time
}

// Decide takes back what is no good any more, also what was found again.
func (c Return) Decide(s Token) ([]event.Event, error) {
	switch s.Status {
	case None:
		return nil, ErrNotFound
	case StatusReturned:
		if s.Holder.Place == c.Office {
			return nil, nil
		}
	case Compromised, StatusLost, Defective, StatusRecalled:
		return []event.Event{Returned(c)}, nil
	}
	return nil, s.refuse(ErrTaken)
}

// Destroy ends it.
type Destroy struct {
	Office string
	By     event.Subject
	At     time.Time
}

// Decide destroys what the office has back.
func (c Destroy) Decide(s Token) ([]event.Event, error) {
	switch {
	case s.Status == None:
		return nil, ErrNotFound
	case s.Status == StatusDestroyed:
		return nil, nil
	case s.Status != StatusReturned || s.Holder.Place != c.Office:
		return nil, s.refuse(ErrNotHere)
	}
	return []event.Event{Destroyed{c.By, c.At}}, nil
}
