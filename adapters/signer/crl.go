package signer

import (
	"context"
	"crypto/x509"

	"govahi/domain/crl"
)

// signCRL signs an intended revocation list, once (pki.md §5.3, step 6).
func (s *Server) signCRL(ctx context.Context, q signRequest) (signReply, error) {
	list, err := parseCRL(q.TBS)
	if err != nil {
		return signReply{}, err
	}
	start, err := s.intendedCRL(ctx, q, list)
	if err != nil {
		return signReply{}, err
	}
	der, err := s.sign(ctx, q, start)
	return signReply{der, s.ID}, err
}

// lookBack is enough to see the list before: it took an intent, a start and a
// result at most. The whole stream holds every list ever published.
const lookBack = 3

func (s *Server) intendedCRL(ctx context.Context, q signRequest, list *x509.RevocationList) (start, error) {
	if q.Stream != crl.Kind.Stream(s.issuerID) {
		return start{}, ErrStream
	}
	events, err := read(ctx, s.Log, q.Stream, q.Revision-min(q.Revision, lookBack))
	if err != nil {
		return start{}, err
	}
	if len(events) == 0 || events[len(events)-1].Revision != q.Revision {
		return start{}, crl.ErrNotIntended
	}
	before, err := fold(crl.Kind, events[:len(events)-1])
	if err != nil {
		return start{}, err
	}
	state, err := fold(crl.Kind, events)
	if err != nil {
		return start{}, err
	}
	if state.Intent.Number <= before.Intent.Number {
		return start{}, crl.ErrNumber
	}
	if err := s.checkCRL(list, state.Intent); err != nil {
		return start{}, err
	}
	decided, err := crl.StartSigning{
		Number: state.Intent.Number, TBSHash: sha256Hex(q.TBS), Signer: s.ID, At: s.Clock(),
	}.Decide(state)
	return starting(crl.Kind, decided, list.Number.String()), err
}

// checkCRL compares the list with its intent (RFC 5280 §5).
func (s *Server) checkCRL(list *x509.RevocationList, i crl.Intended) error {
	if err := s.checkIssuer(list.RawIssuer, list.AuthorityKeyId, list.SignatureAlgorithm); err != nil {
		return err
	}
	switch {
	case list.Number == nil || !list.Number.IsUint64() || list.Number.Uint64() != i.Number:
		return crl.ErrNumber
	case !list.ThisUpdate.Equal(i.ThisUpdate), !list.NextUpdate.Equal(i.NextUpdate), !list.ThisUpdate.Before(list.NextUpdate):
		return ErrValidity
	case len(list.RevokedCertificateEntries) != i.Entries, len(list.Extensions) != 2: // AKI and number, no more
		return ErrProfile
	}
	return nil
}
