package event

import (
	"encoding/json"
	"fmt"
	"time"
)

// Meta is the metadata stored with each event: who asked, by what right, when,
// and what led to it. The two dollar names are EventStoreDB's convention.
type Meta struct {
	CommandID   string    `json:"commandId"`        // the caller's Idempotency-Key, scoped to the caller, or policy and event ID
	Actor       string    `json:"actor"`            // a person's pseudonym, or "policy:NAME"
	Authority   string    `json:"authority"`        // by what right: an appointment, "applicant", or the policy
	At          time.Time `json:"at"`               // when the command was decided, UTC
	Correlation string    `json:"$correlationId"`   // the tracking code or thing the whole story is about
	Causation   string    `json:"$causationId"`     // the event or command that led to this one
	Status      string    `json:"status,omitempty"` // where the command led the stream, for kinds that tell
}

// Encode writes the stored JSON.
func (m Meta) Encode() ([]byte, error) { return json.Marshal(m) }

var metaNames = []string{"commandId", "actor", "authority", "at", "$correlationId", "$causationId", "status"}

// DecodeMeta reads the metadata of a recorded event.
func (r Recorded) DecodeMeta() (m Meta, err error) {
	texts, ok := plain(r.Meta, metaNames...)
	if !ok || m.At.UnmarshalText([]byte(texts[3])) != nil {
		if err = json.Unmarshal(r.Meta, &m); err != nil {
			err = fmt.Errorf("%w: metadata: %w", ErrUndecodable, err)
		}
		return m, err
	}
	m.CommandID, m.Actor, m.Authority, m.Correlation, m.Causation = texts[0], texts[1], texts[2], texts[4], texts[5]
	if len(texts) > 6 {
		m.Status = texts[6]
	}
	return m, nil
}
