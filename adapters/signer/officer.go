package signer

import (
	"context"
	"encoding/base64"

	"govahi/commands"
	"govahi/domain/appointment"
	"govahi/domain/certificate"
	"govahi/domain/credential"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/issuer"
	"govahi/domain/office"
)

// checkOfficer verifies the signature of the officer who confirmed, his
// certificate and appointment, and his office's licence (domain §4.5, §4.1):
// all of them now, for the CA answers for what it signs now.
func (s *Server) checkOfficer(ctx context.Context, request string, confirmed enrollment.InformationConfirmed, officer []byte) error {
	if err := s.checkOfficersCertificate(ctx, confirmed, officer); err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(confirmed.Signature)
	if err != nil {
		return commands.ErrConfirmationVoid
	}
	record := enrollment.Record{Revision: confirmed.RecordRevision, Hash: confirmed.RecordHash}
	if s.Signatures.Check(signature, record.Statement(request), officer) != nil {
		return commands.ErrConfirmationVoid
	}
	if err := s.checkAppointed(ctx, confirmed.By, appointment.RegistrationOfficer, confirmed.Office); err != nil {
		return err
	}
	return s.checkLicensed(ctx, confirmed.Office)
}

// checkOfficersCertificate compares what the caller gave with what the log says
// was issued, and is still valid.
func (s *Server) checkOfficersCertificate(ctx context.Context, confirmed enrollment.InformationConfirmed, officer []byte) error {
	held, err := standing(ctx, s, certificate.Kind, certificate.Kind.Stream(confirmed.Certificate))
	if err != nil {
		return err
	}
	if !held.IsOfficers() || held.Issued.Subject != confirmed.By || held.Issued.Fingerprint != sha256Hex(officer) {
		return commands.ErrConfirmationVoid
	}
	of, err := s.issuerOf(held.Intent)
	if err != nil {
		return commands.ErrConfirmationVoid
	}
	life, err := s.officers.certified(of, officer)
	if now := s.Clock(); err != nil || now.Before(life.begins) || now.After(life.ends) {
		return commands.ErrConfirmationVoid
	}
	return s.checkUncompromised(ctx, of)
}

// checkUncompromised takes the certificate of any issuer of ours but of one whose
// key is compromised, whether the certificate is revoked already or not.
func (s *Server) checkUncompromised(ctx context.Context, of by) error {
	ending, err := s.ending(ctx, of)
	if err == nil && ending == issuer.Compromise {
		err = commands.ErrConfirmationVoid
	}
	return err
}

func (s *Server) checkAppointed(ctx context.Context, person event.Subject, role appointment.Role, place string) error {
	held, err := standing(ctx, s, appointment.Kind, appointment.Kind.Stream(string(person)))
	if err == nil && !held.Holds(role, place, s.Clock()) {
		err = commands.ErrConfirmationVoid
	}
	return err
}

func (s *Server) checkLicensed(ctx context.Context, code string) error {
	o, err := standing(ctx, s, office.Kind, office.Kind.Stream(code))
	if err == nil && !o.Licensed(s.Clock()) {
		err = commands.ErrConfirmationVoid
	}
	return err
}

// checkCredential is for an officer's own certificate: an operator of the CA
// vouched for him, and both hold their posts.
func (s *Server) checkCredential(ctx context.Context, i certificate.IssuanceIntended, keyHash string) error {
	if i.Record == nil || i.Confirmation == nil || i.Record.Stream != i.Confirmation.Stream ||
		i.Record.Stream.Category() != credential.Kind.Category {
		return ErrNotConfirmed
	}
	c, err := credential.Kind.Fold(ctx, s.Log, i.Record.Stream)
	switch {
	case err != nil:
		return ofLog(err)
	case c.Status != credential.StatusApproved || c.Request.Person != i.Subject || c.Vouched.By == i.Subject:
		return ErrNotConfirmed
	case c.Request.KeyHash != keyHash:
		return ErrKey
	case c.Attempt.Serial != i.Serial:
		return ErrNotAttempted
	}
	if err := s.checkAppointed(ctx, c.Vouched.By, appointment.CAOperator, ""); err != nil {
		return err
	}
	return s.checkAppointed(ctx, i.Subject, appointment.RegistrationOfficer, c.Request.Office)
}
