package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"

	"govahi/adapters/pki"
	"govahi/domain/fault"
)

// TestKeysThatAreRefused are keys that no applicant may have, some of which the
// usual tools do not even make. Each is looked at before the signature, which
// here is no more than its form.
func TestKeysThatAreRefused(t *testing.T) {
	c := newCA(t, p256(t))
	n := rsaKey(t, 2048).N
	for name, r := range map[string]struct {
		spki []byte
		want *fault.Fault
	}{
		"RSA 512":                {rsaSPKI(t, odd(512), big.NewInt(65537)), pki.ErrKeyWeak},
		"RSA 1024":               {rsaSPKI(t, odd(1024), big.NewInt(65537)), pki.ErrKeyWeak},
		"RSA 16384":              {rsaSPKI(t, odd(16384), big.NewInt(65537)), pki.ErrKeyType},
		"RSA exponent 1":         {rsaSPKI(t, n, big.NewInt(1)), pki.ErrKeyExponent},
		"RSA exponent 3":         {rsaSPKI(t, n, big.NewInt(3)), pki.ErrKeyExponent},
		"RSA exponent even":      {rsaSPKI(t, n, big.NewInt(65538)), pki.ErrKeyExponent},
		"RSA exponent 2^31+1":    {rsaSPKI(t, n, big.NewInt(1<<31+1)), pki.ErrKeyExponent},
		"RSA exponent zero":      {rsaSPKI(t, n, big.NewInt(0)), pki.ErrKeyMalformed},
		"RSA exponent negative":  {rsaSPKI(t, n, big.NewInt(-65537)), pki.ErrKeyMalformed},
		"RSA exponent as long":   {rsaSPKI(t, n, n), pki.ErrKeyMalformed},
		"RSA modulus even":       {rsaSPKI(t, new(big.Int).Sub(n, big.NewInt(1)), big.NewInt(65537)), pki.ErrKeyBroken},
		"RSA modulus negative":   {rsaSPKI(t, new(big.Int).Neg(n), big.NewInt(65537)), pki.ErrKeyMalformed},
		"RSA small factor":       {rsaSPKI(t, product(t, 751, 2048), big.NewInt(65537)), pki.ErrKeyBroken},
		"RSA square":             {rsaSPKI(t, neighbours(t, false), big.NewInt(65537)), pki.ErrKeyBroken},
		"RSA factors near":       {rsaSPKI(t, neighbours(t, true), big.NewInt(65537)), pki.ErrKeyBroken},
		"RSA of a flawed token":  {rsaSPKI(t, flawed(2048), big.NewInt(65537)), pki.ErrKeyBroken},
		"P-192":                  {ecSPKI(t, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 1}, 24), pki.ErrKeyType},
		"P-521":                  {marshalled(t, generated(t, elliptic.P521())), pki.ErrKeyType},
		"secp256k1":              {ecSPKI(t, asn1.ObjectIdentifier{1, 3, 132, 0, 10}, 32), pki.ErrKeyType},
		"brainpool":              {ecSPKI(t, asn1.ObjectIdentifier{1, 3, 36, 3, 3, 2, 8, 1, 1, 7}, 32), pki.ErrKeyType},
		"curve of one's own":     {explicitCurve(t), pki.ErrKeyType},
		"point not on the curve": {ecSPKI(t, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, 32), pki.ErrKeyMalformed},
		"point at infinity":      {ecPoint(t, asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, []byte{0}), pki.ErrKeyMalformed},
		"key of an unknown kind": {unknownKind(t), pki.ErrKeyType},
		"key of the CA":          {marshalled(t, c.key.Public()), pki.ErrKeyOurs},
		"key of the root":        {c.root.RawSubjectPublicKeyInfo, pki.ErrKeyOurs},
	} {
		t.Run(name, func(t *testing.T) {
			csr := forge(t, r.spki, sha256WithRSA, func([]byte) []byte { return make([]byte, 256) })
			_, err := c.CheckCSR(csr)
			wantFault(t, err, r.want)
			_, err = c.Prepare(c.draft(t, form(), csr))
			wantFault(t, err, r.want)
			if f, ok := fault.Of(err); !ok || f.Field != "csr" || f.Text.Fa == "" || f.Text.En == "" {
				t.Errorf("says too little: %+v", f)
			}
		})
	}
}

func rsaSPKI(t testing.TB, n, e *big.Int) []byte {
	t.Helper()
	key, err := asn1.Marshal(struct{ N, E *big.Int }{n, e})
	must(t, err)
	return spki(t, pkix.AlgorithmIdentifier{
		Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, Parameters: asn1.NullRawValue,
	}, key)
}

func spki(t testing.TB, a pkix.AlgorithmIdentifier, key []byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{a, asn1.BitString{Bytes: key, BitLength: 8 * len(key)}})
	must(t, err)
	return der
}

var ecPublicKey = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}

// ecSPKI has a point whose coordinates were made up.
func ecSPKI(t testing.TB, curve asn1.ObjectIdentifier, size int) []byte {
	t.Helper()
	point := append([]byte{4}, make([]byte, 2*size)...)
	point[size], point[2*size] = 2, 7
	return ecPoint(t, curve, point)
}

