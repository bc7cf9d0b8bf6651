package pki_test

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/adapters/pki"
	"govahi/domain/fault"
)

func TestPersonsCertificateFollowsTheProfile(t *testing.T) {
	for name, key := range map[string]crypto.Signer{"P-256 issuer": p256(t), "RSA issuer": rsaKey(t, 2048)} {
		t.Run(name, func(t *testing.T) {
			c := newCA(t, key)
			draft := c.draft(t, form(), request(t, p256(t)))
			p, err := c.Prepare(draft)
			must(t, err)
			der := c.issue(t, p.TBS)
			fingerprint, err := c.CheckIssued(der, p.TBS)
			must(t, err)
			if len(fingerprint) != 64 {
				t.Errorf("fingerprint %q", fingerprint)
			}
			issued, err := x509.ParseCertificate(der)
			must(t, err)
			profile(t, c, issued)
			file := c.file(t, "person.pem", pemOf("CERTIFICATE", der))
			openssl(t, "verify", "-x509_strict", "-CAfile", c.dir+"/root.pem", "-untrusted", c.dir+"/issuer.pem", file)
		})
	}
}

func profile(t *testing.T, c ca, got *x509.Certificate) {
	t.Helper()
	if !bytes.Equal(got.RawIssuer, c.Certificate().RawSubject) || !bytes.Equal(got.AuthorityKeyId, c.Certificate().SubjectKeyId) {
		t.Error("issuer name or key identifier differs")
	}
	if got.KeyUsage != x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment || got.IsCA {
		t.Errorf("key usage %v, CA %v", got.KeyUsage, got.IsCA)
	}
	if !slices.Equal(got.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}) {
		t.Errorf("extended key usage %v", got.ExtKeyUsage)
	}
	if want := got.NotBefore.AddDate(1, 0, 0).Add(-time.Second); !got.NotAfter.Equal(want) {
		t.Errorf("valid until %v, want %v", got.NotAfter, want)
	}
	for what, values := range map[string][]string{
		"maryam@example.ir":                   got.EmailAddresses,
		"http://ca.example.ir/pki/issuer.crl": got.CRLDistributionPoints,
		"http://ca.example.ir/pki/ocsp":       got.OCSPServer,
		"http://ca.example.ir/pki/issuer.cer": got.IssuingCertificateURL,
	} {
		if !slices.Equal(values, []string{what}) {
			t.Errorf("%v, want %s", values, what)
		}
	}
	if len(got.PolicyIdentifiers) != 1 || !bytes.Contains(got.RawTBSCertificate, []byte("http://ca.example.ir/pki/cps")) {
		t.Error("no policy with a practice statement")
	}
	subject(t, got)
}

// subject is domain §4.3, attribute by attribute, with its string type.
func subject(t *testing.T, got *x509.Certificate) {
	t.Helper()
	const printable, utf8 = asn1.TagPrintableString, asn1.TagUTF8String
	want := []struct {
		oid   string
		tag   int
		value string
	}{
		{"2.5.4.6", printable, "IR"},
		{"2.5.4.10", utf8, "Non-Governmental"},
		{"2.5.4.11", utf8, "شرکت مهندسی آزمون"},
		{"2.5.4.97", utf8, "10380284790"},
		{"2.5.4.8", utf8, "تهران"},
		{"2.5.4.7", utf8, "تهران"},
		{"2.5.4.12", utf8, "مدیرعامل"},
		{"2.5.4.4", utf8, "رضایی‌نژاد"},
		{"2.5.4.42", utf8, "مریم"},
		{"2.5.4.5", printable, "0012345679"},
		{"2.5.4.3", utf8, "Maryam Rezaei Nejad [Sign]"},
	}
	var name []asn1.RawValue
	_, err := asn1.Unmarshal(got.RawSubject, &name)
	must(t, err)
	if len(name) != len(want) {
		t.Fatalf("%d attributes, want %d", len(name), len(want))
	}
	for i, set := range name {
		var a struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}
		_, err := asn1.Unmarshal(set.Bytes, &a)
		must(t, err)
		if w := want[i]; a.Type.String() != w.oid || a.Value.Tag != w.tag || string(a.Value.Bytes) != w.value {
			t.Errorf("%d: %v %d %q, want %+v", i, a.Type, a.Value.Tag, a.Value.Bytes, w)
		}
	}
}

func TestCertificateNeverOutlivesItsIssuer(t *testing.T) {
	c := newCA(t, p256(t))
	draft := c.draft(t, form(), request(t, p256(t)))
	draft.NotBefore = c.Certificate().NotAfter.AddDate(0, -1, 0)
	p, err := c.Prepare(draft)
	must(t, err)
	if !p.NotAfter.Equal(c.Certificate().NotAfter) {
		t.Errorf("valid until %v, the issuer until %v", p.NotAfter, c.Certificate().NotAfter)
	}
	draft.NotBefore = c.Certificate().NotAfter
	_, err = c.Prepare(draft)
	wantFault(t, err, pki.ErrIssuerExpired)
}

