// Package person is what concerns a person as such: the erasure of his data
// (domain §7.3).
//
//	─ErasureOrdered─▶ Ordered ─Erased─▶ Erased ■
package person

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a person.
var Catalog = event.NewCatalog(
	event.Of[ErasureOrdered]("person.erasure-ordered.v1"),
	event.Of[Erased]("person.erased.v1"),
)

// Kind is the stream `person-<subject>`.
var Kind = event.Kind[Person]{Category: "person", Catalog: Catalog, Evolve: Evolve, Life: life}

// LegalBases are the grounds on which data is destroyed: names and no prose,
// for what is written here outlives the erasure.
var LegalBases = []string{"subject-request", "retention-ended", "court-order"}

// ErasureOrdered is the decision to destroy a subject's key.
type ErasureOrdered struct {
	Subject    event.Subject `json:"subject"`
	LegalBasis string        `json:"legalBasis"`
	By         event.Subject `json:"by"`
	At         time.Time     `json:"at"`
}

// Erased proves, without personal data, that the key is gone.
type Erased struct {
	Subject event.Subject `json:"subject"`
	At      time.Time     `json:"at"`
}

// Person is the state.
type Person struct{ Ordered, Erased bool }

// Evolve is what each event means.
func Evolve(s Person, e event.Event) Person {
	switch e.(type) {
	case ErasureOrdered:
		s.Ordered = true
	case Erased:
		s.Erased = true
	}
	return s
}

// ErrNotOrdered reports an erasure that nobody decided.
var ErrNotOrdered = fault.New(fault.Conflict, "erasure-not-ordered",
	"حذف داده‌های این شخص دستور داده نشده است.", "The erasure of this person's data was not ordered.")

// OrderErasure decides it.
type OrderErasure ErasureOrdered

// Decide orders once.
func (c OrderErasure) Decide(s Person) ([]event.Event, error) {
	if s.Ordered {
		return nil, nil
	}
	return []event.Event{ErasureOrdered(c)}, nil
}

// NoteErased records that the key was destroyed.
type NoteErased Erased

// Decide follows an order only.
func (c NoteErased) Decide(s Person) ([]event.Event, error) {
	switch {
	case !s.Ordered:
		return nil, life.Refuse(ErrNotOrdered, string(s.Status()))
	case s.Erased:
		return nil, nil
	}
	return []event.Event{Erased(c)}, nil
}
