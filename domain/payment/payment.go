// Package payment is one attempt to pay a fee at a bank's page (domain §5.5).
//
//	─Requested─▶ Requested ─Redirected─▶ Redirected ─CallbackNoted*, VerificationStarted─▶ Verifying
//	Verifying ─Verified─▶ Verified ─BankSettled─▶ Settled ─Done─▶ Done ■      Verified ─Done─▶ Done ■
//	Requested, Redirected, Verifying ─Failed─▶ Failed ■      Redirected ─Gone─▶ Gone ■
//	Verifying, Verified ─Reversed─▶ Reversed ■
//
// A callback is a hint, never a proof. A bank reverses by itself what nobody
// verified, so that no verification begins after the attempt's own end: what was
// not verified before may then be told as paid and be gone. One that was begun
// is followed up until the bank says how it ended.
package payment

import (
	"slices"
	"time"

	"govahi/domain/event"
)

// Kind is the stream `payment-<attempt>`.
var Kind = event.Kind[Payment]{Category: "payment", Catalog: Catalog, Evolve: Evolve, Life: life}

// Status is how far the attempt is.
type Status string

// The states.
const (
	None           Status = ""
	StatusOpen     Status = "requested"
	StatusAway     Status = "redirected" // the payer is at the bank's page
	StatusCheck    Status = "verifying"
	StatusVerified Status = "verified"
	StatusSettled  Status = "settled" // at the bank
	StatusDone     Status = "done"
	StatusFailed   Status = "failed"
	StatusReversed Status = "reversed"
	StatusGone     Status = "gone"
)

// Over tells whether nothing is expected any more.
func (s Status) Over() bool {
	return s == StatusDone || s == StatusFailed || s == StatusReversed || s == StatusGone
}

// mostCallbacks bounds how many a stream takes down: who has the callback's
// address may repeat it at will.
const mostCallbacks = 10

// Payment is the state of an attempt.
type Payment struct {
	Status    Status
	Requested Requested
	Reference string   // the bank's, by which it knows the attempt
	Callbacks int      // taken down
	Hints     []string // what callbacks brought that a verification needs, each once
	Verified  Verified
	DueAt     time.Time // when a worker looks at it
	SetAt     time.Time // when DueAt was chosen
	Looks     int       // since the last progress
}

// IsDue tells whether a worker's time has come, as event.IsDue.
func (s Payment) IsDue(now time.Time) bool {
	return s.Status != None && !s.Status.Over() && event.IsDue(now, s.DueAt, s.SetAt)
}

// Evolve is what each event means.
func Evolve(s Payment, e event.Event) Payment {
	switch e := e.(type) {
	case Requested:
		s.Status, s.Requested = StatusOpen, e
		s = s.due(e.DueAt, e.At)
	case Redirected:
		s.Status, s.Reference = StatusAway, e.Reference
	case CallbackNoted:
		s.Callbacks++
		if e.Hint != "" && !slices.Contains(s.Hints, e.Hint) {
			s.Hints = append(slices.Clip(s.Hints), e.Hint)
		}
		s = s.due(e.DueAt, e.At)
	case VerificationStarted:
		s.Status = StatusCheck
		s = s.due(e.DueAt, e.At)
	case Postponed:
		s.Looks, s.DueAt, s.SetAt = e.Look, e.DueAt, e.At
	case Verified:
		s.Status, s.Verified = StatusVerified, e
		s = s.due(e.DueAt, e.At)
	case BankSettled:
		s.Status = StatusSettled
		s = s.due(e.DueAt, e.At)
	case Done:
		s.Status = StatusDone
	case Failed:
		s.Status = StatusFailed
	case Reversed:
		s.Status = StatusReversed
	case Gone:
		s.Status = StatusGone
	}
	return s
}

func (s Payment) due(at, set time.Time) Payment {
	s.DueAt, s.SetAt, s.Looks = at, set, 0
	return s
}
