package signer

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"govahi/domain/certificate"
	"govahi/domain/profile"
)

// signCertificate signs an intended certificate, once (pki.md §5.3, steps 2, 3).
func (s *Server) signCertificate(ctx context.Context, q signRequest) (signReply, error) {
	intent, start, err := s.intended(ctx, q)
	if err != nil {
		return signReply{}, err
	}
	c, err := parseCertificate(q.TBS)
	if err != nil {
		return signReply{}, err
	}
	issuer, err := s.issuerOf(intent)
	if err != nil {
		return signReply{}, err
	}
	if err := s.kept.Fresh(ctx); err != nil {
		return signReply{}, errors.Join(ErrLog, err)
	}
	if err := s.checkCertificate(ctx, issuer, c, intent, q.Officer); err != nil {
		return signReply{}, err
	}
	algorithm, err := algorithmFor(issuer.Certificate.PublicKey)
	if err != nil {
		return signReply{}, err
	}
	digest, hash := digestOf(algorithm, q.TBS)
	signature, err := s.sign(ctx, issuer, cited{q.Stream, q.Revision, digest, hash}, start)
	if err != nil {
		return signReply{}, err
	}
	der, err := assemble(q.TBS, signature)
	return signReply{der, s.ID}, err
}

// intended reads the intent and decides the start of the signature. The intent
// must be the stream's last event, at the cited revision, for these very bytes.
func (s *Server) intended(ctx context.Context, q signRequest) (certificate.IssuanceIntended, start, error) {
	var none certificate.IssuanceIntended
	if q.Stream.Category() != certificate.Kind.Category {
		return none, start{}, ErrStream
	}
	events, err := read(ctx, s.Log, q.Stream, 0)
	if err != nil {
		return none, start{}, err
	}
	state, err := certificate.Kind.FoldOn(certificate.Certificate{}, events...)
	if err != nil {
		return none, start{}, err
	}
	if len(events) == 0 || events[len(events)-1].Revision != q.Revision {
		return none, start{}, certificate.ErrNotIntended
	}
	// The fence is the stream's: a serial has one, or it could be signed twice.
	if q.Stream != certificate.Kind.Stream(state.Intent.Serial) {
		return none, start{}, ErrSerial
	}
	decided, err := certificate.StartSigning{Signer: s.ID, TBSHash: sha256Hex(q.TBS), At: s.Clock()}.Decide(state)
	if err != nil {
		return none, start{}, err
	}
	return state.Intent, starting(certificate.Kind, decided, state.Intent.Serial), nil
}

// checkCertificate checks everything that the intent promises against the bytes
// themselves, as if nobody had before.
func (s *Server) checkCertificate(ctx context.Context, of by, c *x509.Certificate, i certificate.IssuanceIntended, officer []byte) error {
	if err := checkIssuer(of.Certificate, c.RawIssuer, c.AuthorityKeyId, c.SignatureAlgorithm); err != nil {
		return err
	}
	if hex.EncodeToString(c.SerialNumber.Bytes()) != i.Serial {
		return ErrSerial
	}
	keyHash := sha256Hex(c.RawSubjectPublicKeyInfo)
	if keyHash != i.KeyHash {
		return ErrKey
	}
	p, err := s.profileOf(i)
	if err != nil {
		return err
	}
	if err := s.checkOpen(ctx, of, p); err != nil {
		return err
	}
	if p.Holder != profile.Responder && s.isOurKey(c.PublicKey) {
		return ErrKey
	}
	if err := checkProfile(of.Certificate, c, i, p); err != nil {
		return err
	}
	switch p.Holder {
	case profile.Responder:
		return s.checkOwn(c, i)
	case profile.Officer:
		return s.checkCredential(ctx, i, keyHash)
	}
	return s.checkRecord(ctx, c, i, p, officer)
}

// profileOf is the signer's own copy of the intent's profile, which must say
// what the intent's said.
func (s *Server) profileOf(i certificate.IssuanceIntended) (profile.Profile, error) {
	p, ok := s.Profiles.Find(i.Profile)
	switch {
	case !ok || p.Retired:
		return p, ErrProfile
	case p.Hash() != i.ProfileHash:
		return p, ErrProfileDiffers
	}
	return p, nil
}

// checkProfile holds the bytes to it, as if nobody had before.
func checkProfile(issuer, c *x509.Certificate, i certificate.IssuanceIntended, p profile.Profile) error {
	if err := checkValidity(issuer, c, i, p); err != nil {
		return err
	}
	if broken := profile.Errors(p.Check(c, issuer)); len(broken) > 0 {
		return fmt.Errorf("%w: %s", ErrProfile, strings.Join(broken, ", "))
	}
	return nil
}

// checkIssuer wants the issuer's name byte for byte and its key identifier
// (RFC 5280 §4.1.2.4, §4.2.1.1), under the algorithm of its key.
func checkIssuer(issuer *x509.Certificate, name, keyID []byte, a x509.SignatureAlgorithm) error {
	want, err := algorithmFor(issuer.PublicKey)
	if err != nil {
		return err
	}
	if !bytes.Equal(name, issuer.RawSubject) || !bytes.Equal(keyID, issuer.SubjectKeyId) || a != want {
		return ErrIssuer
	}
	return nil
}

func checkValidity(issuer, c *x509.Certificate, i certificate.IssuanceIntended, p profile.Profile) error {
	switch {
	case !c.NotBefore.Equal(i.NotBefore), !c.NotAfter.Equal(i.NotAfter), !c.NotBefore.Before(c.NotAfter),
		c.NotBefore.Before(issuer.NotBefore), c.NotAfter.After(issuer.NotAfter), c.NotAfter.After(p.Until(c.NotBefore)):
		return ErrValidity
	}
	return nil
}

// checkOwn is for certificates that are about nobody: the responder's key is
// the one on this token.
func (s *Server) checkOwn(c *x509.Certificate, i certificate.IssuanceIntended) error {
	if !sameKey(c.PublicKey, s.Keys.Responder.Public()) {
		return ErrKey
	}
	if i.Subject != "" || i.Record != nil || !slices.Equal(i.PublicTBS, c.RawTBSCertificate) {
		return ErrProfile
	}
	return nil
}
