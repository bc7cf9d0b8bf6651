// Package ceremony is what witnesses signed: the transcript of a key ceremony,
// by its hash. The log holds it from the house's next start on, so that no other
// transcript can take its place.
package ceremony

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"govahi/domain/event"
)

// Kind is the stream `ceremony-<SHA-256 of the transcript>`.
var Kind = event.Kind[Recorded]{
	Category: "ceremony",
	Catalog:  event.NewCatalog(event.Of[Recorded]("ceremony.recorded.v1")),
	Evolve:   func(_ Recorded, e event.Event) Recorded { return e.(Recorded) },
}

// Recorded is one transcript. It names no person: witnesses write their names by
// hand.
type Recorded struct {
	Hash       string    `json:"sha256"` // hexadecimal, as the witnesses wrote it on the paper
	Name       string    `json:"name"`   // of the file: when, and what kind of ceremony
	Transcript string    `json:"transcript"`
	At         time.Time `json:"at"` // when the house found it
}

// Record takes a transcript into the log.
type Record struct {
	Name       string
	Transcript string
	At         time.Time
}

// Hash is the SHA-256 of the transcript, hexadecimal.
func (c Record) Hash() string {
	sum := sha256.Sum256([]byte(c.Transcript))
	return hex.EncodeToString(sum[:])
}

// Decide records it once: the stream is named by its contents.
func (c Record) Decide(s Recorded) ([]event.Event, error) {
	if s.Hash != "" {
		return nil, nil
	}
	return []event.Event{Recorded{c.Hash(), c.Name, c.Transcript, c.At}}, nil
}
