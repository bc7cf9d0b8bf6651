package cms_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/smallstep/pkcs7"

	"govahi/adapters/cms"
)

func certified(t *testing.T, key crypto.Signer, from, to time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x6701), Subject: pkix.Name{CommonName: "Sample Officer [RA]"}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func keys(t *testing.T) map[string]crypto.Signer {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return map[string]crypto.Signer{"P-256": ec, "P-384": p384, "RSA-2048": r}
}

var statement = []byte("what was confirmed")

func TestASignatureIsOverThisStatementByThisCertificate(t *testing.T) {
	now := time.Now()
	for name, key := range keys(t) {
		t.Run(name, func(t *testing.T) {
			c := certified(t, key, now.Add(-time.Hour), now.Add(time.Hour))
			der, err := cms.Sign(statement, c, key)
			must(t, err)
			must(t, cms.Check(der, statement, c.Raw))
			if serial, err := cms.Serial(der); err != nil || serial != "6701" {
				t.Errorf("the signature names %q, %v", serial, err)
			}
			refused(t, cms.ErrWrong, cms.Check(der, []byte("something else"), c.Raw))
			other := certified(t, keys(t)["P-256"], now.Add(-time.Hour), now.Add(time.Hour))
			refused(t, cms.ErrWrong, cms.Check(der, statement, other.Raw))
			byOpenSSL(t, der, c)
		})
	}
}

// byOpenSSL has a foreign verifier look at it.
func byOpenSSL(t *testing.T, der []byte, c *x509.Certificate) {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{"sig": der, "text": statement, "cert": c.Raw} {
		must(t, os.WriteFile(filepath.Join(dir, name), data, 0o600))
	}
	out, err := exec.CommandContext(t.Context(), "openssl", "cms", "-verify", "-inform", "DER", "-in", filepath.Join(dir, "sig"), "-binary",
		"-content", filepath.Join(dir, "text"), "-certfile", filepath.Join(dir, "cert"), "-noverify", "-out", os.DevNull).CombinedOutput()
	if err != nil {
		t.Errorf("openssl: %v: %s", err, out)
	}
}

func TestAnyChangedByteIsNoticed(t *testing.T) {
	key := keys(t)["P-256"]
	c := certified(t, key, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	der, err := cms.Sign(statement, c, key)
	must(t, err)
	for i := range der {
		changed := append([]byte{}, der...)
		changed[i] ^= 0x01
		if cms.Check(changed, statement, c.Raw) == nil && !harmless(t, changed, der) {
			t.Errorf("byte %d of %d may be changed", i, len(der))
		}
	}
}

// harmless are versions and algorithm identifiers that nothing depends on: the
// signature itself and what it covers are the same.
func harmless(t *testing.T, changed, der []byte) bool {
	t.Helper()
	a, err := pkcs7.Parse(changed)
	must(t, err)
	b, err := pkcs7.Parse(der)
	must(t, err)
	return string(a.Signers[0].EncryptedDigest) == string(b.Signers[0].EncryptedDigest) &&
		a.Signers[0].IssuerAndSerialNumber.SerialNumber.Cmp(b.Signers[0].IssuerAndSerialNumber.SerialNumber) == 0
}

func TestWhatIsNoConfirmationIsRefused(t *testing.T) {
	key, now := keys(t)["P-256"], time.Now()
	c := certified(t, key, now.Add(-time.Hour), now.Add(time.Hour))
	of := func(change func(*pkcs7.SignedData)) []byte {
		s, err := pkcs7.NewSignedData(statement)
		must(t, err)
		s.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
		change(s)
		der, err := s.Finish()
		must(t, err)
		return der
	}
	signed := func(s *pkcs7.SignedData) { must(t, s.AddSigner(c, key, pkcs7.SignerInfoConfig{})) }
	for name, der := range map[string][]byte{
		"nothing": nil, "garbage": []byte("0\x80garbage"), "too long": make([]byte, 9<<10),
		"with content and certificate": of(signed),
		"with a certificate":           of(func(s *pkcs7.SignedData) { signed(s); s.Detach() }),
		"two signers":                  of(func(s *pkcs7.SignedData) { signed(s); signed(s); s.Detach() }),
		"no signer":                    of(func(s *pkcs7.SignedData) { s.Detach() }),
	} {
		t.Run(name, func(t *testing.T) { refused(t, cms.ErrMalformed, cms.Check(der, statement, c.Raw)) })
	}
	over := certified(t, key, now.Add(-2*time.Hour), now.Add(-time.Hour))
	der, err := cms.Sign(statement, over, key)
	must(t, err)
	refused(t, cms.ErrWrong, cms.Check(der, statement, over.Raw))
}

func refused(t *testing.T, want, got error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
