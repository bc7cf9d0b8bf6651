package http

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"govahi/commands"
	"govahi/queries"
)

// confirmed brings a request so far that its key may come.
func (l *told) confirmed(token string) {
	l.t.Helper()
	var review commands.Review
	l.get("officer-2", "/requests/"+l.code+"/record").json(l.t, &review)
	l.does("officer-2", "confirmation", "confirmed", confirming("officer-2", review))
	l.done("officer-1", "/tokens", map[string]string{"serial": token, "model": "SoftHSM", "office": "office-1"})
	l.does("officer-1", "token", "confirmed", map[string]string{"token": token})
}

// refusesCSR asks for the certificate, and expects a refusal in both languages that
// names the field, repeats nothing, and leaves nothing behind.
func (l *told) refusesCSR(name, token, csr string, status int, code string) {
	l.t.Helper()
	before, texts := l.position(), map[string]bool{}
	for _, language := range []string{"fa", "en"} {
		l.keys++
		a := l.ask("POST", "/requests/"+l.code+"/issuance", compact(map[string]string{"token": token, "csr": csr}),
			append(l.commanding("officer-1", fmt.Sprint("csr-", l.keys)), "Accept-Language", language)...)
		p := a.problem(l.t)
		if p.Status != status || p.Code != code || p.Pointer != "/csr" {
			l.t.Errorf("%s: %+v", name, p)
		}
		if len(csr) > 40 && strings.Contains(string(a.body), csr[:40]) {
			l.t.Errorf("%s comes back: %s", name, a.body)
		}
		texts[p.Detail] = true
	}
	if len(texts) != 2 || texts[""] || l.position() != before {
		l.t.Errorf("%s is told as %v, or left something behind", name, texts)
	}
}

// TestABadKeyIsRefusedAtTheDesk, where another can be made: the request stays
// confirmed, its token reserved, and a good key is certified afterwards.
func TestABadKeyIsRefusedAtTheDesk(t *testing.T) {
	l := tell(t)
	l.confirmed("TOKEN1")
	good, _ := base64.StdEncoding.DecodeString(strings.Join(strings.Split(newCSR(t), "\n")[1:2], ""))
	curve := func(c elliptic.Curve) any {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return &k.PublicKey
	}
	n := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 2048), big.NewInt(1))
	p256 := asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	beside := append([]byte{4}, bytes.Repeat([]byte{1}, 64)...)
	for name, c := range map[string]struct {
		csr    string
		status int
		code   string
	}{
		"nothing":           {"", 422, "csr-malformed"},
		"hello":             {"hello", 422, "csr-malformed"},
		"DER as it is":      {"0\x82\x01", 422, "csr-malformed"},
		"a certificate":     {pemText("CERTIFICATE", l.ca.Certificate().Raw), 422, "csr-malformed"},
		"a private key":     {pemText("PRIVATE KEY", good), 422, "csr-malformed"},
		"two of them":       {pemText("CERTIFICATE REQUEST", good) + pemText("CERTIFICATE REQUEST", good), 422, "csr-malformed"},
		"cut off":           {pemText("CERTIFICATE REQUEST", good[:len(good)-4]), 422, "csr-malformed"},
		"more behind":       {pemText("CERTIFICATE REQUEST", append(bytes.Clone(good), 0)), 422, "csr-malformed"},
		"another signature": {pemText("CERTIFICATE REQUEST", flipped(good)), 422, "csr-signature-wrong"},
		"RSA of 1024":       {unsigned(t, rsaKey(t, new(big.Int).Rsh(n, 1024), 65537)), 422, "key-too-weak"},
		"RSA, e = 1":        {unsigned(t, rsaKey(t, n, 1)), 422, "key-exponent-weak"},
		"RSA, e below zero": {unsigned(t, rsaKey(t, n, -65537)), 422, "key-malformed"},
		"P-224":             {unsigned(t, spkiOf(t, curve(elliptic.P224()))), 422, "key-type-unsupported"},
		"beside the curve":  {unsigned(t, ecKey(t, p256, beside)), 422, "key-malformed"},
		"the CA's own":      {unsigned(t, spkiOf(t, l.ca.Certificate().PublicKey)), 422, "key-of-the-ca"},
		"an attribute":      {pemText("CERTIFICATE REQUEST", attributed(t, 12_500)), 400, "field-too-long"},
	} {
		l.refusesCSR(name, "TOKEN1", c.csr, c.status, c.code)
	}
	l.certifiesNoCA()
}

