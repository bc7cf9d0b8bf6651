package enrollment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"govahi/domain/event"
)

// Record cites exactly what an officer saw: the stream up to a revision.
type Record struct {
	Revision uint64 `json:"revision"`
	Hash     string `json:"hash"` // hexadecimal
}

// RecordOf cites the stream as it was read. The hash chains SHA-256 over name
// and data of each event, personal data in its sealed form, so it can be
// checked after an erasure.
func RecordOf(stream []event.Recorded) Record {
	var chain [sha256.Size]byte
	for _, r := range stream {
		data := sha256.Sum256(r.Data)
		link := append(chain[:], r.Type...)
		chain = sha256.Sum256(append(append(link, 0), data[:]...))
	}
	if len(stream) == 0 {
		return Record{}
	}
	return Record{stream[len(stream)-1].Revision, hex.EncodeToString(chain[:])}
}

// Statement is what an officer signs who confirms a record: the request by its
// tracking code, the record by revision and hash, and what he says of it.
func (r Record) Statement(request string) []byte {
	return fmt.Appendf(nil, "Govahi: information confirmed (S1.10)\nrequest %s\nrevision %d\nrecord %s\n", request, r.Revision, r.Hash)
}

// ConfirmInformation is the second officer's word (S1.10, invariants 1 and 2).
// The door has checked the signature.
type ConfirmInformation struct {
	Seen        Record // what the officer reviewed
	Present     Record // what the stream holds now
	By          event.Subject
	Office      string
	Certificate string // serial of the officer's own
	Signature   string // base64
	At          time.Time
}

// Decide needs four eyes, every control passed, and the very record on screen.
func (c ConfirmInformation) Decide(s Enrollment) ([]event.Event, error) {
	if s.Status == StatusConfirmed && s.Confirmation.By == c.By && c.Seen.Hash == s.Confirmation.RecordHash {
		return nil, nil
	}
	if err := s.in(StatusControlled); err != nil {
		return nil, err
	}
	if err := s.MayConfirm(c.By); err != nil {
		return nil, err
	}
	if c.Seen != c.Present {
		return nil, ErrStaleRecord
	}
	if c.Signature == "" {
		return nil, ErrUnsigned
	}
	return []event.Event{InformationConfirmed{c.Seen.Revision, c.Seen.Hash, c.Certificate, c.Signature, c.By, c.Office, c.At}}, nil
}

// MayConfirm holds the rule of four eyes (invariant 2): not the applicant, and
// nobody who ever opened the request or accepted the liability for a visitor,
// entered a form, sighted an original, asked the registry or had a part in a
// further control.
func (s Enrollment) MayConfirm(by event.Subject) error {
	if err := s.notOwn(by); err != nil {
		return err
	}
	if slices.Contains(s.Hands, by) {
		return ErrFourEyes
	}
	return nil
}
