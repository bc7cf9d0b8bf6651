package access

import (
	"time"

	"govahi/domain/event"
)

// Binding is the way from a certificate to its user: the stream
// `binding-<serial>` is begun once (invariant 3).
var Binding = event.Kind[Bound]{
	Category: "binding",
	Catalog:  event.NewCatalog(event.Of[Bound]("binding.bound.v1")),
	Evolve:   func(_ Bound, e event.Event) Bound { return e.(Bound) },
}

// Bound names the user of a certificate.
type Bound struct {
	UserName string    `json:"userName"`
	At       time.Time `json:"at"`
}

// Bind names the user of a certificate.
type Bind Bound

// Decide lets the same name's retry pass.
func (c Bind) Decide(s Bound) ([]event.Event, error) {
	switch s.UserName {
	case "":
		return []event.Event{Bound(c)}, nil
	case c.UserName:
		return nil, nil
	}
	return nil, ErrBound
}
