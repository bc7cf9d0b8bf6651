package profile

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Kind is the rule that a version is never changed once it was used: the stream
// `profile-<name>@<version>` holds the hash of what a house first started with.
var Kind = event.Kind[Claimed]{
	Category: "profile",
	Catalog:  event.NewCatalog(event.Of[Claimed]("profile.claimed.v1")),
	Evolve:   func(_ Claimed, e event.Event) Claimed { return e.(Claimed) },
}

// Claimed binds a version to what it says.
type Claimed struct {
	Hash string    `json:"sha256"` // of the canonical form, hexadecimal
	At   time.Time `json:"at"`
}

// ErrChanged reports a version that says something else than when it was used.
var ErrChanged = fault.New(fault.Conflict, "profile-changed",
	"این نسخه از نمایه پیش‌تر با محتوای دیگری به کار رفته است؛ محتوای تازه را نسخهٔ تازه‌ای کنید.",
	"This version of the profile was used with other contents before; make the new contents a new version.")

// ErrGone reports a version that was used, and is not there any more.
var ErrGone = fault.New(fault.Conflict, "profile-gone",
	"نسخهٔ تازه‌تری از نمایه پیش‌تر به کار رفته است و پرونده‌اش نیست.",
	"A newer version of the profile was used before, and its file is not there.")

// Claim is the first use of a version, or any later one.
type Claim Claimed

// Decide lets the same contents pass.
func (c Claim) Decide(s Claimed) ([]event.Event, error) {
	switch s.Hash {
	case "":
		return []event.Event{Claimed(c)}, nil
	case c.Hash:
		return nil, nil
	}
	return nil, ErrChanged
}
