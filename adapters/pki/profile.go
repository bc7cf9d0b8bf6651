package pki

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"time"
)

// The profiles, name@version. A version is never changed once it was used.
const (
	ProfileSignature = "cpmis-signature@1" // a natural person affiliated with an organisation
	ProfileResponder = "ocsp-responder@1"  // the issuer's delegated OCSP responder
)

// How long certificates are valid (domain §4.3: one or two years for people).
const (
	SignatureYears = 1
	ResponderLife  = 30 * 24 * time.Hour // short, for its revocation is not checked (RFC 6960 §4.2.2.2.1)
)

var (
	oidPolicies       = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidAuthorityKeyID = asn1.ObjectIdentifier{2, 5, 29, 35}
	oidCPS            = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}
	oidOCSPNoCheck    = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
)

// signature is the certificate of a person. He logs in to CPMIS with it and
// signs there, so it holds digitalSignature with clientAuth and nonRepudiation;
// never keyEncipherment, whose key would have to be escrowed (pki.md §2, key
// separation).
func (a *Authority) signature(serial *big.Int, subject []byte, email string, notBefore time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber:          serial,
		RawSubject:            subject,
		NotBefore:             notBefore,
		NotAfter:              a.capped(notBefore.AddDate(SignatureYears, 0, 0).Add(-time.Second)),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection},
		EmailAddresses:        []string{email},
		CRLDistributionPoints: []string{a.config.CRL},
		OCSPServer:            []string{a.config.OCSP},
		IssuingCertificateURL: []string{a.config.IssuerCertificate},
	}
}

// responder is the certificate of the OCSP responder's key (RFC 6960 §4.2.2.2):
// issued by the same CA, OCSPSigning, and nocheck, for nobody could answer
// whether the one who answers is revoked.
func (a *Authority) responder(serial *big.Int, notBefore time.Time) (*x509.Certificate, error) {
	subject, err := asn1.Marshal(append(a.organization(), utf8String(oidCommonName, "Govahi OCSP Responder")))
	return &x509.Certificate{
		SerialNumber:          serial,
		RawSubject:            subject,
		NotBefore:             notBefore,
		NotAfter:              a.capped(notBefore.Add(ResponderLife - time.Second)),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		IssuingCertificateURL: []string{a.config.IssuerCertificate},
		ExtraExtensions:       []pkix.Extension{{Id: oidOCSPNoCheck, Value: asn1.NullBytes}},
	}, err
}

// organization is the issuer's name without what names the issuer itself.
func (a *Authority) organization() pkix.RDNSequence {
	name := pkix.RDNSequence{printable(oidCountry, "IR")}
	for _, o := range a.certificate.Subject.Organization {
		name = append(name, utf8String(oidOrganization, o))
	}
	return name
}

// capped keeps a certificate from outliving its issuer.
func (a *Authority) capped(notAfter time.Time) time.Time {
	if notAfter.After(a.certificate.NotAfter) {
		return a.certificate.NotAfter
	}
	return notAfter
}

// policies is the policy and where its practice statement stands (RFC 5280
// §4.2.1.4). crypto/x509 writes no qualifiers.
func (a *Authority) policies() (pkix.Extension, error) {
	type qualifier struct {
		ID  asn1.ObjectIdentifier
		CPS string `asn1:"ia5"`
	}
	type information struct {
		ID         asn1.ObjectIdentifier
		Qualifiers []qualifier
	}
	value, err := asn1.Marshal([]information{{a.config.Policy, []qualifier{{oidCPS, a.config.CPS}}}})
	return pkix.Extension{Id: oidPolicies, Value: value}, err
}

// keyID names a key: the left 160 bits of the SHA-256 of its bit string
// (RFC 7093 §2, method 1).
func keyID(spki []byte) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(spki, &info); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(info.Key.RightAlign())
	return sum[:20], nil
}

func parseSerial(text string) (*big.Int, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw) > 20 {
		return nil, ErrSerial
	}
	serial := new(big.Int).SetBytes(raw)
	if hex.EncodeToString(serial.Bytes()) != text {
		return nil, ErrSerial // leading zeros or capitals: streams are named by one form only
	}
	return serial, nil
}
