package commands

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"govahi/domain/certificate"
)

// responderRenewal is how long before its end the responder's certificate is
// replaced.
const responderRenewal = 7 * 24 * time.Hour

// EnsureResponder returns the certificate of the OCSP responder, DER, issuing
// one under the same rule as every other where there is none, or the present one
// ends soon or is of another key: intent, fence, signature, record. It fails with
// ErrAttemptRunning while another process may be at work on one. Where the issuer
// certifies nothing any more it is the latest there is, or none.
func (a *App) EnsureResponder(ctx context.Context, of Authority, publicKey []byte) ([]byte, error) {
	stream := certificate.Delegation.Stream(of.Issuer())
	d, err := load(ctx, a, certificate.Delegation, stream)
	if err != nil {
		return nil, err
	}
	c := Caller{Policy: "responder", Key: of.Issuer()}
	closed, err := a.certifiesNothing(ctx, of)
	if err != nil {
		return nil, err
	}
	if last := d.state.Serial; last != "" {
		h, err := load(ctx, a, certificate.Kind, certificate.Kind.Stream(last))
		if err != nil {
			return nil, err
		}
		if a.serves(h.state, publicKey) || closed && h.state.Issued.Public != nil {
			return h.state.Issued.Public, nil
		}
		if err := a.endAttempt(ctx, c, of, d.state, h.state.Status); err != nil {
			return nil, err
		}
	}
	if closed {
		return nil, nil
	}
	return a.delegate(ctx, c, of, d.state.Serial, publicKey)
}

// serves tells whether a responder with this key may go on with the certificate.
func (a *App) serves(s certificate.Certificate, publicKey []byte) bool {
	key := sha256.Sum256(publicKey)
	return s.Status == certificate.Valid && s.Intent.KeyHash == hex.EncodeToString(key[:]) &&
		a.Clock().Before(s.Issued.NotAfter.Add(-responderRenewal))
}

// endAttempt abandons what nobody is at work on any more.
func (a *App) endAttempt(ctx context.Context, c Caller, of Authority, last certificate.Delegated, s certificate.Status) error {
	switch {
	case s == certificate.Valid || s == certificate.Withdrawn:
		return nil
	case a.Clock().Sub(last.At).Abs() < attemptLease:
		return ErrAttemptRunning
	}
	return a.abandonResponder(ctx, c, of, last.Serial)
}

func (a *App) abandonResponder(ctx context.Context, c Caller, of Authority, serial string) error {
	c.Key = serial
	as := a.do(c, "AbandonResponder", "policy", serial)
	abandon := certificate.Abandon{Serial: serial, Issuer: of.Issuer(), Cause: "interrupted", By: as.actor(), At: as.at}
	_, err := transact(ctx, a, certificate.Kind, certificate.Kind.Stream(serial), as, just[certificate.Certificate](abandon))
	return err
}

func (a *App) delegate(ctx context.Context, c Caller, of Authority, previous string, publicKey []byte) ([]byte, error) {
	serial, err := of.NewSerial(a.Clock())
	if err != nil {
		return nil, err
	}
	c.Key = serial
	as := a.do(c, "DelegateResponder", "policy", serial)
	take := certificate.Delegate{Serial: serial, Previous: previous, At: as.at}
	_, err = transact(ctx, a, certificate.Delegation, certificate.Delegation.Stream(of.Issuer()), as, just[certificate.Delegated](take))
	if errors.Is(err, certificate.ErrSerialTaken) {
		return nil, errors.Join(ErrAttemptRunning, err) // another process noticed the need, too
	} else if err != nil {
		return nil, err
	}
	der, err := a.signResponder(ctx, as, of, serial, publicKey)
	if err != nil {
		return nil, errors.Join(err, a.abandonResponder(ctx, c, of, serial))
	}
	return der, nil
}

func (a *App) signResponder(ctx context.Context, as act, of Authority, serial string, publicKey []byte) ([]byte, error) {
	p, err := of.PrepareResponder(serial, publicKey, as.at)
	if err != nil {
		return nil, err
	}
	stream := certificate.Kind.Stream(serial)
	intent := certificate.IssuanceIntended{
		Serial: serial, Profile: p.Profile, ProfileHash: p.ProfileHash, Issuer: p.Issuer, KeyHash: p.KeyHash, Lint: p.Lint,
		NotBefore: p.NotBefore, NotAfter: p.NotAfter, PublicTBS: p.TBS, TBSHash: p.TBSHash, At: as.at,
	}
	r, err := transact(ctx, a, certificate.Kind, stream, as, just[certificate.Certificate](certificate.Intend{Intent: intent}))
	if err != nil {
		return nil, err
	}
	a.Step("responder:intended")
	der, signer, err := signed(ctx, a.signer(nil), r, p.TBS)
	if err != nil {
		return nil, err
	}
	fingerprint, err := of.CheckIssued(der, p.TBS)
	if err != nil {
		return nil, err
	}
	as.name, as.at = "NoteResponder", a.Clock()
	note := certificate.NoteIssued{DER: der, Fingerprint: fingerprint, Signer: signer, At: as.at}
	_, err = transact(ctx, a, certificate.Kind, stream, as, just[certificate.Certificate](note))
	return der, err
}
