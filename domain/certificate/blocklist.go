package certificate

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Blocklist is the list of compromised keys (pki §4.3): the stream
// `blockedkey-<SHA-256 of the SubjectPublicKeyInfo>` exists for each.
var Blocklist = event.Kind[Blocked]{
	Category: "blockedkey",
	Catalog:  event.NewCatalog(event.Of[Blocked]("blockedkey.blocked.v1")),
	Evolve:   func(_ Blocked, e event.Event) Blocked { return e.(Blocked) },
}

// Blocked says by which certificate's revocation a key came to be blocked.
type Blocked struct {
	Certificate string    `json:"certificate"` // serial
	At          time.Time `json:"at"`
}

// ErrKeyBlocked reports a key that is known to be compromised.
var ErrKeyBlocked = fault.New(fault.Conflict, "key-blocked",
	"این کلید افشاشده اعلام شده است و دیگر برای آن گواهی صادر نمی‌شود؛ روی توکن کلید تازه بسازید.",
	"This key was declared compromised and is never certified again; make a new key on the token.").At("csr")

// Block puts a key on the list.
type Block Blocked

// Decide blocks once, for good.
func (c Block) Decide(s Blocked) ([]event.Event, error) {
	if s.Certificate != "" {
		return nil, nil
	}
	return []event.Event{Blocked(c)}, nil
}
