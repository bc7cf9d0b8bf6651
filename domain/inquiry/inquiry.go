// Package inquiry is one question to the civil registry about one person, with
// its purpose, and the registry's tracking code (S1.30, S3.11–13, domain §5.3).
//
//	─Requested─▶ Due ─Answered─▶ Answered ■
//	Due ─Deferred─▶ Due (later)      Due ─Inconclusive─▶ Inconclusive ─Requested─▶ Due
package inquiry

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of an inquiry.
var Catalog = event.NewCatalog(
	event.Of[Requested]("inquiry.requested.v1"),
	event.Of[Deferred]("inquiry.deferred.v1"),
	event.Of[Inconclusive]("inquiry.inconclusive.v1"),
	event.Was("inquiry.answered.v1", answeredV1.upcast),
	event.Of[Answered]("inquiry.answered.v2"),
)

// Kind is the stream `inquiry-<tracking code>-<form version>`, and for the life
// of the certificate `inquiry-<tracking code>-again-<n>`.
var Kind = event.Kind[Inquiry]{Category: "inquiry", Catalog: Catalog, Evolve: Evolve, Life: life}

// The purposes (invariant 10), and the basis of both.
const (
	ForIssuance  = "certificate-issuance"
	ForReinquiry = "certificate-reinquiry" // does what was certified still hold?

	CivilRegistrationAct = "civil-registration-act-40"
)

// Requested says who asks about whom, why, and by what right (invariant 10).
type Requested struct {
	Inquiry     string        `json:"inquiry"`
	Request     event.Stream  `json:"request"`
	FormVersion int           `json:"formVersion"`
	Subject     event.Subject `json:"subject"`
	Purpose     string        `json:"purpose"`
	LegalBasis  string        `json:"legalBasis"`
	By          event.Subject `json:"by"`
	At          time.Time     `json:"at"`
}

// Cause is why the registry gave no answer now.
type Cause string

// The causes of deferral (domain §5.3).
const (
	Holiday    Cause = "holiday"
	OutOfHours Cause = "out-of-hours"
	Quota      Cause = "quota"
	Down       Cause = "down"
)

// Deferred postpones the question: unavailable is never mismatch (invariant 11).
type Deferred struct {
	Inquiry string    `json:"inquiry"`
	Cause   Cause     `json:"cause"`
	Attempt int       `json:"attempt"`
	RetryAt time.Time `json:"retryAt"`
	At      time.Time `json:"at"`
}

// Inconclusive needs the person at the registry, or a manual look.
type Inconclusive struct {
	Inquiry string    `json:"inquiry"`
	Code    string    `json:"code"` // the registry's message code
	At      time.Time `json:"at"`
}

// Finding is what the registry answers (domain §5.3).
type Finding string

// The findings.
const (
	Matched   Finding = "matched"
	Mismatch  Finding = "mismatch"
	NoRecord  Finding = "no-record"
	Cancelled Finding = "cancelled" // the national code
	Dead      Finding = "dead"
)

// Answered is the answer, minimised: fields that matched, no raw values.
type Answered struct {
	Inquiry      string        `json:"inquiry"`
	Request      event.Stream  `json:"request"`
	Matched      bool          `json:"matched"`
	Differs      []string      `json:"differs,omitempty"` // names of fields
	TrackingCode string        `json:"trackingCode"`
	AskedBy      event.Subject `json:"askedBy"`
	At           time.Time     `json:"at"`
	Finding      Finding       `json:"finding"`
}

// answeredV1 knew matched and not matched.
type answeredV1 struct {
	Inquiry      string        `json:"inquiry"`
	Request      event.Stream  `json:"request"`
	Matched      bool          `json:"matched"`
	Differs      []string      `json:"differs,omitempty"`
	TrackingCode string        `json:"trackingCode"`
	AskedBy      event.Subject `json:"askedBy"`
	At           time.Time     `json:"at"`
}

func (e answeredV1) upcast() event.Event {
	finding := Mismatch
	if e.Matched {
		finding = Matched
	}
	return Answered{e.Inquiry, e.Request, e.Matched, e.Differs, e.TrackingCode, e.AskedBy, e.At, finding}
}

// Status is where the inquiry stands.
type Status string

// The states.
const (
	None               Status = ""
	Due                Status = "due"
	StatusInconclusive Status = "inconclusive"
	StatusAnswered     Status = "answered"
)

