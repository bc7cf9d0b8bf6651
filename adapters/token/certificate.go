package token

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
)

// ErrNoCertificate reports that no certificate stands beside the key.
var ErrNoCertificate = errors.New("token: no certificate beside this key")

// ErrOtherKey reports a certificate for another key than the token's.
var ErrOtherKey = errors.New("token: the certificate is for another key")

// ErrOtherCertificate reports that another certificate stands beside the key.
var ErrOtherCertificate = errors.New("token: another certificate stands beside this key")

// Request is a PKCS#10 request (RFC 2986), DER, that carries the public key and
// proves possession. It names nobody: who the holder is stands in the confirmed
// record, and nothing else of a request is taken over.
func (k *Key) Request() ([]byte, error) {
	return x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k)
}

// WriteCertificate stores the certificate beside its key. Once more is the same;
// another one is refused.
func (t *Token) WriteCertificate(k *Key, c *x509.Certificate) error {
	if !sameKey(c.PublicKey, k.Public()) {
		return ErrOtherKey
	}
	switch there, err := t.stored(k); {
	case err != nil:
		return err
	case there != nil && bytes.Equal(there.Raw, c.Raw):
		return nil
	case there != nil:
		return ErrOtherCertificate
	}
	if err := t.ctx.ImportCertificateWithLabel(k.id, []byte(k.Label), c); err != nil {
		return fmt.Errorf("token: write certificate: %w", err)
	}
	return nil
}

// RenewCertificate puts a certificate in the place of the one that it renews, of
// the same key. After a crash between the two the place is empty.
func (t *Token) RenewCertificate(k *Key, renewed, c *x509.Certificate) error {
	if !sameKey(c.PublicKey, k.Public()) {
		return ErrOtherKey
	}
	there, err := t.stored(k)
	if err != nil {
		return err
	}
	if there != nil && there.Equal(renewed) {
		if err := t.ctx.DeleteCertificate(k.id, nil, nil); err != nil {
			return fmt.Errorf("token: remove certificate: %w", err)
		}
	}
	return t.WriteCertificate(k, c)
}

// ReadCertificate reads the certificate back and has the token sign a nonce: a
// certificate that the token cannot use is found here, not by the holder.
func (t *Token) ReadCertificate(k *Key) (*x509.Certificate, error) {
	c, err := t.stored(k)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, ErrNoCertificate
	}
	return c, proves(k, c.PublicKey)
}

func (t *Token) stored(k *Key) (*x509.Certificate, error) {
	c, err := t.ctx.FindCertificate(k.id, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("token: read certificate: %w", err)
	}
	return c, nil
}

// proves checks that the private key belongs to the public one.
func proves(k crypto.Signer, public crypto.PublicKey) error {
	nonce := make([]byte, 32)
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	digest := sha256.Sum256(nonce)
	signature, err := k.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return fmt.Errorf("token: sign a nonce: %w", err)
	}
	if !verifies(public, digest[:], signature) {
		return ErrOtherKey
	}
	return nil
}

func verifies(public crypto.PublicKey, digest, signature []byte) bool {
	switch p := public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(p, crypto.SHA256, digest, signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(p, digest, signature)
	}
	return false
}

func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}
