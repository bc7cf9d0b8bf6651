package person

import (
	"time"

	"govahi/domain/event"
)

// Addressing is the rule that an order of erasure concerns one person for good:
// the stream `erasure-<order>`, named by who ordered and under which key. Once
// the key is destroyed, the same national code leads to somebody else, whom a
// repetition of the order must not reach.
var Addressing = event.Kind[Addressed]{
	Category: "erasure",
	Catalog:  event.NewCatalog(event.Of[Addressed]("erasure.addressed.v1")),
	Evolve:   func(_ Addressed, e event.Event) Addressed { return e.(Addressed) },
}

// Addressed says whom an order concerns.
type Addressed struct {
	Subject event.Subject `json:"subject"`
	At      time.Time     `json:"at"`
}

// Address binds an order to a person.
type Address Addressed

// Decide binds once, whoever has the code by now.
func (c Address) Decide(s Addressed) ([]event.Event, error) {
	if s.Subject != "" {
		return nil, nil
	}
	return []event.Event{Addressed(c)}, nil
}