// Inquiry is the state.
type Inquiry struct {
	Status   Status
	Request  Requested
	Attempts int
	Cause    Cause // of the last deferral; none while nothing is deferred
	DueAt    time.Time
	SetAt    time.Time // when DueAt was chosen
}

// IsDue tells whether its time has come, as event.IsDue.
func (s Inquiry) IsDue(now time.Time) bool {
	return s.Status == Due && event.IsDue(now, s.DueAt, s.SetAt)
}

// Evolve is what each event means.
func Evolve(s Inquiry, e event.Event) Inquiry {
	switch e := e.(type) {
	case Requested:
		s.Status, s.Request, s.Cause, s.DueAt, s.SetAt = Due, e, "", e.At, e.At
	case Deferred:
		s.Attempts, s.Cause, s.DueAt, s.SetAt = e.Attempt, e.Cause, e.RetryAt, e.At
	case Inconclusive:
		s.Status = StatusInconclusive
	case Answered:
		s.Status = StatusAnswered
	}
	return s
}

// ErrNotAsked reports the repetition of a question that nobody has put.
var ErrNotAsked = fault.New(fault.Conflict, "wrong-state",
	"دربارهٔ فرم کنونی هنوز استعلام نشده است.", "The registry was not asked about the present form yet.")

// ErrTrackingCode reports an answer without a tracking code: it is none.
var ErrTrackingCode = fault.New(fault.Unavailable, "inquiry-without-tracking-code",
	"ثبت احوال کد رهگیری نداد؛ استعلام تکرار می‌شود.",
	"The registry gave no tracking code; the inquiry will be repeated.")

// Request asks.
type Request struct{ Requested Requested }

// Decide asks once.
func (c Request) Decide(s Inquiry) ([]event.Event, error) {
	if s.Status != None {
		return nil, nil
	}
	return []event.Event{c.Requested}, nil
}

// Repeat asks again after an inconclusive answer.
type Repeat struct {
	By event.Subject
	At time.Time
}

// Decide puts the very question again; one that is open or answered stands.
func (c Repeat) Decide(s Inquiry) ([]event.Event, error) {
	switch s.Status {
	case None:
		return nil, life.Refuse(ErrNotAsked, string(s.Status))
	case StatusInconclusive:
		again := s.Request
		again.By, again.At = c.By, c.At
		return []event.Event{again}, nil
	}
	return nil, nil
}

// Defer postpones, with a growing pause, or to when the registry opens.
type Defer struct {
	Cause   Cause
	RetryAt time.Time // where the registry's hours are known
	At      time.Time
}

// longestDeferral bounds what a registry's calendar may ask for: Nowruz. From the
// end of the year's last office hours to the first after the thirteenth, with the
// weekends on both sides, it is more than two weeks.
const longestDeferral = 31 * 24 * time.Hour

// pauses between attempts while the registry is down; closed hours wait longer.
var pauses = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}

// Decide chooses the next attempt's time by cause.
func (c Defer) Decide(s Inquiry) ([]event.Event, error) {
	if s.Status != Due {
		return nil, nil
	}
	pause := pauses[min(s.Attempts, len(pauses)-1)]
	if c.Cause != Down {
		pause = 30 * time.Minute
	}
	retry := c.At.Add(pause)
	if c.RetryAt.After(c.At) && c.RetryAt.Before(c.At.Add(longestDeferral)) {
		retry = c.RetryAt
	}
	return []event.Event{Deferred{s.Request.Inquiry, c.Cause, s.Attempts + 1, retry, c.At}}, nil
}

// NoteInconclusive records that the registry cannot tell.
type NoteInconclusive struct {
	Code string
	At   time.Time
}

// Decide ends the question without a decision.
func (c NoteInconclusive) Decide(s Inquiry) ([]event.Event, error) {
	if s.Status != Due {
		return nil, nil
	}
	return []event.Event{Inconclusive{s.Request.Inquiry, c.Code, c.At}}, nil
}

// Answer records the registry's answer.
type Answer struct {
	Finding      Finding
	Differs      []string
	TrackingCode string
	At           time.Time
}

// Decide wants the tracking code of S3.12 and takes the first answer only.
func (c Answer) Decide(s Inquiry) ([]event.Event, error) {
	if s.Status != Due {
		return nil, nil
	}
	if c.TrackingCode == "" {
		return nil, ErrTrackingCode
	}
	return []event.Event{Answered{
		s.Request.Inquiry, s.Request.Request, c.Finding == Matched, c.Differs, c.TrackingCode, s.Request.By, c.At, c.Finding,
	}}, nil
}
