package pki

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// sketcher makes certificates that nobody signed: with the bytes to be signed by
// the issuer, and in the place of its signature one of the throwaway's over
// something else. They can be parsed and linted before the real key is touched.
//
// crypto/x509 writes a certificate only by signing it. A key of the issuer's own
// kind would take about as long as the token; an Ed25519 key is many times as
// fast, and the algorithm's name is put right after it.
type sketcher struct {
	key       ed25519.PrivateKey
	issuer    *x509.Certificate // a copy with that key's public one
	algorithm []byte            // of the issuer's signatures, DER
	signature []byte
}

func newSketcher(issuer *x509.Certificate, t throwaway, algorithm []byte) (sketcher, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return sketcher{}, err
	}
	twin := *issuer
	twin.PublicKey = public
	digest := sha256.Sum256(nil)
	signature, err := t.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	return sketcher{key, &twin, algorithm, signature}, err
}

// certificate is one for the public key, DER.
func (s sketcher) certificate(template *x509.Certificate, public crypto.PublicKey) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, s.issuer, public, s.key)
	if err != nil {
		return nil, err
	}
	var quick struct{ TBS, Algorithm, Signature asn1.RawValue }
	if _, err := asn1.Unmarshal(der, &quick); err != nil {
		return nil, err
	}
	version, serial, rest, err := begun(quick.TBS.Bytes)
	if err != nil {
		return nil, err
	}
	tbs := appendDER(nil, 0x30, slices.Concat(version, serial, s.algorithm, rest))
	return appendDER(nil, 0x30, slices.Concat(tbs, s.algorithm, appendDER(nil, 3, append([]byte{0}, s.signature...)))), nil
}

// begun takes apart what a to-be-signed certificate begins with (RFC 5280 §4.1):
// version, serial, the algorithm, which is left out, and the rest.
func begun(tbs []byte) (version, serial, rest []byte, err error) {
	var parts [3]asn1.RawValue
	rest = tbs
	for i := range parts {
		if rest, err = asn1.Unmarshal(rest, &parts[i]); err != nil {
			return nil, nil, nil, err
		}
	}
	return parts[0].FullBytes, parts[1].FullBytes, rest, nil
}
