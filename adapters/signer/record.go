package signer

import (
	"context"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
)

// checkRecord reads the request that the intent cites and checks that a second
// officer confirmed exactly what it says now (S1.10, invariants 1 and 2), and
// signed it.
func (s *Server) checkRecord(ctx context.Context, i certificate.IssuanceIntended, keyHash string, officer []byte) error {
	if i.Record == nil || i.Confirmation == nil || i.Record.Stream != i.Confirmation.Stream ||
		i.Record.Stream.Category() != enrollment.Kind.Category {
		return ErrNotConfirmed
	}
	events, err := read(ctx, s.Log, i.Record.Stream, 0)
	if err != nil {
		return err
	}
	confirmed, err := confirmation(events, i)
	if err != nil {
		return err
	}
	state, err := fold(enrollment.Kind, events)
	if err != nil {
		return err
	}
	switch {
	case state.Confirmation != confirmed || state.Form.Person != i.Subject:
		return ErrNotConfirmed
	case state.Issuance.KeyHash != keyHash:
		return ErrKey
	case state.Status != enrollment.StatusAtCA || state.Attempt.Serial != i.Serial:
		return ErrNotAttempted
	}
	return s.checkOfficer(ctx, i.Record.Stream.ID(), confirmed, officer)
}

// confirmation decides the cited confirmation once more: every control passed,
// four eyes, and the hash of the record that stood directly before it.
func confirmation(events []event.Recorded, i certificate.IssuanceIntended) (enrollment.InformationConfirmed, error) {
	var none enrollment.InformationConfirmed
	at := i.Confirmation.Revision
	if at == 0 || at >= uint64(len(events)) {
		return none, ErrNotConfirmed
	}
	opened, err := enrollment.Catalog.Open(events[at])
	if err != nil {
		return none, err
	}
	confirmed, ok := opened.(enrollment.InformationConfirmed)
	seen := enrollment.Record{Revision: confirmed.RecordRevision, Hash: confirmed.RecordHash}
	if !ok || (enrollment.Record{Revision: i.Record.Revision, Hash: i.Record.Hash}) != seen {
		return none, ErrNotConfirmed
	}
	before, err := fold(enrollment.Kind, events[:at])
	if err != nil {
		return none, err
	}
	_, err = enrollment.ConfirmInformation{
		Seen: seen, Present: enrollment.RecordOf(events[:at]), By: confirmed.By, Office: confirmed.Office,
		Certificate: confirmed.Certificate, Signature: confirmed.Signature, At: confirmed.At,
	}.Decide(before)
	return confirmed, err
}
