package pki_test

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/domain/certificate"
)

func TestRevocationListIsRFC5280(t *testing.T) {
	c := newCA(t, p256(t))
	var revoked []commands.RevokedSerial
	for _, r := range certificate.Reasons {
		serial, err := c.NewSerial(time.Now())
		must(t, err)
		revoked = append(revoked, commands.RevokedSerial{Serial: serial, Reason: r, At: c.now.Add(-time.Minute)})
	}
	p, err := c.PrepareCRL(7, c.now, revoked)
	must(t, err)
	der := c.issue(t, p.TBS)
	_, err = c.CheckCRL(der, p.TBS)
	must(t, err)
	list, err := x509.ParseRevocationList(der)
	must(t, err)
	if list.Number.Uint64() != 7 || !bytes.Equal(list.AuthorityKeyId, c.Certificate().SubjectKeyId) || p.Entries != len(revoked) {
		t.Errorf("number %v, entries %d", list.Number, p.Entries)
	}
	if got := list.NextUpdate.Sub(list.ThisUpdate); got != 48*time.Hour {
		t.Errorf("next update after %v", got)
	}
	for i, e := range list.RevokedCertificateEntries {
		if fmt.Sprintf("%x", e.SerialNumber) != revoked[i].Serial || e.ReasonCode != revoked[i].Reason.Code() || !e.RevocationTime.Equal(revoked[i].At) {
			t.Errorf("entry %d: %x %d %v", i, e.SerialNumber, e.ReasonCode, e.RevocationTime)
		}
		for _, x := range e.Extensions {
			if x.Critical {
				t.Errorf("entry %d: critical %v", i, x.Id)
			}
		}
	}
	file := c.file(t, "crl.pem", pemOf("X509 CRL", der))
	out := openssl(t, "crl", "-in", file, "-noout", "-text", "-CAfile", c.dir+"/issuer.pem")
	for _, want := range []string{"verify OK", "Version 2", "X509v3 CRL Number", "Key Compromise", "Superseded", "Privilege Withdrawn"} {
		if !strings.Contains(out, want) {
			t.Errorf("openssl does not say %q:\n%s", want, out)
		}
	}
}

// TestEmptyRevocationListHasNoEntriesField is RFC 5280 §5.1.2.6: absent, not empty.
func TestEmptyRevocationListHasNoEntriesField(t *testing.T) {
	c := newCA(t, p256(t))
	p, err := c.PrepareCRL(1, c.now, nil)
	must(t, err)
	file := c.file(t, "empty.pem", pemOf("X509 CRL", c.issue(t, p.TBS)))
	if out := openssl(t, "crl", "-in", file, "-noout", "-text", "-CAfile", c.dir+"/issuer.pem"); !strings.Contains(out, "No Revoked Certificates.") {
		t.Errorf("openssl says:\n%s", out)
	}
}

func TestRevokedCertificateFailsTheChain(t *testing.T) {
	c := newCA(t, p256(t))
	draft := c.draft(t, form(), request(t, p256(t)))
	p, err := c.Prepare(draft)
	must(t, err)
	person := c.file(t, "person.pem", pemOf("CERTIFICATE", c.issue(t, p.TBS)))
	verify := func(revoked ...commands.RevokedSerial) bool {
		l, err := c.PrepareCRL(uint64(len(revoked)+1), c.now, revoked)
		must(t, err)
		list := c.file(t, "crl.pem", pemOf("X509 CRL", c.issue(t, l.TBS)))
		return tryOpenssl("verify", "-crl_check", "-x509_strict", "-CAfile", c.dir+"/root.pem", "-untrusted", c.dir+"/issuer.pem", "-CRLfile", list, person)
	}
	if !verify() {
		t.Error("refused before the revocation")
	}
	if verify(commands.RevokedSerial{Serial: draft.Serial, Reason: certificate.KeyCompromise, At: c.now}) {
		t.Error("accepted after the revocation")
	}
}

func TestCRLIsRefused(t *testing.T) {
	c, other := newCA(t, p256(t)), newCA(t, p256(t))
	_, err := c.PrepareCRL(1, c.now, []commands.RevokedSerial{{Serial: "00"}})
	wantFault(t, err, pki.ErrSerial)
	serial, err := c.NewSerial(time.Now())
	must(t, err)
	line := commands.RevokedSerial{Serial: serial, Reason: certificate.Superseded, At: c.now}
	_, err = c.PrepareCRL(1, c.now, []commands.RevokedSerial{line, line})
	wantFault(t, err, pki.ErrListedTwice)
	a, err := c.PrepareCRL(1, c.now, nil)
	must(t, err)
	b, err := c.PrepareCRL(2, c.now, nil)
	must(t, err)
	_, err = c.CheckCRL(c.issue(t, a.TBS), b.TBS)
	wantFault(t, err, pki.ErrOtherBytes)
	_, err = c.CheckCRL(other.issue(t, a.TBS), a.TBS)
	wantFault(t, err, pki.ErrIssuerSignature)
}

func BenchmarkPrepareCRLOf10000(b *testing.B) {
	c := newCA(b, p256(b))
	revoked := make([]commands.RevokedSerial, 10_000)
	for i := range revoked {
		serial, err := c.NewSerial(time.Now())
		must(b, err)
		revoked[i] = commands.RevokedSerial{Serial: serial, Reason: certificate.Superseded, At: c.now}
	}
	for b.Loop() {
		if _, err := c.PrepareCRL(1, c.now, revoked); err != nil {
			b.Fatal(err)
		}
	}
}