func TestLintRefusesAndNamesTheLint(t *testing.T) {
	c := newCA(t, p256(t))
	f := form()
	f.Post = strings.Repeat("م", 65) // ub-title, RFC 5280 Appendix A.1
	f.OrganizationName = strings.Repeat("ش", 65)
	_, err := c.Prepare(c.draft(t, f, request(t, p256(t))))
	refusal, ok := fault.Of(err)
	if !ok || refusal.Code != "lint-refused" || !strings.Contains(refusal.Text.En, "e_subject_organizational_unit_name_max_length") {
		t.Fatalf("refused with %v", err)
	}
	if strings.Contains(refusal.Text.Fa+refusal.Text.En+err.Error(), f.Post) {
		t.Error("the refusal repeats a submitted value")
	}
}

func TestLintRecordsWhatRan(t *testing.T) {
	c := newCA(t, p256(t))
	p, err := c.Prepare(c.draft(t, form(), request(t, rsaKey(t, 2048))))
	must(t, err)
	if !strings.HasPrefix(p.Lint.Linter, "zlint v3") || p.Lint.Passed < 30 {
		t.Errorf("%+v", p.Lint)
	}
	if len(p.Lint.Warnings) != 0 {
		t.Errorf("warnings %v", p.Lint.Warnings)
	}
}

func TestResponderCertificate(t *testing.T) {
	c := newCA(t, p256(t))
	serial, err := c.NewSerial(time.Now())
	must(t, err)
	spki, err := x509.MarshalPKIXPublicKey(p256(t).Public())
	must(t, err)
	p, err := c.PrepareResponder(serial, spki, c.now)
	must(t, err)
	der := c.issue(t, p.TBS)
	got, err := x509.ParseCertificate(der)
	must(t, err)
	nocheck := slices.ContainsFunc(got.Extensions, func(e pkix.Extension) bool { return e.Id.String() == "1.3.6.1.5.5.7.48.1.5" })
	if !nocheck || !slices.Equal(got.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}) {
		t.Errorf("nocheck %v, usage %v", nocheck, got.ExtKeyUsage)
	}
	if got.NotAfter.Sub(got.NotBefore) >= 31*24*time.Hour {
		t.Errorf("lives until %v", got.NotAfter)
	}
	file := c.file(t, "responder.pem", pemOf("CERTIFICATE", der))
	openssl(t, "verify", "-x509_strict", "-CAfile", c.dir+"/root.pem", "-untrusted", c.dir+"/issuer.pem", file)
}

func TestCheckIssuedNoticesOtherBytesAndOtherKeys(t *testing.T) {
	c, other := newCA(t, p256(t)), newCA(t, p256(t))
	a, err := c.Prepare(c.draft(t, form(), request(t, p256(t))))
	must(t, err)
	b, err := c.Prepare(c.draft(t, form(), request(t, p256(t))))
	must(t, err)
	_, err = c.CheckIssued(c.issue(t, a.TBS), b.TBS)
	wantFault(t, err, pki.ErrOtherBytes)
	_, err = c.CheckIssued(other.issue(t, a.TBS), a.TBS)
	wantFault(t, err, pki.ErrIssuerSignature)
	_, err = c.CheckIssued([]byte("no certificate"), a.TBS)
	wantFault(t, err, pki.ErrOtherBytes)
}

func TestSerialsArePositiveLongAndNeverTheSame(t *testing.T) {
	c := newCA(t, p256(t))
	seen := map[string]bool{}
	for range 1000 {
		s, err := c.NewSerial(time.Now())
		must(t, err)
		if len(s) != 36 || s[0] >= '8' || s != strings.ToLower(s) || seen[s] {
			t.Fatalf("serial %q", s)
		}
		seen[s] = true
	}
	for _, bad := range []string{"", "00ff", "ABCD", "xyz", strings.Repeat("7f", 21)} {
		draft := c.draft(t, form(), request(t, p256(t)))
		draft.Serial = bad
		_, err := c.Prepare(draft)
		wantFault(t, err, pki.ErrSerial)
	}
}

func TestOpenWantsTheIssuerToStandOnTheRoot(t *testing.T) {
	a, b := newCA(t, p256(t)), newCA(t, p256(t))
	if _, err := pki.Open(a.Certificate().Raw, b.root.Raw, pki.Under("http://x")); err == nil {
		t.Error("opened an issuer on a foreign root")
	}
	var f *fault.Fault
	if _, err := pki.Open([]byte("no certificate"), b.root.Raw, pki.Under("http://x")); err == nil || errors.As(err, &f) {
		t.Errorf("opened nonsense: %v", err)
	}
}

func BenchmarkPrepare(b *testing.B) {
	c := newCA(b, p256(b))
	draft := c.draft(b, form(), request(b, p256(b)))
	for b.Loop() {
		if _, err := c.Prepare(draft); err != nil {
			b.Fatal(err)
		}
	}
}

// TestNoSerialIsTakenInVain while the issuer's certificate is not valid: a clock
// may be set back, and a certificate ends.
func TestNoSerialIsTakenInVain(t *testing.T) {
	c := newCA(t, p256(t))
	for name, at := range map[string]time.Time{
		"too early": c.Certificate().NotBefore.Add(-time.Second), "over": c.Certificate().NotAfter,
	} {
		_, err := c.NewSerial(at)
		t.Run(name, func(t *testing.T) { wantFault(t, err, pki.ErrIssuerExpired) })
	}
	_, err := c.NewSerial(c.Certificate().NotBefore)
	must(t, err)
}
