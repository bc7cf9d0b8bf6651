// Package notification is one message to one person, claimed by its cause
// before it is sent (architecture, policies).
//
//	─Requested─▶ Due ─Postponed (an attempt)─▶ Due ─Sent─▶ Sent ■
//	Due, Sent ─Bounced─▶ as it was
//	             Due ─Postponed (it failed)──▶ Due ─Failed─▶ Failed ■
package notification

import (
	"time"

	"govahi/domain/event"
)

// Catalog lists every event of a message.
var Catalog = event.NewCatalog(
	event.Of[Requested]("notification.requested.v1"),
	event.Of[Postponed]("notification.postponed.v1"),
	event.Of[Failed]("notification.failed.v1"),
	event.Of[Sent]("notification.sent.v1"),
	event.Of[Bounced]("notification.bounced.v1"),
)

// Kind is the stream `notification-<ID of the causing event>`: one cause, one
// message.
var Kind = event.Kind[Notification]{Category: "notification", Catalog: Catalog, Evolve: Evolve}

// Template is which text is sent.
type Template string

// The texts.
const (
	EmailCode          Template = "email-code"
	RequestSubmitted   Template = "request-submitted"
	SubmittedToUnit    Template = "submitted-to-unit"
	DossierReturned    Template = "dossier-returned"
	DossierLost        Template = "dossier-lost"
	IssuedInside       Template = "issued-inside"
	TokenAtUnit        Template = "token-at-unit"
	CorrectionNeeded   Template = "correction-needed"
	RequestRejected    Template = "request-rejected"
	CertificateIssued  Template = "certificate-issued"
	CertificateRevoked Template = "certificate-revoked"
	CACompromised      Template = "ca-compromised" // and so his certificate, with all others of that issuer, is revoked
	AccessDefined      Template = "access-defined"
	ExpiryReminder     Template = "expiry-reminder"
	DeliveryReminder   Template = "delivery-reminder"
	AcceptanceReminder Template = "acceptance-reminder"
)

// Means is the way that a message takes.
type Means string

// ByEmail is the way of every message: no provider of SMS is contracted.
const ByEmail Means = "email"

// Message is what the text needs; the code of an e-mail proof is derived at
// the moment of sending and stands nowhere.
type Message struct {
	Email string            `json:"email"`
	Name  string            `json:"name"`
	With  map[string]string `json:"with,omitempty"`
}

// Requested claims the message.
type Requested struct {
	ID       string                   `json:"id"`
	Template Template                 `json:"template"`
	Request  event.Stream             `json:"request"`
	Round    int                      `json:"round,omitempty"` // of the e-mail code
	Message  *event.Personal[Message] `json:"message"`
	At       time.Time                `json:"at"`
}

// Personal seals address and name.
func (e Requested) Personal() []event.Sealable { return []event.Sealable{e.Message} }

// GiveUp ends a message that can reach nobody any more.
type GiveUp struct {
	Cause string
	At    time.Time
}

// Decide fails it at once; there is nothing to wait for.
func (c GiveUp) Decide(s Notification) ([]event.Event, error) {
	if s.Over || s.Requested.ID == "" {
		return nil, nil
	}
	return []event.Event{Failed{s.Requested.ID, c.Cause, c.At}}, nil
}

// Postponed gives the time of the next attempt: an attempt begins, or the server
// did not take it.
type Postponed struct {
	ID      string    `json:"id"`
	Attempt int       `json:"attempt"`
	RetryAt time.Time `json:"retryAt"`
	At      time.Time `json:"at"`
}

// Failed ends the attempts.
type Failed struct {
	ID    string    `json:"id"`
	Cause string    `json:"cause"`
	At    time.Time `json:"at"`
}

// Sent says that the server took it.
type Sent struct {
	ID string    `json:"id"`
	At time.Time `json:"at"`
}

// Bounced says that it came back for good, before or after we noted that it was
// sent.
type Bounced struct {
	ID     string    `json:"id"`
	Status string    `json:"status"` // RFC 3463
	At     time.Time `json:"at"`
}

// NoteBounced records that a message came back.
type NoteBounced struct {
	Status string
	At     time.Time
}

// Decide records it once, of a message that was handed to a server.
func (c NoteBounced) Decide(s Notification) ([]event.Event, error) {
	if s.Bounced || s.Attempts == 0 {
		return nil, nil
	}
	return []event.Event{Bounced{s.Requested.ID, c.Status, c.At}}, nil
}

// Notification is the state.
type Notification struct {
	Requested Requested
	Attempts  int
	DueAt     time.Time
	SetAt     time.Time // when DueAt was chosen
	Over      bool
	Bounced   bool
}

// IsDue tells whether its time has come, as event.IsDue.
func (s Notification) IsDue(now time.Time) bool { return event.IsDue(now, s.DueAt, s.SetAt) }

// Evolve is what each event means.
func Evolve(s Notification, e event.Event) Notification {
	switch e := e.(type) {
	case Requested:
		s.Requested, s.DueAt, s.SetAt = e, e.At, e.At
	case Postponed:
		s.Attempts, s.DueAt, s.SetAt = e.Attempt, e.RetryAt, e.At
	case Sent, Failed:
		s.Over = true
	case Bounced:
		s.Bounced = true
	}
	return s
}

// Request claims a message.
type Request struct{ Requested Requested }

// Decide claims once.
func (c Request) Decide(s Notification) ([]event.Event, error) {
	if s.Requested.ID != "" {
		return nil, nil
	}
	return []event.Event{c.Requested}, nil
}

// NoteSent records that the server took it.
type NoteSent struct{ At time.Time }

// Decide records it once, of a message that was claimed.
func (c NoteSent) Decide(s Notification) ([]event.Event, error) {
	if s.Over || s.Requested.ID == "" {
		return nil, nil
	}
	return []event.Event{Sent{s.Requested.ID, c.At}}, nil
}

// lease is how long an attempt whose end nobody recorded is left alone: longer
// than any mail server may take.
const lease = 15 * time.Second

// Attempt is recorded before a message goes out: while nothing can be recorded
// nothing is sent, and one of several senders wins.
type Attempt struct{ At time.Time }

// Decide counts the attempt, of a message whose time has come.
func (c Attempt) Decide(s Notification) ([]event.Event, error) {
	if s.Over || s.Requested.ID == "" || !s.IsDue(c.At) {
		return nil, nil
	}
	return []event.Event{Postponed{s.Requested.ID, s.Attempts + 1, c.At.Add(lease), c.At}}, nil
}

// Postpone waits longer after each attempt that failed, and gives up after a day.
type Postpone struct {
	Cause string
	At    time.Time
}

var pauses = []time.Duration{
	time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute,
	time.Hour, 6 * time.Hour, 16 * time.Hour,
}

// Decide chooses the next attempt's time.
func (c Postpone) Decide(s Notification) ([]event.Event, error) {
	switch {
	case s.Over, s.Requested.ID == "":
		return nil, nil
	case s.Attempts > len(pauses):
		return []event.Event{Failed{s.Requested.ID, c.Cause, c.At}}, nil
	}
	return []event.Event{Postponed{s.Requested.ID, s.Attempts, c.At.Add(pauses[max(0, s.Attempts-1)]), c.At}}, nil
}
