package pki_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"math/big"
	"testing"

	"govahi/adapters/pki"
	"govahi/domain/fault"
)

// FuzzCSR: whatever is sent, the answer is a fault that blames the field, or the
// hash of a key that a second look finds sound, for a certificate that is the
// profile's.
func FuzzCSR(f *testing.F) {
	c := newCA(f, p256(f))
	f.Add(request(f, p256(f)))
	f.Add(request(f, rsaKey(f, 2048)))
	f.Add(greedy(f))
	f.Add(pemOf("CERTIFICATE REQUEST", greedy(f)))
	for _, key := range [][]byte{
		rsaSPKI(f, odd(2048), big.NewInt(1)), rsaSPKI(f, odd(1024), big.NewInt(65537)), ecSPKI(f, ecPublicKey, 32),
		ecSPKI(f, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, 32), c.Certificate().RawSubjectPublicKeyInfo,
	} {
		f.Add(forge(f, key, sha256WithRSA, func([]byte) []byte { return make([]byte, 256) }))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		der := pki.DecodeCSR(data)
		hash, err := c.CheckCSR(der)
		if err != nil {
			if refusal, ok := fault.Of(err); !ok || refusal.Kind != fault.Invalid || refusal.Field != "csr" {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		secondLook(t, der, hash)
		p, err := c.Prepare(c.draft(t, form(), der))
		must(t, err)
		if p.KeyHash != hash {
			t.Fatal("prepared for another key")
		}
	})
}

func secondLook(t *testing.T, der []byte, hash string) {
	t.Helper()
	r, err := x509.ParseCertificateRequest(der)
	must(t, err)
	must(t, r.CheckSignature())
	if sum := sha256.Sum256(r.RawSubjectPublicKeyInfo); hex.EncodeToString(sum[:]) != hash || len(r.Raw) != len(der) {
		t.Fatal("the hash is of something else")
	}
	switch k := r.PublicKey.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 || k.N.Bit(0) == 0 || k.E < 65537 || k.E%2 == 0 {
			t.Fatalf("a weak key of %d bits, e = %d", k.N.BitLen(), k.E)
		}
	case *ecdsa.PublicKey:
		if (k.Curve != elliptic.P256() && k.Curve != elliptic.P384()) || offCurve(k) {
			t.Fatalf("a key on %s", k.Curve.Params().Name)
		}
	default:
		t.Fatalf("a %T", k)
	}
}

func offCurve(k *ecdsa.PublicKey) bool {
	_, err := k.ECDH()
	return err != nil
}
