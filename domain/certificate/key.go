package certificate

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Key is the rule against key reuse: the stream `key-<SHA-256 of the
// SubjectPublicKeyInfo>` belongs to one request for good, and after it to the
// request that renews its certificate.
var Key = event.Kind[KeyClaimed]{
	Category: "key",
	Catalog:  event.NewCatalog(event.Of[KeyClaimed]("key.claimed.v1")),
	Evolve:   func(_ KeyClaimed, e event.Event) KeyClaimed { return e.(KeyClaimed) },
}

// KeyClaimed binds a public key to a request.
type KeyClaimed struct {
	Request event.Stream `json:"request"`
	At      time.Time    `json:"at"`
}

// ErrKeyReused reports a key that another request certified or tried to.
var ErrKeyReused = fault.New(fault.Conflict, "key-reused",
	"این کلید پیش‌تر برای درخواست دیگری به کار رفته است؛ روی توکن کلید تازه بسازید.",
	"This key was used for another request; make a new key on the token.").At("csr")

// ClaimKey binds a key to a request.
type ClaimKey KeyClaimed

// Decide lets the same request's retry pass.
func (c ClaimKey) Decide(s KeyClaimed) ([]event.Event, error) {
	switch s.Request {
	case "":
		return []event.Event{KeyClaimed(c)}, nil
	case c.Request:
		return nil, nil
	}
	return nil, ErrKeyReused
}
