// Package audit is the daily check of all certificates against the log: that it
// was made, and what it found. The stream's name makes it one a day, however many
// processes notice that it is due.
//
//	─Started─▶ Running ─Completed─▶ Completed ■      Running ─Started, by who takes over─▶ Running
package audit

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Kind is the stream `audit-<day>`, the day of Tehran as 2026-11-22.
var Kind = event.Kind[Audit]{
	Category: "audit",
	Catalog: event.NewCatalog(
		event.Of[Started]("audit.started.v1"),
		event.Of[Completed]("audit.completed.v1"),
	),
	Evolve: evolve,
}

// Started says who is at work.
type Started struct {
	Handler string    `json:"handler"` // one running process at a time has this name
	At      time.Time `json:"at"`
}

// Upto is where the log ended for it: its last event of certificates.
type Upto struct {
	Stream   event.Stream `json:"stream"`
	Revision uint64       `json:"revision"`
}

// Completed is what was found. No person is in it.
type Completed struct {
	Upto        Upto           `json:"upto,omitzero"` // none, if there was no certificate
	Checked     int            `json:"checked"`       // certificates
	Abandoned   int            `json:"abandoned"`     // serials that became none
	Erased      int            `json:"erased"`        // certificates that cannot wholly be checked: somebody was erased
	Listed      int            `json:"listed"`        // serials on the revocation list
	Asked       int            `json:"asked"`         // serials that the responder was asked about
	Differences map[string]int `json:"differences"`   // by kind
	Handler     string         `json:"handler"`
	At          time.Time      `json:"at"`
}

// Total counts all differences.
func (e Completed) Total() (n int) {
	for _, count := range e.Differences {
		n += count
	}
	return n
}

// Audit is the state of a day's.
type Audit struct {
	Started   Started
	Completed *Completed
}

func evolve(s Audit, e event.Event) Audit {
	switch e := e.(type) {
	case Started:
		s.Started = e
	case Completed:
		s.Completed = &e
	}
	return s
}

// ErrRunning tells that another process is at work on it.
var ErrRunning = fault.New(fault.Unavailable, "audit-running",
	"ممیزی امروز در دست انجام است.", "Today's audit is being made.")

// lease is after what time an audit that did not end is taken over.
const lease = 6 * time.Hour

// Start begins the day's audit.
type Start Started

// Decide lets one process be at work, and the same begin anew after it died.
func (c Start) Decide(s Audit) ([]event.Event, error) {
	switch {
	case s.Completed != nil:
		return nil, nil
	case s.Started.Handler != "" && s.Started.Handler != c.Handler && c.At.Sub(s.Started.At) < lease:
		return nil, ErrRunning
	}
	return []event.Event{Started(c)}, nil
}

// Complete ends it.
type Complete Completed

// Decide takes the first result: who was taken over comes too late.
func (c Complete) Decide(s Audit) ([]event.Event, error) {
	switch {
	case s.Completed != nil:
		return nil, nil
	case s.Started.Handler != c.Handler:
		return nil, ErrRunning
	}
	return []event.Event{Completed(c)}, nil
}
