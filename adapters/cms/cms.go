// Package cms is the officer's signature on what he confirms: SignedData of RFC
// 5652, detached, without the signer's certificate, which names him and so has
// no place in clear beside the record.
package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"

	"github.com/smallstep/pkcs7"

	"govahi/domain/fault"
)

// The refusals.
var (
	ErrMalformed = fault.New(fault.Invalid, "signature-malformed",
		"امضای تأیید (CMS) خوانده نمی‌شود؛ پرونده را دوباره با توکن خود امضا کنید.",
		"The signature of the confirmation (CMS) cannot be read; sign the record again with your own token.").At("signature")
	ErrWrong = fault.New(fault.Invalid, "signature-wrong",
		"امضا از آنِ این پرونده یا این گواهی نیست؛ پرونده‌ای را که می‌بینید با توکن خود امضا کنید.",
		"The signature is not of this record, or not by this certificate; sign the record that you see with your own token.").At("signature")
)

// longest bounds a signature that is worth looking at: one signer, no certificates.
const longest = 8 << 10

// Sign signs a statement with the key of a certificate.
func Sign(statement []byte, c *x509.Certificate, key crypto.Signer) ([]byte, error) {
	s, err := pkcs7.NewSignedData(statement)
	if err != nil {
		return nil, err
	}
	s.SetDigestAlgorithm(pkcs7.OIDDigestAlgorithmSHA256)
	if err := s.AddSigner(c, key, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, err
	}
	s.Detach()
	inner, err := asn1.Marshal(*s.GetSignedData()) // not by Finish, which adds the certificate
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}{pkcs7.OIDSignedData, asn1.RawValue{Class: asn1.ClassContextSpecific, IsCompound: true, Bytes: inner}})
}

// parse accepts what Sign makes and nothing else: one signer, signed attributes,
// nothing unsigned, no content.
func parse(der []byte) (*pkcs7.PKCS7, error) {
	if len(der) > longest {
		return nil, ErrMalformed
	}
	p, err := pkcs7.Parse(der)
	if err != nil || len(p.Signers) != 1 || len(p.Content) > 0 || len(p.Certificates) > 0 || len(p.CRLs) > 0 {
		return nil, ErrMalformed
	}
	s := p.Signers[0]
	if len(s.AuthenticatedAttributes) == 0 || len(s.UnauthenticatedAttributes) > 0 || s.IssuerAndSerialNumber.SerialNumber == nil {
		return nil, ErrMalformed
	}
	if !s.DigestAlgorithm.Algorithm.Equal(pkcs7.OIDDigestAlgorithmSHA256) {
		return nil, ErrMalformed
	}
	return p, nil
}

// Serial is that of the certificate that a signature names, lower-case
// hexadecimal.
func Serial(der []byte) (string, error) {
	p, err := parse(der)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(p.Signers[0].IssuerAndSerialNumber.SerialNumber.Bytes()), nil
}

// Check verifies that the signature is over the statement, by the key of the
// certificate, and made while that was valid (RFC 5652 §5.4, §5.6).
func Check(der, statement, certificate []byte) error {
	p, err := parse(der)
	if err != nil {
		return err
	}
	c, err := x509.ParseCertificate(certificate)
	if err != nil {
		return err
	}
	var kind asn1.ObjectIdentifier
	if err := p.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &kind); err != nil || !kind.Equal(pkcs7.OIDData) {
		return ErrMalformed
	}
	if !names(p, c) {
		return ErrWrong
	}
	p.Content, p.Certificates = statement, []*x509.Certificate{c}
	if p.Verify() != nil {
		return ErrWrong
	}
	return nil
}

// names compares issuer and serial byte for byte.
func names(p *pkcs7.PKCS7, c *x509.Certificate) bool {
	signer := p.Signers[0].IssuerAndSerialNumber
	return bytes.Equal(signer.IssuerName.FullBytes, c.RawIssuer) && signer.SerialNumber.Cmp(c.SerialNumber) == 0
}

// Verifier is the package's Serial and Check, for who asks for them by an
// interface.
type Verifier struct{}

// Serial is Serial.
func (Verifier) Serial(der []byte) (string, error) { return Serial(der) }

// Check is Check.
func (Verifier) Check(der, statement, certificate []byte) error {
	return Check(der, statement, certificate)
}
