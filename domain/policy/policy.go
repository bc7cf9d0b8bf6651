// Package policy records when a policy came to the house: it reacts to what
// happened later, and never to history.
package policy

import (
	"time"

	"govahi/domain/event"
)

// Kind is the stream `policy-<name>`. The position of its one event is where
// the policy starts.
var Kind = event.Kind[Started]{
	Category: "policy",
	Catalog:  event.NewCatalog(event.Of[Started]("policy.started.v1")),
	Evolve:   func(_ Started, e event.Event) Started { return e.(Started) },
}

// Started marks the start.
type Started struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

// Start starts a policy.
type Start Started

// Decide starts it once.
func (c Start) Decide(s Started) ([]event.Event, error) {
	if s.Name != "" {
		return nil, nil
	}
	return []event.Event{Started(c)}, nil
}
