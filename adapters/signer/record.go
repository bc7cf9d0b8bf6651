package signer

import (
	"context"
	"crypto/x509"

	"govahi/domain/certificate"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/profile"
)

// checkRecord reads the request that the intent cites and checks that a second
// officer confirmed exactly what it says now (S1.10, invariants 1 and 2), and
// signed it.
func (s *Server) checkRecord(ctx context.Context, c *x509.Certificate, i certificate.IssuanceIntended, p profile.Profile, officer []byte) error {
	if i.Record == nil || i.Confirmation == nil || i.Record.Stream != i.Confirmation.Stream ||
		i.Record.Stream.Category() != enrollment.Kind.Category {
		return ErrNotConfirmed
	}
	events, err := read(ctx, s.Log, i.Record.Stream, 0)
	if err != nil {
		return err
	}
	confirmed, state, err := confirmation(events, i)
	if err != nil {
		return err
	}
	switch {
	case state.Confirmation != confirmed || state.Form.Person != i.Subject:
		return ErrNotConfirmed
	case state.Issuance.KeyHash != i.KeyHash:
		return ErrKey
	case state.CertificateType != p.Product, !sameOrganization(c, state.Form.Organization):
		return ErrProfile
	case state.Status != enrollment.StatusAtCA || state.Attempt.Serial != i.Serial:
		return ErrNotAttempted
	}
	return s.checkOfficer(ctx, i.Record.Stream.ID(), confirmed, officer)
}

// sameOrganization compares what the record says in clear with the certificate;
// what else it says of the person is sealed from the signer.
func sameOrganization(c *x509.Certificate, organization string) bool {
	said := ""
	for _, a := range c.Subject.Names {
		if a.Type.Equal(profile.OrganizationIdentifier.OID()) {
			said, _ = a.Value.(string)
		}
	}
	return said == organization
}

// confirmation decides the cited confirmation once more: every control passed,
// four eyes, and the hash of the record that stood directly before it. It also
// returns the request as it stands now.
func confirmation(events []event.Recorded, i certificate.IssuanceIntended) (confirmed enrollment.InformationConfirmed, now enrollment.Enrollment, err error) {
	at := i.Confirmation.Revision
	if at == 0 || at >= uint64(len(events)) {
		return confirmed, now, ErrNotConfirmed
	}
	opened, err := enrollment.Catalog.Open(events[at])
	if err != nil {
		return confirmed, now, err
	}
	confirmed, ok := opened.(enrollment.InformationConfirmed)
	seen := enrollment.Record{Revision: confirmed.RecordRevision, Hash: confirmed.RecordHash}
	if !ok || (enrollment.Record{Revision: i.Record.Revision, Hash: i.Record.Hash}) != seen {
		return confirmed, now, ErrNotConfirmed
	}
	before, err := enrollment.Kind.FoldOn(enrollment.Enrollment{}, events[:at]...)
	if err != nil {
		return confirmed, now, err
	}
	if _, err := (enrollment.ConfirmInformation{
		Seen: seen, Present: enrollment.RecordOf(events[:at]), By: confirmed.By, Office: confirmed.Office,
		Certificate: confirmed.Certificate, Signature: confirmed.Signature, At: confirmed.At,
	}).Decide(before); err != nil {
		return confirmed, now, err
	}
	now, err = enrollment.Kind.FoldOn(before, events[at:]...)
	return confirmed, now, err
}
