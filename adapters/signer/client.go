package signer

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/fault"
)

// patience is how long a call may take when the caller's context says nothing.
const patience = 30 * time.Second

// keptConnections wait for the next question.
const keptConnections = 64

// Client speaks to the signing process. It is safe for concurrent use and
// outlives the process's restarts.
type Client struct{ http *http.Client }

var _ commands.Signer = (*Client)(nil)

// NewClient speaks to the process that listens on the Unix socket.
func NewClient(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, "unix", socket)
		if err != nil {
			return nil, errors.Join(ErrUnavailable, err)
		}
		return c, nil
	}
	// A connection may be kept beyond the process behind it: no question leaves
	// before the process has said that it reads.
	return &Client{&http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: dial, MaxIdleConnsPerHost: keptConnections, IdleConnTimeout: patience, ExpectContinueTimeout: patience,
	}}}
}

// SignCertificate asks for the signature of an intended certificate. After
// ErrUnknownOutcome a signature may exist.
func (c *Client) SignCertificate(ctx context.Context, stream event.Stream, revision uint64, tbs, officer []byte) ([]byte, string, error) {
	a, err := call[signReply](ctx, c, "/certificate", signRequest{stream, revision, tbs, officer})
	return a.DER, a.Signer, err
}

// SignCRL asks for the signature of an intended revocation list. The bytes go as
// they are and the signature alone comes back: a list may have a million entries.
func (c *Client) SignCRL(ctx context.Context, stream event.Stream, revision uint64, tbs []byte) ([]byte, string, error) {
	cited := url.Values{"stream": {string(stream)}, "revision": {strconv.FormatUint(revision, 10)}}
	a, err := send[crlReply](ctx, c, "/crl?"+cited.Encode(), tbs)
	if err != nil {
		return nil, "", err
	}
	der, err := assemble(tbs, a.Signature)
	return der, a.Signer, err
}

// Wrap encrypts a 32-byte key under the token's wrapping key.
func (c *Client) Wrap(ctx context.Context, plain []byte) ([]byte, error) {
	a, err := call[bytesReply](ctx, c, "/wrap", bytesRequest{plain})
	return a.Data, err
}

// Unwrap decrypts it again.
func (c *Client) Unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	a, err := call[bytesReply](ctx, c, "/unwrap", bytesRequest{wrapped})
	return a.Data, err
}

// Info is what the process says about itself.
type Info struct {
	Signer       string              // its name in SigningStarted
	Issuers      []*x509.Certificate // the first came first
	ResponderKey []byte              // SubjectPublicKeyInfo, DER
}

// Info asks; an answer also means that the process and its token are well. What
// is wrong with the token is the error: ErrToken, ErrPIN or ErrSlow.
func (c *Client) Info(ctx context.Context) (Info, error) {
	a, err := call[infoReply](ctx, c, "/info", struct{}{})
	if err != nil {
		return Info{}, err
	}
	info := Info{Signer: a.Signer, ResponderKey: a.ResponderKey}
	for _, der := range a.Issuers {
		issuer, err := x509.ParseCertificate(der)
		if err != nil {
			return Info{}, err
		}
		info.Issuers = append(info.Issuers, issuer)
	}
	return info, nil
}

// Ready tells whether the process and its token are well.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.Info(ctx)
	return err
}

// ResponderKey is the OCSP responder's key, on the token behind the process.
func (c *Client) ResponderKey(ctx context.Context) (crypto.Signer, error) {
	info, err := c.Info(ctx)
	if err != nil {
		return nil, err
	}
	public, err := x509.ParsePKIXPublicKey(info.ResponderKey)
	return responderKey{c, public}, err
}

type responderKey struct {
	client *Client
	public crypto.PublicKey
}

func (k responderKey) Public() crypto.PublicKey { return k.public }

// answerWithin is how long who asks for a certificate's status is kept waiting
// for a signature.
const answerWithin = 3 * time.Second

func (k responderKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	limit, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	a, err := call[bytesReply](limit, k.client, "/responder", digestRequest{digest, uint(opts.HashFunc())})
	return a.Data, err
}

func call[A, Q any](ctx context.Context, c *Client, path string, q Q) (A, error) {
	body, err := json.Marshal(q)
	if err != nil {
		var none A
		return none, err
	}
	return send[A](ctx, c, path, body)
}

func send[A any](ctx context.Context, c *Client, path string, body []byte) (A, error) {
	var a A
	question := &question{Reader: bytes.NewReader(body)}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://signer"+path, question)
	if err != nil {
		return a, err
	}
	r.ContentLength = int64(len(body))
	r.Header.Set("Expect", "100-continue")
	response, err := c.http.Do(r)
	if err != nil {
		return a, broken(err, question)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return a, refusal(response.Body, question)
	}
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return a, broken(err, question)
	}
	return a, nil
}

// question is a request's body. It leaves only when the process has begun to
// read (RFC 9110 §10.1.1): a socket may be connected to while the process behind
// it is dying, and what never left was not asked.
type question struct {
	io.Reader
	left atomic.Bool
}

func (q *question) Read(p []byte) (int, error) {
	q.left.Store(true)
	return q.Reader.Read(p)
}

// broken tells a process that was never asked from one that went away.
func broken(err error, q *question) error {
	switch {
	case errors.Is(err, ErrUnavailable):
		return err
	case !q.left.Load():
		return errors.Join(ErrUnavailable, err)
	}
	return errors.Join(ErrUnknownOutcome, err)
}

func refusal(body io.Reader, q *question) error {
	var w wireFault
	if err := json.NewDecoder(body).Decode(&w); err != nil {
		return broken(err, q)
	}
	f := fault.New(w.Kind, w.Code, w.Fa, w.En)
	f.Field = w.Field
	if w.Untried {
		return untried(f)
	}
	return f
}
