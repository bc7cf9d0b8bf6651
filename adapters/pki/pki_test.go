package pki_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
)

// ca is an issuer with its keys at hand, which the package under test never has.
type ca struct {
	*pki.Authority
	key  crypto.Signer
	dir  string // root.pem, issuer.pem
	now  time.Time
	root *x509.Certificate
}

func newCA(t testing.TB, key crypto.Signer) ca {
	t.Helper()
	rootKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	now := time.Now().UTC().Truncate(time.Second)
	root := sign(t, caTemplate("Test Root", now), caTemplate("Test Root", now), rootKey.Public(), rootKey)
	template := caTemplate("Test CA", now)
	template.MaxPathLenZero = true
	issuer := sign(t, template, root, key.Public(), rootKey)
	a, err := pki.Open(issuer.Raw, pemOf("CERTIFICATE", root.Raw), pki.Under("http://ca.example.ir"))
	must(t, err)
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "root.pem"), pemOf("CERTIFICATE", root.Raw), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "issuer.pem"), pemOf("CERTIFICATE", issuer.Raw), 0o600))
	return ca{a, key, dir, now, root}
}

func caTemplate(name string, now time.Time) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), NotBefore: now, NotAfter: now.AddDate(10, 0, 0),
		Subject:  pkix.Name{Country: []string{"IR"}, Organization: []string{"Test"}, CommonName: name},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
}

func sign(t testing.TB, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c
}

// issue signs to-be-signed bytes with the CA's key, as the signer does.
func (c ca) issue(t testing.TB, tbs []byte) []byte {
	t.Helper()
	var whole, part asn1.RawValue
	_, err := asn1.Unmarshal(tbs, &whole)
	must(t, err)
	for rest := whole.Bytes; part.Tag != asn1.TagSequence || part.Class != 0; {
		rest, err = asn1.Unmarshal(rest, &part)
		must(t, err)
	}
	h := crypto.SHA256.New()
	h.Write(tbs)
	signature, err := c.key.Sign(rand.Reader, h.Sum(nil), crypto.SHA256)
	must(t, err)
	der, err := asn1.Marshal(struct {
		TBS, Algorithm asn1.RawValue
		Signature      asn1.BitString
	}{asn1.RawValue{FullBytes: tbs}, part, asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}})
	must(t, err)
	return der
}

func (c ca) file(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	must(t, os.WriteFile(path, data, 0o600))
	return path
}

func openssl(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("openssl", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func form() enrollment.Form {
	return enrollment.Form{
		GivenName: "مریم", Surname: "رضایی‌نژاد", LatinGivenName: "Maryam", LatinSurname: "Rezaei Nejad",
		PersonCode: "0012345679", Email: "maryam@example.ir", Province: "تهران", City: "تهران",
		OrganizationName: "شرکت مهندسی آزمون", Organization: "10380284790", Post: "مدیرعامل",
	}
}

func p256(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return k
}

func request(t testing.TB, k crypto.Signer) []byte {
	t.Helper()
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, k)
	must(t, err)
	return csr
}

func (c ca) draft(t testing.TB, f enrollment.Form, csr []byte) commands.Draft {
	t.Helper()
	serial, err := c.NewSerial(time.Now())
	must(t, err)
	p, err := c.Profiles().Offered("cpmis-signature")
	must(t, err)
	return commands.Draft{Serial: serial, Profile: p, Form: f, CSR: csr, NotBefore: c.now}
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantFault(t testing.TB, err error, want *fault.Fault) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	must(t, err)
	return k
}

func tryOpenssl(args ...string) bool { return exec.Command("openssl", args...).Run() == nil }
