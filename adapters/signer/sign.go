package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"errors"

	"govahi/domain/event"
	"govahi/domain/issuer"
)

// start is the decided start of a signature, not yet recorded.
type start struct {
	events      []event.Event
	correlation string
	encode      func(context.Context, event.Stream, event.Meta, []event.Event) ([]event.Proposed, error)
}

func starting[S any](kind event.Kind[S], events []event.Event, correlation string) start {
	encode := func(ctx context.Context, stream event.Stream, meta event.Meta, events []event.Event) ([]event.Proposed, error) {
		return kind.Encode(ctx, nil, stream, meta, events) // a start holds no personal data: there is nothing to seal
	}
	return start{events, correlation, encode}
}

// cited is a digest to be signed, and the intent to.
type cited struct {
	stream   event.Stream
	revision uint64
	digest   []byte
	hash     crypto.Hash
}

// sign records the start, at the intent's revision, and then signs once. Of any
// number of signers one gets past the record; after it nothing asks again. Who
// has no place has announced nothing and may give up; who has announced does
// not, for that would cost the serial.
func (s *Server) sign(ctx context.Context, of by, q cited, begin start) ([]byte, error) {
	if of.gone() {
		return nil, issuer.ErrKeyGone
	}
	leave, err := s.places.take(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := s.works(ctx); err != nil {
		return nil, err
	}
	s.crash(beforeStarted)
	if err := s.record(ctx, q, begin); err != nil {
		return nil, err
	}
	s.crash(afterStarted)
	signature, err := s.signature(context.WithoutCancel(ctx), of, q)
	s.crash(afterSign)
	return signature, err
}

// record appends SigningStarted. Its command ID is fresh each time: an ID that
// two attempts shared would be taken for one append repeated, and let both sign.
func (s *Server) record(ctx context.Context, q cited, begin start) error {
	nonce := make([]byte, 16)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	actor := "signer:" + s.ID
	proposed, err := begin.encode(ctx, q.stream, event.Meta{
		CommandID: actor + ":" + hex.EncodeToString(nonce), Actor: actor, Authority: "signer", At: s.Clock(),
		Correlation: begin.correlation, Causation: string(q.stream),
	}, begin.events)
	if err != nil {
		return err
	}
	switch _, err := s.Log.Append(ctx, q.stream, event.Expected(q.revision), proposed...); {
	case errors.Is(err, event.ErrWrongExpectedRevision):
		return ErrStarted
	case err != nil:
		return errors.Join(ErrLog, err)
	}
	return nil
}

// signature has the token sign, and lets nothing out that the issuer's public
// key does not verify.
func (s *Server) signature(ctx context.Context, of by, q cited) ([]byte, error) {
	signature, err := s.token(ctx, func() ([]byte, error) { return of.Key.Sign(rand.Reader, q.digest, q.hash) })
	if err != nil {
		return nil, err
	}
	if !verifies(of.Certificate.PublicKey, q, signature) {
		return nil, ErrSignature
	}
	return signature, nil
}

func verifies(public crypto.PublicKey, q cited, signature []byte) bool {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(k, q.hash, q.digest, signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, q.digest, signature)
	}
	return false
}
