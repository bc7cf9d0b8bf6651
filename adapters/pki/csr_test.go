package pki_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"testing"

	"govahi/adapters/pki"
	"govahi/domain/fault"
)

func TestCSRsThatAreRefused(t *testing.T) {
	c := newCA(t, p256(t))
	good := request(t, p256(t))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	for name, r := range map[string]struct {
		csr  []byte
		want *fault.Fault
	}{
		"nothing":             {nil, pki.ErrCSRMalformed},
		"no DER":              {[]byte("hello"), pki.ErrCSRMalformed},
		"PEM":                 {pemOf("CERTIFICATE REQUEST", good), pki.ErrCSRMalformed},
		"cut":                 {good[:len(good)-3], pki.ErrCSRMalformed},
		"trailing data":       {append(append([]byte{}, good...), 0), pki.ErrCSRMalformed},
		"a certificate":       {c.Certificate().Raw, pki.ErrCSRMalformed},
		"signature altered":   {flipped(good), pki.ErrCSRSignature},
		"signed by another":   {foreign(t), pki.ErrCSRSignature},
		"RSA 1024":            {weakRSA(t, 1024, 65537), pki.ErrKeyWeak},
		"RSA 2047":            {weakRSA(t, 2047, 65537), pki.ErrKeyWeak},
		"RSA 2560":            {weakRSA(t, 2560, 65537), pki.ErrKeyType},
		"RSA exponent 3":      {weakRSA(t, 2048, 3), pki.ErrKeyExponent},
		"RSA exponent 65536":  {weakRSA(t, 2048, 65536), pki.ErrKeyExponent},
		"Ed25519":             {request(t, ed), pki.ErrKeyType},
		"P-224":               {request(t, p224), pki.ErrKeyType},
		"RSA signed by SHA-1": {sha1Request(t), pki.ErrCSRDigest},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.CheckCSR(r.csr)
			wantFault(t, err, r.want)
			_, err = c.Prepare(c.draft(t, form(), r.csr))
			wantFault(t, err, r.want)
		})
	}
}

func TestCSRsThatAreTaken(t *testing.T) {
	c := newCA(t, p256(t))
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	for name, k := range map[string]crypto.Signer{"RSA 2048": rsaKey(t, 2048), "RSA 3072": rsaKey(t, 3072), "P-256": p256(t), "P-384": p384} {
		csr := request(t, k)
		hash, err := c.CheckCSR(csr)
		must(t, err)
		spki, err := x509.MarshalPKIXPublicKey(k.Public())
		must(t, err)
		if want := sha256.Sum256(spki); hash != hex.EncodeToString(want[:]) {
			t.Errorf("%s: key hash %s", name, hash)
		}
		p, err := c.Prepare(c.draft(t, form(), pki.DecodeCSR(pemOf("CERTIFICATE REQUEST", csr))))
		must(t, err)
		if p.KeyHash != hash {
			t.Errorf("%s: the certificate is for another key", name)
		}
	}
}

// flipped changes the last byte, which is part of the signature's s.
func flipped(csr []byte) []byte {
	out := append([]byte{}, csr...)
	out[len(out)-1] ^= 1
	return out
}

// forge builds a request for one key with the signature of whatever is given.
func forge(t testing.TB, spki []byte, algorithm asn1.ObjectIdentifier, signature func(info []byte) []byte) []byte {
	t.Helper()
	type identifier struct {
		OID        asn1.ObjectIdentifier
		Parameters asn1.RawValue `asn1:"optional"`
	}
	info, err := asn1.Marshal(struct {
		Version    int
		Subject    asn1.RawValue
		Key        asn1.RawValue
		Attributes asn1.RawValue
	}{0, asn1.RawValue{FullBytes: []byte{0x30, 0}}, asn1.RawValue{FullBytes: spki}, asn1.RawValue{FullBytes: []byte{0xa0, 0}}})
	must(t, err)
	s := signature(info)
	csr, err := asn1.Marshal(struct {
		Info      asn1.RawValue
		Algorithm identifier
		Signature asn1.BitString
	}{asn1.RawValue{FullBytes: info}, identifier{OID: algorithm, Parameters: asn1.NullRawValue}, asn1.BitString{Bytes: s, BitLength: 8 * len(s)}})
	must(t, err)
	return csr
}

var (
	sha256WithRSA = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	sha1WithRSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 5}
)

func foreign(t *testing.T) []byte {
	t.Helper()
	a, b := rsaKey(t, 2048), rsaKey(t, 2048)
	spki, err := x509.MarshalPKIXPublicKey(a.Public())
	must(t, err)
	return forge(t, spki, sha256WithRSA, func(info []byte) []byte {
		digest := sha256.Sum256(info)
		s, err := rsa.SignPKCS1v15(nil, b, crypto.SHA256, digest[:])
		must(t, err)
		return s
	})
}

// weakRSA needs no working key: weakness is seen before the signature.
func weakRSA(t *testing.T, bits, e int) []byte {
	t.Helper()
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	spki, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n.Add(n, big.NewInt(1)), E: e})
	must(t, err)
	return forge(t, spki, sha256WithRSA, func([]byte) []byte { return make([]byte, bits/8) })
}

func sha1Request(t *testing.T) []byte {
	t.Helper()
	k := rsaKey(t, 2048)
	spki, err := x509.MarshalPKIXPublicKey(k.Public())
	must(t, err)
	return forge(t, spki, sha1WithRSA, func(info []byte) []byte {
		h := crypto.SHA1.New()
		h.Write(info)
		s, err := rsa.SignPKCS1v15(nil, k, crypto.SHA1, h.Sum(nil))
		must(t, err)
		return s
	})
}

func TestARequestComesAsPEMBase64OrDER(t *testing.T) {
	der := []byte{0x30, 0x03, 0x02, 0x01, 0x00}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	for name, text := range map[string][]byte{"PEM": block, "base64": []byte(base64.StdEncoding.EncodeToString(der) + "\n"), "DER": der} {
		if got := pki.DecodeCSR(text); !bytes.Equal(got, der) {
			t.Errorf("%s: %x", name, got)
		}
	}
}
