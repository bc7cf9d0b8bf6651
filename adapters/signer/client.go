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
	"time"

	"govahi/commands"
	"govahi/domain/event"
	"govahi/domain/fault"
)

// patience is how long a call may take when the caller's context says nothing.
const patience = 30 * time.Second

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
	// No connection is kept: one from before a restart would look like a
	// signature whose outcome nobody knows.
	return &Client{&http.Client{Timeout: patience, Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true}}}
}

// SignCertificate asks for the signature of an intended certificate. After
// ErrUnknownOutcome a signature may exist.
func (c *Client) SignCertificate(ctx context.Context, stream event.Stream, revision uint64, tbs []byte) ([]byte, string, error) {
	a, err := call[signReply](ctx, c, "/certificate", signRequest{stream, revision, tbs})
	return a.DER, a.Signer, err
}

// SignCRL asks for the signature of an intended revocation list.
func (c *Client) SignCRL(ctx context.Context, stream event.Stream, revision uint64, tbs []byte) ([]byte, string, error) {
	a, err := call[signReply](ctx, c, "/crl", signRequest{stream, revision, tbs})
	return a.DER, a.Signer, err
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
	Signer       string // its name in SigningStarted
	Issuer       *x509.Certificate
	ResponderKey []byte // SubjectPublicKeyInfo, DER
}

// Info asks; an answer also means that the process is well.
func (c *Client) Info(ctx context.Context) (Info, error) {
	a, err := call[infoReply](ctx, c, "/info", struct{}{})
	if err != nil {
		return Info{}, err
	}
	issuer, err := x509.ParseCertificate(a.Issuer)
	return Info{a.Signer, issuer, a.ResponderKey}, err
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

func (k responderKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	a, err := call[bytesReply](context.Background(), k.client, "/responder", digestRequest{digest, uint(opts.HashFunc())})
	return a.Data, err
}

func call[A, Q any](ctx context.Context, c *Client, path string, q Q) (A, error) {
	var a A
	body, err := json.Marshal(q)
	if err != nil {
		return a, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://signer"+path, bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	response, err := c.http.Do(r)
	if err != nil {
		return a, broken(err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return a, refusal(response.Body)
	}
	if err := json.NewDecoder(response.Body).Decode(&a); err != nil {
		return a, broken(err)
	}
	return a, nil
}

// broken tells a process that was never reached from one that went away.
func broken(err error) error {
	if errors.Is(err, ErrUnavailable) {
		return err
	}
	return errors.Join(ErrUnknownOutcome, err)
}

func refusal(body io.Reader) error {
	var w wireFault
	if err := json.NewDecoder(body).Decode(&w); err != nil {
		return broken(err)
	}
	f := fault.New(w.Kind, w.Code, w.Fa, w.En)
	f.Field = w.Field
	return f
}
