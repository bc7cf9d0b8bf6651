// Package idempotency is the rule that an Idempotency-Key names one question of
// one caller, for good: the stream `idempotency-<key>`, begun before anything of
// the command is stored. It keeps what the command's own stream cannot: that the
// same key was asked something else, also of another stream, and that a command
// had nothing to do, at first or any more.
package idempotency

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Kind is the stream of one caller's key; both are in its name as a keyed
// digest.
var Kind = event.Kind[Claimed]{
	Category: "idempotency",
	Catalog:  event.NewCatalog(event.Of[Claimed]("idempotency.claimed.v1")),
	Evolve:   func(_ Claimed, e event.Event) Claimed { return e.(Claimed) },
}

// Claimed says what a key was first used for.
type Claimed struct {
	Question string       `json:"question"` // keyed digest of operation and input, hexadecimal: nobody can try out inputs on it
	Stream   event.Stream `json:"stream"`   // where the answer stands
	// Revision is set if there was nothing to do: where the stream stood then.
	// That stays the answer, even if there were something to do today.
	Revision *uint64   `json:"revision,omitempty"`
	At       time.Time `json:"at"`
}

// ErrReused reports a key that named another question before.
var ErrReused = fault.New(fault.Invalid, "idempotency-key-reused",
	"این Idempotency-Key پیش‌تر برای درخواست دیگری به کار رفته است؛ برای درخواست تازه کلید تازه بسازید.",
	"This Idempotency-Key named another request before; make a new key for a new request.").At("Idempotency-Key")

// Claim takes a key for a question.
type Claim Claimed

// Decide takes a free key, and recognises the question that has it. It adds that
// there was nothing left to do where the key was taken to do something.
func (c Claim) Decide(s Claimed) ([]event.Event, error) {
	idle := c.Revision != nil && s.Revision == nil && c.Stream == s.Stream
	switch {
	case s.Question == "", c.Question == s.Question && idle:
		return []event.Event{Claimed(c)}, nil
	case c.Question == s.Question:
		return nil, nil
	}
	return nil, ErrReused
}
