// Package relying sees the repository as a relying party does: it fetches the
// revocation list and asks the responder over HTTP, and trusts nothing but the
// issuer's key.
package relying

import (
	"bytes"
	"context"
	"crypto"
	_ "crypto/sha256" // CertID's hash (RFC 9919)
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/queries/auditor"
)

// Party asks at the addresses that an issuer's certificates name.
type Party struct {
	list, responder string
	issuer          *x509.Certificate
	http            http.Client
}

// within is how long one answer may take.
const within = 10 * time.Second

// New makes a party that trusts the issuer; the addresses are http URLs.
func New(list, responder string, issuer *x509.Certificate) *Party {
	return &Party{list, responder, issuer, http.Client{Timeout: within, Transport: &http.Transport{MaxIdleConnsPerHost: 16, IdleConnTimeout: 5 * time.Second}}}
}

var _ auditor.Published = (*Party)(nil)

// Close lets go of connections.
func (p *Party) Close() { p.http.CloseIdleConnections() }

// longest bounds what is read: a list of a million serials has 40 MB.
const longest = 256 << 20

// List fetches the present revocation list, DER.
func (p *Party) List(ctx context.Context) ([]byte, error) {
	return p.fetch(ctx, http.MethodGet, p.list, nil)
}

// tries bounds how often a responder is asked that answers "try later".
const tries = 5

var errTryLater = errors.New("relying: the responder says try later")

// Status asks the responder about a serial and verifies its signature, and that
// the issuer delegated it (RFC 6960 §3.2).
func (p *Party) Status(ctx context.Context, serial *big.Int) (a auditor.Answer, err error) {
	for wait := 50 * time.Millisecond; ; wait *= 2 {
		if a, err = p.ask(ctx, serial); !errors.Is(err, errTryLater) || wait > 50*time.Millisecond<<tries {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (p *Party) ask(ctx context.Context, serial *big.Int) (auditor.Answer, error) {
	request, err := ocsp.CreateRequest(&x509.Certificate{SerialNumber: serial}, p.issuer, &ocsp.RequestOptions{Hash: crypto.SHA256})
	if err != nil {
		return auditor.Answer{}, err
	}
	der, err := p.fetch(ctx, http.MethodPost, p.responder, request)
	if err != nil {
		return auditor.Answer{}, err
	}
	r, err := ocsp.ParseResponse(der, p.issuer)
	var refused ocsp.ResponseError
	switch {
	case errors.As(err, &refused) && refused.Status == ocsp.Unauthorized: // as RFC 9919 has it
		return auditor.Answer{State: auditor.Unknown}, nil
	case errors.As(err, &refused) && refused.Status == ocsp.TryLater:
		return auditor.Answer{}, errTryLater
	case err != nil:
		return auditor.Answer{}, err
	case r.Certificate == nil || !slices.Contains(r.Certificate.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return auditor.Answer{}, errors.New("relying: nobody delegated this responder")
	case r.SerialNumber.Cmp(serial) != 0 || time.Now().After(r.NextUpdate):
		return auditor.Answer{}, errors.New("relying: the answer is about another serial, or too old")
	}
	return answer(r), nil
}

func answer(r *ocsp.Response) auditor.Answer {
	a := auditor.Answer{State: auditor.Unknown, By: hex.EncodeToString(r.Certificate.SerialNumber.Bytes())}
	switch r.Status {
	case ocsp.Good:
		a.State = auditor.Good
	case ocsp.Revoked:
		a.State, a.Reason, a.At = auditor.Revoked, r.RevocationReason, r.RevokedAt
	}
	return a
}

func (p *Party) fetch(ctx context.Context, method, address string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/ocsp-request")
	}
	response, err := p.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("relying: %s is answered by %s", address, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, longest))
}
