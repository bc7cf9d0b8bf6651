package pki

import (
	"crypto/x509"
	"time"

	"govahi/commands"
	"govahi/domain/profile"
)

// Prepare builds and lints the to-be-signed certificate that the draft's profile
// makes of its form.
func (a *Authority) Prepare(d commands.Draft) (commands.Prepared, error) {
	csr, err := a.checked(d.CSR)
	if err != nil {
		return commands.Prepared{}, err
	}
	return a.build(d.Profile, d.Serial, csr.RawSubjectPublicKeyInfo, particularsOf(d.Form), d.NotBefore)
}

// PrepareResponder does so for the OCSP responder's own certificate; the key is
// a SubjectPublicKeyInfo, DER.
func (a *Authority) PrepareResponder(serial string, publicKey []byte, notBefore time.Time) (commands.Prepared, error) {
	p, _ := a.config.Profiles.Responder() // every set has one
	return a.build(p, serial, publicKey, particulars{}, notBefore)
}

func (a *Authority) build(p profile.Profile, serial string, spki []byte, from particulars, notBefore time.Time) (commands.Prepared, error) {
	n, err := parseSerial(serial)
	if err != nil {
		return commands.Prepared{}, err
	}
	public, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return commands.Prepared{}, ErrKeyType
	}
	key, ok := profile.KeyOf(public)
	if !ok || !p.Allows(key) {
		return commands.Prepared{}, errKeyKind(p)
	}
	template, err := a.template(p, request{n, from, key, seconds(notBefore)})
	if err != nil {
		return commands.Prepared{}, err
	}
	return a.prepare(p, template, spki)
}

// prepare lints a certificate under a signature that is none, and keeps the
// to-be-signed part.
func (a *Authority) prepare(p profile.Profile, template *x509.Certificate, spki []byte) (commands.Prepared, error) {
	public, err := x509.ParsePKIXPublicKey(spki)
	if err != nil {
		return commands.Prepared{}, ErrKeyType
	}
	if !a.validAt(template.NotBefore) {
		return commands.Prepared{}, ErrIssuerExpired
	}
	if template.SubjectKeyId, err = profile.KeyIdentifier(spki); err != nil {
		return commands.Prepared{}, ErrKeyType
	}
	der, err := a.sketcher.certificate(template, public)
	if err != nil {
		return commands.Prepared{}, err
	}
	return a.prepared(p, der)
}

func (a *Authority) prepared(p profile.Profile, der []byte) (commands.Prepared, error) {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return commands.Prepared{}, err
	}
	verdict, err := a.linter.profiled(c, p, a.certificate)
	if err != nil {
		return commands.Prepared{}, err
	}
	return commands.Prepared{
		TBS:         c.RawTBSCertificate,
		TBSHash:     sha256Hex(c.RawTBSCertificate),
		KeyHash:     sha256Hex(c.RawSubjectPublicKeyInfo),
		Profile:     p.ID(),
		ProfileHash: p.Hash(),
		Issuer:      a.fingerprint,
		Lint:        verdict,
		NotBefore:   c.NotBefore,
		NotAfter:    c.NotAfter,
	}, nil
}

// seconds is the resolution of times in certificates (RFC 5280 §4.1.2.5).
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
