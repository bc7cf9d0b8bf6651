package pki_test

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

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
	slices.SortFunc(revoked, func(a, b commands.RevokedSerial) int { return strings.Compare(a.Serial, b.Serial) })
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

// lines draws a list: serials of any length, reasons and none, years on both sides
// of 2050.
func lines(t *rapid.T) (revoked []commands.RevokedSerial) {
	serials := rapid.SliceOfNDistinct(rapid.SliceOfN(rapid.Byte(), 1, 20), 0, 20, func(b []byte) string { return string(b) }).Draw(t, "serials")
	for i, raw := range serials {
		raw[0] |= byte(rapid.IntRange(0, 1).Draw(t, "high") << 7)
		if raw[0] == 0 {
			raw[0] = 1
		}
		year := rapid.SampledFrom([]int{1949, 1950, 2026, 2049, 2050, 2051}).Draw(t, "year")
		revoked = append(revoked, commands.RevokedSerial{
			Serial: hex.EncodeToString(raw),
			Reason: rapid.SampledFrom(append(certificate.Reasons, "", certificate.CertificateHold)).Draw(t, "reason"),
			At:     time.Date(year, time.Month(1+i%12), 1+i, i, 59-i, i, i, time.FixedZone("", i*600)),
		})
	}
	slices.SortFunc(revoked, func(a, b commands.RevokedSerial) int {
		return cmp.Or(len(a.Serial)-len(b.Serial), strings.Compare(a.Serial, b.Serial))
	})
	return slices.CompactFunc(revoked, func(a, b commands.RevokedSerial) bool { return a.Serial == b.Serial })
}

// TestListsAreTheStandardLibrarysByteForByte compares with what crypto/x509 makes
// of the same.
func TestListsAreTheStandardLibrarysByteForByte(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	for name, key := range map[string]crypto.Signer{"P-256": p256(t), "RSA": rsaKey} {
		c := newCA(t, key)
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				revoked, number := lines(rt), rapid.Uint64().Draw(rt, "number")
				at := rapid.SampledFrom([]time.Time{c.now, time.Date(2049, 12, 31, 1, 2, 3, 0, time.UTC)}).Draw(rt, "at")
				got, err := c.EncodeCRL(number, at, revoked)
				if err != nil {
					rt.Fatal(err)
				}
				if want := standard(rt, c, key, number, at, revoked); !bytes.Equal(got, want) {
					rt.Fatalf("got  %x\nwant %x", got, want)
				}
			})
		})
	}
}

func standard(t rapid.TB, c ca, key crypto.Signer, number uint64, at time.Time, revoked []commands.RevokedSerial) []byte {
	template := &x509.RevocationList{
		Number: new(big.Int).SetUint64(number), ThisUpdate: at.UTC().Truncate(time.Second), NextUpdate: at.UTC().Truncate(time.Second).Add(48 * time.Hour),
	}
	for _, r := range revoked {
		serial, _ := new(big.Int).SetString(r.Serial, 16)
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: serial, RevocationTime: r.At, ReasonCode: r.Reason.Code(),
		})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, c.Certificate(), key)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	return list.RawTBSRevocationList
}

func TestARevocationWithoutATimeIsNotListed(t *testing.T) {
	c := newCA(t, p256(t))
	_, err := c.PrepareCRL(1, c.now, []commands.RevokedSerial{{Serial: "67", Reason: certificate.Superseded}})
	wantFault(t, err, pki.ErrRevokedWhen)
}

// million is a list of a million, or of as many as a test can wait for.
func million(n int) []commands.RevokedSerial {
	revoked := make([]commands.RevokedSerial, n)
	for i := range revoked {
		sum := sha256.Sum256(fmt.Append(nil, i))
		sum[0] = 0x67
		revoked[i] = commands.RevokedSerial{Serial: hex.EncodeToString(sum[:18]), Reason: certificate.Superseded, At: time.Unix(int64(1_700_000_000+i), 0)}
	}
	slices.SortFunc(revoked, func(a, b commands.RevokedSerial) int { return strings.Compare(a.Serial, b.Serial) })
	return revoked
}

func BenchmarkPrepareCRLOfAMillion(b *testing.B) {
	c, revoked := newCA(b, p256(b)), million(1_000_000)
	for b.Loop() {
		if _, err := c.PrepareCRL(1, c.now, revoked); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkStandardCRLOfAMillion(b *testing.B) {
	key := p256(b)
	c := newCA(b, key)
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: c.now, NextUpdate: c.now.Add(time.Hour)}
	for _, r := range million(1_000_000) {
		serial, _ := new(big.Int).SetString(r.Serial, 16)
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: serial, RevocationTime: r.At, ReasonCode: r.Reason.Code(),
		})
	}
	for b.Loop() {
		if _, err := x509.CreateRevocationList(rand.Reader, template, c.Certificate(), key); err != nil {
			b.Fatal(err)
		}
	}
}
