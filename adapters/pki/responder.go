package pki

import (
	"bytes"
	"context"
	"crypto"
	_ "crypto/sha1" // CertID's hash in RFC 6960; RFC 9919 recommends SHA-256, both are answered
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/domain/certificate"
	"govahi/domain/fault"
)

// Times of an OCSP answer (domain §4.6: at most an hour old).
const (
	AnswerLife  = time.Hour        // thisUpdate to nextUpdate
	renewBefore = 10 * time.Minute // a kept answer is signed anew this long before nextUpdate
	maxRequest  = 4 << 10          // bytes of a request that are worth looking at
)

// State is what OCSP says about a serial (RFC 6960 §2.2).
type State int

// The states. The zero value is the careful one.
const (
	Unknown State = iota // never issued here, or intended and not issued
	Good
	Revoked
)

// Status is where a serial stands, as the log has it.
type Status struct {
	State     State
	Reason    certificate.Reason
	RevokedAt time.Time
}

// same compares instants, not how they are written: the same second read twice
// may come in two time zones' clothes.
func (s Status) same(o Status) bool {
	return s.State == o.State && s.Reason == o.Reason && s.RevokedAt.Equal(o.RevokedAt)
}

// Statuses tells where a serial stands, lower-case hexadecimal; Unknown for one
// that was not issued.
type Statuses interface {
	Status(ctx context.Context, serial string) (Status, error)
}

// Answer is an OCSP response for the door to send as application/ocsp-response.
type Answer struct {
	Body []byte
	// Cache headers as RFC 9919 asks; all zero when the answer must not be kept.
	ETag         string // already quoted
	MaxAge       time.Duration
	LastModified time.Time
	Expires      time.Time
}

// Responder answers for one issuer with a delegated key. It keeps signed answers
// and signs anew when one gets old, or when the status is another than the one
// that was signed.
type Responder struct {
	issuer   *x509.Certificate
	key      crypto.Signer
	statuses Statuses
	clock    func() time.Time
	delegate atomic.Pointer[x509.Certificate]
	ids      map[crypto.Hash]issuerID
	kept     keptAnswers
}

type issuerID struct{ name, key []byte }

// NewResponder makes a responder that answers "try later" until Use names the
// delegated certificate. The clock gives the present time.
func NewResponder(issuer *x509.Certificate, key crypto.Signer, statuses Statuses, clock func() time.Time) (*Responder, error) {
	r := &Responder{issuer: issuer, key: key, statuses: statuses, clock: clock, ids: map[crypto.Hash]issuerID{}}
	for _, h := range []crypto.Hash{crypto.SHA1, crypto.SHA256} {
		id, err := identify(issuer, h)
		if err != nil {
			return nil, err
		}
		r.ids[h] = id
	}
	return r, nil
}

// identify hashes issuer name and key as a CertID does (RFC 6960 §4.1.1).
func identify(issuer *x509.Certificate, h crypto.Hash) (issuerID, error) {
	der, err := ocsp.CreateRequest(issuer, issuer, &ocsp.RequestOptions{Hash: h})
	if err != nil {
		return issuerID{}, err
	}
	request, err := ocsp.ParseRequest(der)
	if err != nil {
		return issuerID{}, err
	}
	return issuerID{request.IssuerNameHash, request.IssuerKeyHash}, nil
}

// Use names the responder's certificate, and is called again with each new one.
func (r *Responder) Use(delegate *x509.Certificate) {
	if present := r.delegate.Load(); present != nil && present.Equal(delegate) {
		return
	}
	r.delegate.Store(delegate)
	r.kept.clear()
}