func ecPoint(t testing.TB, curve asn1.ObjectIdentifier, point []byte) []byte {
	t.Helper()
	named, err := asn1.Marshal(curve)
	must(t, err)
	return spki(t, pkix.AlgorithmIdentifier{Algorithm: ecPublicKey, Parameters: asn1.RawValue{FullBytes: named}}, point)
}

// explicitCurve spells out its parameters, as CVE-2020-0601 did.
func explicitCurve(t *testing.T) []byte {
	t.Helper()
	parameters, err := asn1.Marshal(struct{ Version int }{1})
	must(t, err)
	return spki(t, pkix.AlgorithmIdentifier{Algorithm: ecPublicKey, Parameters: asn1.RawValue{FullBytes: parameters}}, []byte{4, 1, 2})
}

func unknownKind(t *testing.T) []byte {
	t.Helper()
	return spki(t, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 7}}, []byte{1, 2, 3})
}

func generated(t *testing.T, curve elliptic.Curve) crypto.PublicKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	must(t, err)
	return k.Public()
}

func marshalled(t *testing.T, public crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	must(t, err)
	return der
}

func odd(bits uint) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	return n.Add(n, big.NewInt(1))
}

// product has a small factor and otherwise a large one, of so many bits together.
func product(t *testing.T, small int64, bits int) *big.Int {
	t.Helper()
	for {
		p, err := rand.Prime(rand.Reader, bits-10)
		must(t, err)
		if n := p.Mul(p, big.NewInt(small)); n.BitLen() == bits {
			return n
		}
	}
}

// neighbours is a prime times itself, or times the next one.
func neighbours(t *testing.T, next bool) *big.Int {
	t.Helper()
	p, err := rand.Prime(rand.Reader, 1024)
	must(t, err)
	q := new(big.Int).Set(p)
	for next {
		if q.Add(q, big.NewInt(2)).ProbablyPrime(0) {
			break
		}
	}
	return q.Mul(q, p)
}

// flawed is a modulus as the flawed library makes them: a power of 65537 modulo
// the product of all primes up to 167.
func flawed(bits int) *big.Int {
	m := big.NewInt(1)
	for p := int64(2); p <= 167; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			m.Mul(m, big.NewInt(p))
		}
	}
	n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(123457), m)
	k := new(big.Int).Div(odd(uint(bits)), m)
	for n.Add(n, k.Mul(k, m)); hasSmallFactor(n); n.Add(n, m) {
	}
	return n
}

func hasSmallFactor(n *big.Int) bool {
	for p := int64(2); p < 752; p++ {
		if new(big.Int).Mod(n, big.NewInt(p)).Sign() == 0 {
			return true
		}
	}
	return false
}

func TestSignaturesThatAreRefused(t *testing.T) {
	c := newCA(t, p256(t))
	k := rsaKey(t, 2048)
	key := marshalled(t, k.Public())
	signed := func(h crypto.Hash) func([]byte) []byte {
		return func(info []byte) []byte {
			hash := h.New()
			hash.Write(info)
			s, err := rsa.SignPKCS1v15(nil, k, h, hash.Sum(nil))
			must(t, err)
			return s
		}
	}
	for name, r := range map[string]struct {
		csr  []byte
		want *fault.Fault
	}{
		"as it should be": {forge(t, key, sha256WithRSA, signed(crypto.SHA256)), nil},
		"SHA-1":           {forge(t, key, sha1WithRSA, signed(crypto.SHA1)), pki.ErrCSRDigest},
		"MD5":             {forge(t, key, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}, signed(crypto.MD5)), pki.ErrCSRDigest},
		"unknown":         {forge(t, key, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 8}, signed(crypto.SHA256)), pki.ErrCSRDigest},
		"another's hash":  {forge(t, key, sha256WithRSA, signed(crypto.SHA384)), pki.ErrCSRSignature},
		"empty":           {forge(t, key, sha256WithRSA, func([]byte) []byte { return nil }), pki.ErrCSRSignature},
		"one":             {forge(t, key, sha256WithRSA, func([]byte) []byte { return append(make([]byte, 255), 1) }), pki.ErrCSRSignature},
		"zero on a curve": {forge(t, marshalled(t, p256(t).Public()), asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, func([]byte) []byte {
			return []byte{0x30, 6, 2, 1, 0, 2, 1, 0} // r = s = 0, CVE-2022-21449
		}), pki.ErrCSRSignature},
		"of another kind": {forge(t, key, asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, signed(crypto.SHA256)), pki.ErrCSRSignature},
	} {
		_, err := c.CheckCSR(r.csr)
		if r.want == nil {
			must(t, err)
			continue
		}
		if f, ok := fault.Of(err); !ok || f.Code != r.want.Code {
			t.Errorf("%s: got %v, want %v", name, err, r.want)
		}
	}
}

var _ = md5.New // registers the hash that is refused
