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

// Bind names the user of a certificate, maybe instead of a name that somebody
// else was quicker to have.
type Bind struct {
	UserName string
	Instead  string
	At       time.Time
}

// Decide lets the same name's retry pass.
func (c Bind) Decide(s Bound) ([]event.Event, error) {
	switch s.UserName {
	case c.UserName:
		return nil, nil
	case "", c.Instead:
		return []event.Event{Bound{c.UserName, c.At}}, nil
	}
	return nil, ErrBound
}
