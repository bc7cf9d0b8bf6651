package pki

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"testing"

	"govahi/domain/profile"
)

// TestASketchHasTheBytesThatTheStandardLibraryWouldSign, under an issuer's key of
// each kind, and names that kind's signature, which it has not.
func TestASketchHasTheBytesThatTheStandardLibraryWouldSign(t *testing.T) {
	public := keys()[profile.P256].Public()
	for _, kind := range []profile.Key{profile.RSA2048, profile.P256, profile.P384} {
		a := authorityFor(t, keys()[kind])
		for _, p := range a.Profiles().All() {
			m := mutantOf(t, a, p, profile.P256)
			der, err := a.sketcher.certificate(m.Certificate, public)
			must(t, err)
			sketch, err := x509.ParseCertificate(der)
			must(t, err)
			der, err = x509.CreateCertificate(rand.Reader, m.Certificate, a.certificate, public, keys()[kind])
			must(t, err)
			signed, err := x509.ParseCertificate(der)
			must(t, err)
			if !bytes.Equal(sketch.RawTBSCertificate, signed.RawTBSCertificate) {
				t.Errorf("%v, %s: sketched\n%x\nsigned\n%x", kind, p.ID(), sketch.RawTBSCertificate, signed.RawTBSCertificate)
			}
			if sketch.SignatureAlgorithm != signed.SignatureAlgorithm || sketch.CheckSignatureFrom(a.certificate) == nil {
				t.Errorf("%v, %s: %v instead of %v, or it verifies", kind, p.ID(), sketch.SignatureAlgorithm, signed.SignatureAlgorithm)
			}
		}
	}
}
