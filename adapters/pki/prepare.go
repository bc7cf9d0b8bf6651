package pki

import (
	"crypto/rand"
	"crypto/x509"
	"time"

	"govahi/commands"
	"govahi/domain/certificate"
)

// Prepare builds and lints the to-be-signed certificate of a person.
func (a *Authority) Prepare(d commands.Draft) (commands.Prepared, error) {
	if _, err := a.CheckCSR(d.CSR); err != nil {
		return commands.Prepared{}, err
	}
	request, err := parseCSR(d.CSR)
	if err != nil {
		return commands.Prepared{}, err
	}
	serial, err := parseSerial(d.Serial)
	if err != nil {
		return commands.Prepared{}, err
	}
	name, subjectOf, usages := ProfileSignature, subjectOf, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageEmailProtection}
	if d.Profile == certificate.OfficersProfile {
		name, subjectOf, usages = ProfileOfficer, officerOf, usages[1:]
	}
	subject, err := subjectOf(d.Form, a.config.Sector)
	if err != nil {
		return commands.Prepared{}, err
	}
	template := a.signature(serial, subject, d.Form.Email, seconds(d.NotBefore))
	template.ExtKeyUsage = usages
	policies, err := a.policies()
	if err != nil {
		return commands.Prepared{}, err
	}
	template.ExtraExtensions = append(template.ExtraExtensions, policies)
	return a.prepare(name, template, request.RawSubjectPublicKeyInfo)
}

// PrepareResponder does so for the OCSP responder's own certificate; the key is
// a SubjectPublicKeyInfo, DER.
func (a *Authority) PrepareResponder(serial string, publicKey []byte, notBefore time.Time) (commands.Prepared, error) {
	n, err := parseSerial(serial)
	if err != nil {
		return commands.Prepared{}, err
	}
	template, err := a.responder(n, seconds(notBefore))
	if err != nil {
		return commands.Prepared{}, err
	}
	return a.prepare(ProfileResponder, template, publicKey)
}

// prepare signs with the throwaway key, lints what came out, and keeps the
// to-be-signed part.
func (a *Authority) prepare(profile string, template *x509.Certificate, spki []byte) (commands.Prepared, error) {
	public, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return commands.Prepared{}, ErrKeyType
	}
	if !a.validAt(template.NotBefore) {
		return commands.Prepared{}, ErrIssuerExpired
	}
	if template.SubjectKeyId, err = keyID(spki); err != nil {
		return commands.Prepared{}, ErrKeyType
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.throwaway.issuer, public, a.throwaway.key)
	if err != nil {
		return commands.Prepared{}, err
	}
	return a.prepared(profile, der)
}

func (a *Authority) prepared(profile string, der []byte) (commands.Prepared, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return commands.Prepared{}, err
	}
	verdict, err := a.linter.certificate(der)
	if err != nil {
		return commands.Prepared{}, err
	}
	return commands.Prepared{
		TBS:       c.RawTBSCertificate,
		TBSHash:   sha256Hex(c.RawTBSCertificate),
		KeyHash:   sha256Hex(c.RawSubjectPublicKeyInfo),
		Profile:   profile,
		Issuer:    a.fingerprint,
		Lint:      verdict,
		NotBefore: c.NotBefore,
		NotAfter:  c.NotAfter,
	}, nil
}

// seconds is the resolution of times in certificates (RFC 5280 §4.1.2.5).
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
