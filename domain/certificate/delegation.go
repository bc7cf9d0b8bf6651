package certificate

import (
	"time"

	"govahi/domain/event"
)

// Delegation names the certificates of an issuer's OCSP responder, one after
// the other (RFC 6960 §4.2.2.2): the stream `delegation-<issuer>`.
var Delegation = event.Kind[Delegated]{
	Category: "delegation",
	Catalog:  event.NewCatalog(event.Of[Delegated]("delegation.attempted.v1")),
	Evolve:   func(_ Delegated, e event.Event) Delegated { return e.(Delegated) },
}

// Delegated is the latest serial taken for the responder, named before it is
// intended, so that a crash leaves nothing unknown.
type Delegated struct {
	Serial string    `json:"serial"`
	At     time.Time `json:"at"`
}

// Delegate takes the next serial.
type Delegate struct {
	Serial   string
	Previous string // the serial that it follows
	At       time.Time
}

// Decide is the fence between processes that notice the need at once.
func (c Delegate) Decide(s Delegated) ([]event.Event, error) {
	if s.Serial != c.Previous {
		return nil, ErrSerialTaken
	}
	return []event.Event{Delegated{c.Serial, c.At}}, nil
}
