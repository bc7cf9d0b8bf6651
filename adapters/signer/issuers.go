package signer

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"

	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/event"
	"govahi/domain/issuer"
	"govahi/domain/profile"
)

// Issuer is one issuer whose key is on the token. Of several, the intent's names
// who signs.
type Issuer struct {
	Certificate *x509.Certificate
	Key         crypto.Signer // nil once it was destroyed after its compromise
	Ended       issuer.Ending // as the CA's directory has it; the log may say it, too
}

// by is an issuer at work.
type by struct {
	Issuer
	id string // SHA-256 of its certificate, hexadecimal
}

// gone tells whether the key was destroyed, as it may be where the directory says
// that it was compromised.
func (i Issuer) gone() bool { return i.Key == nil && i.Ended == issuer.Compromise }

// issuersOf checks that each key on the token is the one that its certificate
// names.
func issuersOf(list []Issuer) (map[string]by, error) {
	all := map[string]by{}
	for _, i := range list {
		if !i.gone() && (i.Key == nil || !sameKey(i.Key.Public(), i.Certificate.PublicKey)) {
			return nil, errors.New("signer: the CA key on the token is not the issuer certificate's")
		}
		if _, err := algorithmFor(i.Certificate.PublicKey); err != nil {
			return nil, err
		}
		id := sha256Hex(i.Certificate.Raw)
		all[id] = by{i, id}
	}
	if len(all) == 0 || len(all) < len(list) {
		return nil, errors.New("signer: there is no issuer, or one twice")
	}
	return all, nil
}

// issuerOf is who signs an intended certificate.
func (s *Server) issuerOf(i certificate.IssuanceIntended) (by, error) {
	if found, ok := s.issuers[i.Issuer]; ok {
		return found, nil
	}
	return by{}, ErrIssuer
}

// listsOf is whose revocation lists a stream has.
func (s *Server) listsOf(stream event.Stream) (by, error) {
	if found, ok := s.issuers[stream.ID()]; ok && stream == crl.Kind.Stream(found.id) {
		return found, nil
	}
	return by{}, ErrStream
}

// ending is how an issuer ended, by the CA's directory or by the log itself; the
// worse counts.
func (s *Server) ending(ctx context.Context, i by) (issuer.Ending, error) {
	said, err := standing(ctx, s, issuer.Kind, issuer.Kind.Stream(i.id))
	return said.Ending(i.Ended), err
}

// checkOpen refuses certificates of an issuer that has ended. A retired one still
// certifies who answers for it: it says where its certificates stand until the
// last of them is over.
func (s *Server) checkOpen(ctx context.Context, i by, p profile.Profile) error {
	ending, err := s.ending(ctx, i)
	if err != nil || ending == "" || ending == issuer.Retirement && p.Holder == profile.Responder {
		return err
	}
	return issuer.ErrEnded
}

// isOurKey tells whether a key is one of this token's: nobody holds those.
func (s *Server) isOurKey(key crypto.PublicKey) bool {
	for _, i := range s.issuers {
		if sameKey(key, i.Certificate.PublicKey) {
			return true
		}
	}
	return sameKey(key, s.Keys.Responder.Public())
}
