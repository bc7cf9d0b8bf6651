// Package pki knows the issuer's certificate: what its certificates and
// revocation lists say, and whether they may say it (pki.md §2). It makes
// to-be-signed bytes and checks signed ones; it holds no key of the issuer.
package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"govahi/adapters/pki/profiles"
	"govahi/commands"
	"govahi/domain/issuer"
	"govahi/domain/profile"
)

// Config is what certificates say beside their subject's own data.
type Config struct {
	CRL               string // http URL of the revocation list
	OCSP              string // http URL of the responder
	IssuerCertificate string // http URL of the issuer's certificate, DER
	CPS               string // URL of the certification practice statement, where the profile names none
	Profiles          profile.Set
	Ended             issuer.Ending // as the CA's directory has it; empty if it issues
}

// Under places everything that relying parties fetch under one http URL, as the
// public listener serves it: RFC 5280 §8 warns against https here. The profiles
// are those that come with the program; their policies lie in the arc that RFC
// 5612 sets aside for examples, for the national root assigns the real ones.
func Under(base string) Config {
	return Config{
		CRL: base + "/pki/issuer.crl", OCSP: base + "/pki/ocsp", IssuerCertificate: base + "/pki/issuer.cer",
		CPS: base + "/pki/cps", Profiles: profiles.Default(),
	}
}

// Beside is Under for an issuer that came beside the first: what is its own has
// the beginning of its certificate's SHA-256 in the address.
func Beside(base string, issuer []byte) (Config, error) {
	c := Under(base)
	certificate, err := ParseCertificate(issuer)
	if err != nil {
		return c, fmt.Errorf("pki: issuer: %w", err)
	}
	own := base + "/pki/" + ShortOf(sha256Hex(certificate.Raw))
	c.CRL, c.OCSP, c.IssuerCertificate = own+"/issuer.crl", own+"/ocsp", own+"/issuer.cer"
	return c, nil
}

// ShortOf is by what a further issuer's own things are told apart in addresses.
func ShortOf(fingerprint string) string { return fingerprint[:16] }

// Authority is one issuer.
type Authority struct {
	config      Config
	certificate *x509.Certificate
	root        *x509.Certificate
	fingerprint string
	linter      linter
	throwaway   throwaway
	crls        crlEncoder
	sketcher    sketcher
	sound       *sound
}

var _ commands.Authority = (*Authority)(nil)

// Open reads the issuer's and the root's certificates, PEM or DER, and checks
// that one stands on the other.
func Open(issuer, root []byte, config Config) (*Authority, error) {
	certificate, err := ParseCertificate(issuer)
	if err != nil {
		return nil, fmt.Errorf("pki: issuer: %w", err)
	}
	anchor, err := ParseCertificate(root)
	if err != nil {
		return nil, fmt.Errorf("pki: root: %w", err)
	}
	if err := certificate.CheckSignatureFrom(anchor); err != nil {
		return nil, fmt.Errorf("pki: the issuer is not certified by the root: %w", err)
	}
	t, err := newThrowaway(certificate)
	if err != nil {
		return nil, err
	}
	crls, err := newCRLEncoder(t)
	if err != nil {
		return nil, err
	}
	s, err := newSketcher(certificate, t, crls.algorithm)
	if err != nil {
		return nil, err
	}
	l, err := newLinter()
	return &Authority{config, certificate, anchor, sha256Hex(certificate.Raw), l, t, crls, s, &sound{}}, err
}

// ParseCertificate reads one certificate, PEM or DER.
func ParseCertificate(data []byte) (*x509.Certificate, error) {
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	return x509.ParseCertificate(data)
}

// Issuer is the SHA-256 of the issuer's certificate, hexadecimal.
func (a *Authority) Issuer() string { return a.fingerprint }

// Introduction is the certificate's name and times.
func (a *Authority) Introduction() issuer.Introduced {
	return issuer.Introduced{Name: a.certificate.Subject.CommonName, NotBefore: a.certificate.NotBefore, NotAfter: a.certificate.NotAfter}
}

// Ended is how it ended, as the CA's directory has it; empty if it did not.
func (a *Authority) Ended() issuer.Ending { return a.config.Ended }

// Profiles are those by which it issues.
func (a *Authority) Profiles() profile.Set { return a.config.Profiles }

// Certificate is the issuer's certificate.
func (a *Authority) Certificate() *x509.Certificate { return a.certificate }

// Addresses are where relying parties find its revocation list, its responder and
// its own certificate.
func (a *Authority) Addresses() (list, responder, itself string) {
	return a.config.CRL, a.config.OCSP, a.config.IssuerCertificate
}

// Root is the certificate that the issuer's stands on.
func (a *Authority) Root() *x509.Certificate { return a.root }

// throwaway is a key of the issuer's own kind, certified by nobody: by what it
// signs this package learns how the issuer's own things are written.
type throwaway struct {
	key    crypto.Signer
	issuer *x509.Certificate // a copy with the throwaway's public key
}

func newThrowaway(issuer *x509.Certificate) (throwaway, error) {
	key, err := shortKeyLike(issuer.PublicKey)
	if err != nil {
		return throwaway{}, fmt.Errorf("pki: throwaway key: %w", err)
	}
	twin := *issuer
	twin.PublicKey = key.Public()
	return throwaway{key, &twin}, nil
}

// throwawayRSA is the shortest modulus that crypto/rsa signs with. The bytes to be
// signed do not tell how long the key is that signs them, and nobody trusts this
// one: a longer one would take as long as the token.
const throwawayRSA = 1024

func shortKeyLike(public crypto.PublicKey) (crypto.Signer, error) {
	if _, ok := public.(*rsa.PublicKey); ok {
		return rsa.GenerateKey(rand.Reader, throwawayRSA)
	}
	return KeyLike(public)
}

// KeyLike makes a key of the same kind as a public one, to be thrown away.
func KeyLike(public crypto.PublicKey) (crypto.Signer, error) {
	switch p := public.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.GenerateKey(p.Curve, rand.Reader)
	case *rsa.PublicKey:
		return rsa.GenerateKey(rand.Reader, p.N.BitLen())
	}
	return nil, errors.New("the issuer's key is neither RSA nor ECDSA")
}

// NewSerial is a fresh serial, lower-case hexadecimal: a prefix byte, which
// keeps it positive and of one length, and 136 random bits. None is taken in vain while the
// issuer's own certificate is not valid.
func (a *Authority) NewSerial(at time.Time) (string, error) {
	if !a.validAt(seconds(at)) {
		return "", ErrIssuerExpired
	}
	serial := make([]byte, profile.SerialOctets)
	if _, err := rand.Read(serial[1:]); err != nil {
		return "", err
	}
	serial[0] = profile.SerialPrefix
	return hex.EncodeToString(serial), nil
}

func sha256Hex(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// CheckIssued compares a signed certificate with its to-be-signed bytes and
// verifies the issuer's signature; it returns the SHA-256 fingerprint.
func (a *Authority) CheckIssued(der, tbs []byte) (string, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil || !bytes.Equal(c.RawTBSCertificate, tbs) {
		return "", ErrOtherBytes
	}
	if err := c.CheckSignatureFrom(a.certificate); err != nil {
		return "", ErrIssuerSignature
	}
	return sha256Hex(der), nil
}

func (a *Authority) validAt(t time.Time) bool {
	return !t.Before(a.certificate.NotBefore) && t.Before(a.certificate.NotAfter)
}
