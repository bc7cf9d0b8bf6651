package commands_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/event"
	"govahi/domain/issuer"
)

// ca is a real authority with its key at hand.
type ca struct {
	*pki.Authority
	key     crypto.Signer
	refuses error // of Prepare
	ended   issuer.Ending
}

// Ended is what the CA's directory says, if the test has it say anything.
func (c *ca) Ended() issuer.Ending { return c.ended }

// Prepare refuses if the test says so.
func (c *ca) Prepare(d commands.Draft) (commands.Prepared, error) {
	if c.refuses != nil {
		return commands.Prepared{}, c.refuses
	}
	return c.Authority.Prepare(d)
}

type ceremony struct {
	authority *pki.Authority
	key       crypto.Signer
	elder     ca // which the authority came beside
}

var held = sync.OnceValues(func() (ceremony, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		return ceremony{}, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return ceremony{}, err
	}
	root, err := certified("Test Root", nil, rootKey.Public(), rootKey)
	if err != nil {
		return ceremony{}, err
	}
	issuer, err := certified("Test CA", root, key.Public(), rootKey)
	if err != nil {
		return ceremony{}, err
	}
	a, err := pki.Open(issuer.Raw, root.Raw, pki.Under("http://ca.example.ir"))
	if err != nil {
		return ceremony{}, err
	}
	elderKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return ceremony{}, err
	}
	before, err := certified("Test CA of Old", root, elderKey.Public(), rootKey)
	if err != nil {
		return ceremony{}, err
	}
	elder, err := pki.Open(before.Raw, root.Raw, pki.Under("http://ca.example.ir"))
	return ceremony{a, key, ca{Authority: elder, key: elderKey}}, err
})

// succeeds has the house's issuer come beside an elder one.
func (h *house) succeeds() *ca {
	h.t.Helper()
	c, err := held()
	if err != nil {
		h.t.Fatal(err)
	}
	elder := c.elder
	h.Elder = []commands.Authority{&elder}
	h.signer.elder = &elder
	if err := h.IntroduceIssuers(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	return &elder
}

func certified(name string, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(len(name))), NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(20, 0, 0),
		Subject:  pkix.Name{Country: []string{"IR"}, Organization: []string{"Test"}, CommonName: name},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func theCA(t *testing.T) *ca {
	t.Helper()
	c, err := held()
	if err != nil {
		t.Fatal(err)
	}
	return &ca{Authority: c.authority, key: c.key}
}

func (h *house) ca() *ca { return h.signer.ca }

// elderly is the elder issuer's fingerprint; that of nobody if there is one issuer.
func (s *signer) elderly() string {
	if s.elder == nil {
		return "none"
	}
	return s.elder.Issuer()
}

// signer does as adapters/signer: it reads the intent, appends SigningStarted,
// and signs once.
type signer struct {
	ca      *ca
	elder   *ca // nil if there is one issuer
	log     event.Log
	fails   error // instead of signing
	after   bool  // it fails after it appended SigningStarted
	before  func()
	gone    *ca      // whose key was destroyed
	signed  []string // hashes of everything that the key ever signed
	officer []byte   // certificate that came with the latest question
}

var errNoSigner = errors.New("no signer answers")

// SignCertificate fences and signs.
func (s *signer) SignCertificate(ctx context.Context, stream event.Stream, revision uint64, tbs, officer []byte) ([]byte, string, error) {
	s.officer = officer
	return s.fenced(tbs, func() error {
		return fence(ctx, s.log, certificate.Kind, stream, revision, func(certificate.Certificate) event.Command[certificate.Certificate] {
			return certificate.StartSigning{Signer: "test", TBSHash: hash(tbs), At: noon}
		})
	})
}

// Ready is away like the signer.
func (s *signer) Ready(context.Context) error {
	if s.before != nil {
		s.before()
	}
	if errors.Is(s.fails, commands.ErrSignerAway) {
		return s.fails
	}
	return nil
}

// SignCRL does so for a list.
func (s *signer) SignCRL(ctx context.Context, stream event.Stream, revision uint64, tbs []byte) ([]byte, string, error) {
	if s.gone != nil && stream == crl.Kind.Stream(s.gone.Issuer()) {
		return nil, "", issuer.ErrKeyGone
	}
	return s.fenced(tbs, func() error {
		return fence(ctx, s.log, crl.Kind, stream, revision, func(now crl.Series) event.Command[crl.Series] {
			return crl.StartSigning{Number: now.Intent.Number, TBSHash: hash(tbs), Signer: "test", At: noon}
		})
	})
}

func (s *signer) fenced(tbs []byte, fence func() error) ([]byte, string, error) {
	if s.before != nil {
		s.before()
	}
	if s.fails != nil && !s.after {
		return nil, "", s.fails
	}
	if err := fence(); err != nil {
		return nil, "", err
	}
	if s.fails != nil {
		return nil, "", s.fails
	}
	der, err := s.sign(tbs)
	return der, "test", err
}

// fence decides on the stream as it is and appends behind the intent.
func fence[S any](ctx context.Context, log event.Log, kind event.Kind[S], stream event.Stream, revision uint64, start func(S) event.Command[S]) error {
	var s S
	for r, err := range log.Read(ctx, stream, 0) {
		if err != nil {
			return err
		}
		e, err := kind.Catalog.Open(r)
		if err != nil {
			return err
		}
		s = kind.Evolve(s, e)
	}
	events, err := start(s).Decide(s)
	if err != nil {
		return err
	}
	meta := event.Meta{CommandID: fmt.Sprintf("signer/%s@%d", stream, revision), Actor: "signer", At: noon}
	proposed, err := kind.Encode(ctx, nil, stream, meta, events)
	if err != nil {
		return err
	}
	_, err = log.Append(ctx, stream, event.Expected(revision), proposed...)
	return err
}

// sign makes the outer structure of RFC 5280 §4.1.1 around the bytes.
func (s *signer) sign(tbs []byte) ([]byte, error) {
	algorithm, err := algorithmOf(tbs)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs)
	by := s.ca
	if s.elder != nil && bytes.Contains(tbs, s.elder.Certificate().RawSubject) {
		by = s.elder
	}
	signature, err := by.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	s.signed = append(s.signed, hash(tbs))
	return asn1.Marshal(struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, algorithm, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
}

// algorithmOf is the first sequence in the to-be-signed bytes.
func algorithmOf(tbs []byte) (part asn1.RawValue, err error) {
	var whole asn1.RawValue
	if _, err = asn1.Unmarshal(tbs, &whole); err != nil {
		return part, err
	}
	for rest := whole.Bytes; err == nil && (part.Tag != asn1.TagSequence || part.Class != 0); {
		rest, err = asn1.Unmarshal(rest, &part)
	}
	return part, err
}

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// newCSR is a certification request of a new key.
func newCSR(t *testing.T) []byte {
	t.Helper()
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, otherKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

func otherKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