// certifiesNoCA sends a request that asks to be a CA for somebody else: only its
// key is taken, and of nobody else afterwards.
func (l *told) certifiesNoCA() {
	l.t.Helper()
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "Somebody Else [Sign]"},
		ExtraExtensions: []pkix.Extension{
			{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Critical: true, Value: []byte{0x30, 3, 1, 1, 0xff}}, // CA:TRUE
			{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{3, 2, 1, 6}},          // keyCertSign, cRLSign
		},
	}, newKey(l.t))
	if err != nil {
		l.t.Fatal(err)
	}
	l.does("officer-1", "issuance", "issued", map[string]string{"token": "TOKEN1", "csr": pemText("CERTIFICATE REQUEST", csr)})
	var r queries.Request
	l.get("officer-1", "/requests/"+l.code).json(l.t, &r)
	block, _ := pem.Decode(l.get("applicant", "/certificates/"+*r.Serial+"/certificate.pem").body)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || c.IsCA || c.KeyUsage&(x509.KeyUsageCertSign|x509.KeyUsageCRLSign) != 0 || c.Subject.CommonName != "Motaghazi Nemunepur [Sign]" {
		l.t.Errorf("certified was %v, CA %v, usage %b: %v", c.Subject, c.IsCA, c.KeyUsage, err)
	}
	in := form()
	in.PersonCode = personOf("applicant-2")
	l.submits("applicant-2", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}, in)
	l.controls("5002")
	l.confirmed("TOKEN2")
	l.refusesCSR("the key of another", "TOKEN2", pemText("CERTIFICATE REQUEST", csr), 409, "key-reused")
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func flipped(der []byte) []byte {
	other := bytes.Clone(der)
	other[len(other)-1] ^= 1
	return other
}

// unsigned is a request for a key that need not work: it is looked at first.
func unsigned(t *testing.T, spki []byte) string {
	t.Helper()
	info, err := asn1.Marshal(struct {
		Version                  int
		Subject, Key, Attributes asn1.RawValue
	}{0, asn1.RawValue{FullBytes: []byte{0x30, 0}}, asn1.RawValue{FullBytes: spki}, asn1.RawValue{FullBytes: []byte{0xa0, 0}}})
	if err != nil {
		t.Fatal(err)
	}
	der, err := asn1.Marshal(struct {
		Info      asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}{
		asn1.RawValue{FullBytes: info},
		pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, Parameters: asn1.NullRawValue},
		asn1.BitString{Bytes: make([]byte, 256), BitLength: 2048},
	})
	if err != nil {
		t.Fatal(err)
	}
	return pemText("CERTIFICATE REQUEST", der)
}

func spkiOf(t *testing.T, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func rsaKey(t *testing.T, n *big.Int, e int64) []byte {
	t.Helper()
	key, err := asn1.Marshal(struct{ N, E *big.Int }{n, big.NewInt(e)})
	if err != nil {
		t.Fatal(err)
	}
	return keyOf(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, asn1.NullRawValue, key)
}

func ecKey(t *testing.T, curve asn1.ObjectIdentifier, point []byte) []byte {
	t.Helper()
	named, err := asn1.Marshal(curve)
	if err != nil {
		t.Fatal(err)
	}
	return keyOf(t, asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}, asn1.RawValue{FullBytes: named}, point)
}

func keyOf(t *testing.T, kind asn1.ObjectIdentifier, parameters asn1.RawValue, key []byte) []byte {
	t.Helper()
	der, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{pkix.AlgorithmIdentifier{Algorithm: kind, Parameters: parameters}, asn1.BitString{Bytes: key, BitLength: 8 * len(key)}})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// attributed asks for an extension of so many bytes.
func attributed(t *testing.T, size int) []byte {
	t.Helper()
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 32473, 9}, Value: make([]byte, size)}},
	}, newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return csr
}
