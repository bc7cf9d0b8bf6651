package pki

import (
	"bytes"
	"context"
	"crypto"
	_ "crypto/sha1" // CertID's hash in RFC 6960; RFC 9919 recommends SHA-256, both are answered
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
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
	LastModified string // as HTTP has it
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
	known    atomic.Pointer[Knowledge]
	signing  sync.Map // by answerKey, the mutex of who signs it
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
	serial := hex.EncodeToString(asked.SerialNumber.Bytes())
	status, known := r.knows(serial)
	if !known {
		status, err = r.look(ctx, serial)
	}
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

// lookWithin is how long the log may take to tell of a serial.
const lookWithin = 3 * time.Second

// look asks the log itself. What it does not say in time is not known.
func (r *Responder) look(ctx context.Context, serial string) (Status, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	return r.statuses.Status(ctx, serial)
}

func (r *Responder) signed(delegate *x509.Certificate, asked *ocsp.Request, status Status, now time.Time) Answer {
	key := answerKey{hex.EncodeToString(asked.SerialNumber.Bytes()), asked.HashAlgorithm}
	kept, err := r.fresh(delegate, key, asked.SerialNumber, status, now, now.Add(renewBefore))
	if err != nil {
		return Answer{Body: unsigned(err)}
	}
	return kept.at(now)
}

// fresh is the kept answer if it stands and lasts until then, else one that is
// signed now. Many who ask for one answer wait for one signature.
func (r *Responder) fresh(delegate *x509.Certificate, key answerKey, serial *big.Int, status Status, now, until time.Time) (keptAnswer, error) {
	turn, _ := r.signing.LoadOrStore(key, &sync.Mutex{})
	turn.(*sync.Mutex).Lock()
	defer turn.(*sync.Mutex).Unlock()
	defer r.signing.Delete(key)
	if kept, ok := r.kept.get(key, status, until); ok {
		return kept, nil
	}
	a, err := r.sign(delegate, serial, key.hash, status, now)
	if err == nil {
		r.kept.put(key, a)
	}
	return a, err
}

// unsigned tells a signer that is away for now from a failure of ours (RFC 6960
// §2.3).
func unsigned(err error) []byte {
	if f, ok := fault.Of(err); ok && f.Kind == fault.Unavailable {
		return ocsp.TryLaterErrorResponse
	}
	return ocsp.InternalErrorErrorResponse
}

func (r *Responder) sign(delegate *x509.Certificate, serial *big.Int, hash crypto.Hash, status Status, now time.Time) (keptAnswer, error) {
	thisUpdate := seconds(now)
	nextUpdate := thisUpdate.Add(AnswerLife)
	if nextUpdate.After(delegate.NotAfter) {
		nextUpdate = delegate.NotAfter
	}
	template := ocsp.Response{
		Status: ocsp.Good, SerialNumber: serial, IssuerHash: hash,
		ThisUpdate: thisUpdate, NextUpdate: nextUpdate, Certificate: delegate,
	}
	if status.State == Revoked {
		template.Status, template.RevokedAt, template.RevocationReason = ocsp.Revoked, seconds(status.RevokedAt), status.Reason.Code()
	}
	body, err := ocsp.CreateResponse(r.issuer, delegate, template, r.key)
	return keptAnswer{
		status: status, body: body, thisUpdate: thisUpdate, nextUpdate: nextUpdate,
		etag: `"` + sha256Hex(body) + `"`, lastModified: thisUpdate.Format(http.TimeFormat),
	}, err
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