// Answer answers a request, DER. It never fails: what is wrong is said in the
// answer (RFC 6960 §2.3). Of several requests in one the first is answered,
// which RFC 9919 allows; a nonce is not echoed, for answers are made beforehand.
func (r *Responder) Answer(ctx context.Context, request []byte) Answer {
	asked, err := parseRequest(request)
	if err != nil {
		return Answer{Body: ocsp.MalformedRequestErrorResponse}
	}
	delegate, now := r.delegate.Load(), r.clock()
	if delegate == nil || now.After(delegate.NotAfter) {
		return Answer{Body: ocsp.TryLaterErrorResponse}
	}
	if !r.isOurs(asked) {
		return Answer{Body: ocsp.UnauthorizedErrorResponse}
	}
	status, err := r.statuses.Status(ctx, hex.EncodeToString(asked.SerialNumber.Bytes()))
	switch {
	case err != nil:
		return Answer{Body: ocsp.TryLaterErrorResponse}
	case status.State == Unknown:
		// Unsigned, as RFC 9919 has it: made-up serials cost no signature.
		return Answer{Body: ocsp.UnauthorizedErrorResponse}
	}
	return r.signed(delegate, asked, status, now)
}

func parseRequest(der []byte) (*ocsp.Request, error) {
	if len(der) > maxRequest {
		return nil, ocsp.ParseError("too long")
	}
	request, err := ocsp.ParseRequest(der)
	if err != nil {
		return nil, err
	}
	if request.SerialNumber.Sign() <= 0 {
		return nil, ocsp.ParseError("serial is not positive")
	}
	return request, nil
}

func (r *Responder) isOurs(q *ocsp.Request) bool {
	id, ok := r.ids[q.HashAlgorithm]
	return ok && bytes.Equal(id.name, q.IssuerNameHash) && bytes.Equal(id.key, q.IssuerKeyHash)
}

func (r *Responder) signed(delegate *x509.Certificate, asked *ocsp.Request, status Status, now time.Time) Answer {
	key := answerKey{string(asked.SerialNumber.Bytes()), asked.HashAlgorithm}
	kept, ok := r.kept.get(key, status, now)
	if !ok {
		fresh, err := r.sign(delegate, asked, status, now)
		if err != nil {
			return Answer{Body: unsigned(err)}
		}
		kept = fresh
		r.kept.put(key, kept)
	}
	return kept.at(now)
}

// unsigned tells a signer that is away for now from a failure of ours (RFC 6960
// §2.3).
func unsigned(err error) []byte {
	if f, ok := fault.Of(err); ok && f.Kind == fault.Unavailable {
		return ocsp.TryLaterErrorResponse
	}
	return ocsp.InternalErrorErrorResponse
}

func (r *Responder) sign(delegate *x509.Certificate, asked *ocsp.Request, status Status, now time.Time) (keptAnswer, error) {
	thisUpdate := seconds(now)
	nextUpdate := thisUpdate.Add(AnswerLife)
	if nextUpdate.After(delegate.NotAfter) {
		nextUpdate = delegate.NotAfter
	}
	template := ocsp.Response{
		Status: ocsp.Good, SerialNumber: asked.SerialNumber, IssuerHash: asked.HashAlgorithm,
		ThisUpdate: thisUpdate, NextUpdate: nextUpdate, Certificate: delegate,
	}
	if status.State == Revoked {
		template.Status, template.RevokedAt, template.RevocationReason = ocsp.Revoked, seconds(status.RevokedAt), status.Reason.Code()
	}
	body, err := ocsp.CreateResponse(r.issuer, delegate, template, r.key)
	return keptAnswer{status, body, thisUpdate, nextUpdate}, err
}

// DecodeGET reads the request from what follows the responder's URL in a GET
// (RFC 6960 Appendix A.1): base64, URL-encoded. Servers and proxies decode the
// path or not, and clients pad it or not: all are read.
func DecodeGET(path string) ([]byte, error) {
	if decoded, err := url.PathUnescape(path); err == nil {
		path = decoded
	}
	path = strings.TrimRight(strings.TrimPrefix(path, "/"), "=")
	return base64.RawStdEncoding.DecodeString(strings.ReplaceAll(path, " ", "+"))
}
