package signer_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"govahi/adapters/cms"
	"govahi/adapters/pki"
	"govahi/adapters/pki/profiles"
	"govahi/adapters/signer"
	"govahi/adapters/signer/signertest"
	"govahi/adapters/token"
	"govahi/commands/memlog"
	"govahi/domain/event"
)

// hsm is the one SoftHSM token of all tests: the module reads its directory once
// a process.
var hsm struct {
	ca, next, responder *token.Key // next is a further issuer's
	wrapping            *token.WrappingKey
	issuer, later, root []byte
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "softhsm")
	if err == nil {
		err = makeHSM(dir)
	}
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

func makeHSM(dir string) error {
	if err := errors.Join(token.WriteSoftHSM(dir, dir), token.UseSoftHSM(dir)); err != nil {
		return err
	}
	info, err := token.Initialise(token.SoftHSMModule, "test", "1234")
	if err != nil {
		return err
	}
	t, err := token.Open(token.Config{Module: token.SoftHSMModule, Serial: info.Serial, PIN: "1234"})
	if err != nil {
		return err
	}
	var errs [4]error
	hsm.ca, errs[0] = t.GenerateKey("issuer", token.P256)
	hsm.responder, errs[1] = t.GenerateKey("responder", token.P256)
	hsm.wrapping, errs[2] = t.GenerateWrappingKey("wrapping")
	hsm.next, errs[3] = t.GenerateKey("issuer-2", token.P384)
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	return certify()
}

func certify() error {
	rootKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return err
	}
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(10, 0, 0),
			Subject:  pkix.Name{Country: []string{"IR"}, Organization: []string{"Test"}, CommonName: name},
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
		}
	}
	if hsm.root, err = x509.CreateCertificate(rand.Reader, template("Root"), template("Root"), rootKey.Public(), rootKey); err != nil {
		return err
	}
	root, err := x509.ParseCertificate(hsm.root)
	if err != nil {
		return err
	}
	if hsm.issuer, err = x509.CreateCertificate(rand.Reader, template("CA"), root, hsm.ca.Public(), rootKey); err != nil {
		return err
	}
	hsm.later, err = x509.CreateCertificate(rand.Reader, template("CA 2"), root, hsm.next.Public(), rootKey)
	return err
}

// counting counts what a key signs.
type counting struct {
	crypto.Signer
	n    atomic.Int64
	fail error
}

func (c *counting) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	if c.fail != nil {
		return nil, c.fail
	}
	c.n.Add(1)
	return c.Signer.Sign(r, digest, o)
}

// house is an authority, a log and a signer.
type house struct {
	*pki.Authority
	log    event.Log
	ca     *counting
	server *signer.Server
	client *signer.Client
	exits  chan error
	by     signertest.Confirmer
}

func newHouse(t testing.TB, log event.Log) *house {
	t.Helper()
	a, err := pki.Open(hsm.issuer, hsm.root, pki.Under("http://ca.example.ir"))
	must(t, err)
	h := &house{Authority: a, log: log, ca: &counting{Signer: hsm.ca}, exits: make(chan error, 1)}
	h.server, err = signer.New(h.config("one"))
	must(t, err)
	h.client = h.serve(t, h.server)
	h.by = signertest.Certify(t, log, h, h.client.SignCertificate, cms.Sign)
	h.ca.n.Store(0)
	return h
}

func (h *house) config(id string) signer.Config {
	return signer.Config{
		ID: id, Log: h.log, Issuers: []signer.Issuer{{Certificate: h.Certificate(), Key: h.ca}}, Profiles: profiles.Default(), Signatures: cms.Verifier{}, Clock: time.Now,
		Keys: signer.Keys{Responder: hsm.responder, Wrapping: hsm.wrapping, AtOnce: 4, Lost: token.Lost},
		Exit: func(err error) { h.exits <- err },
	}
}

// serve listens on a Unix socket, as the process does.
func (h *house) serve(t testing.TB, s http.Handler) *signer.Client {
	t.Helper()
	dir, err := os.MkdirTemp("", "sock") // t.TempDir may be too long for a socket
	must(t, err)
	socket := filepath.Join(dir, "s")
	l, err := signer.Listen(socket)
	must(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- signer.Serve(ctx, l, s) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = os.RemoveAll(dir)
	})
	return signer.NewClient(socket)
}

type story = signertest.Story

const (
	applicant = signertest.Applicant
	officer   = signertest.Officer
)

func asIs(*story) {}

// intend tells a whole story up to the intent.
func (h *house) intend(t testing.TB, change func(*story)) (event.Stream, uint64, []byte) {
	t.Helper()
	return signertest.Intend(t, h.log, h, h.by, change)
}

func (h *house) read(t testing.TB, stream event.Stream) []event.Recorded {
	t.Helper()
	return signertest.Read(t, h.log, stream)
}

func add[S any](t testing.TB, log event.Log, kind event.Kind[S], stream event.Stream, at int, e event.Event) uint64 {
	t.Helper()
	return signertest.Add(t, log, kind, stream, at, e)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newMemory() event.Log { return memlog.New() }
