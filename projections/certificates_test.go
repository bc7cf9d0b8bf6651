package projections_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"govahi/domain/access"
	"govahi/domain/certificate"
	"govahi/domain/crl"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/revocation"
	"govahi/domain/token"
	"govahi/queries"
)

// issued tells a certificate's story up to its issue.
func (v *views) issued(code string, person event.Subject, serial string) {
	v.Helper()
	record := certificate.Citation{Stream: enrollment.Kind.Stream(code)}
	tell(v, certificate.Kind, serial,
		certificate.IssuanceIntended{
			Serial: serial, Record: &record, Subject: person, Profile: "cpmis-signature@1", NotBefore: v.now, NotAfter: v.now.AddDate(1, 0, 0),
			Token: "T" + code, TBS: event.About(person, certificate.DER{DER: []byte("tbs")}), At: v.now,
		},
		certificate.SigningStarted{Signer: "s", At: v.now},
		certificate.Issued{
			Serial: serial, Request: record.Stream, Subject: person, Fingerprint: "f" + serial, NotBefore: v.now, NotAfter: v.now.AddDate(1, 0, 0),
			Certificate: event.About(person, certificate.DER{DER: []byte("der of " + serial)}), At: v.now,
		})
}

func serials(list []queries.Certificate) []string {
	var all []string
	for _, c := range list {
		all = append(all, c.Serial)
	}
	return all
}

func TestACertificatesLife(t *testing.T) {
	v := newViews(t)
	code, serial := trackingCode(1), "67aa"
	tell(v, certificate.Kind, serial, certificate.IssuanceIntended{
		Serial: serial, Record: &certificate.Citation{Stream: enrollment.Kind.Stream(code)}, Subject: sara, Profile: "p@1",
		TBS: event.About(sara, certificate.DER{}), NotAfter: noon.AddDate(1, 0, 0),
	})
	is := func(status string) queries.Certificate {
		t.Helper()
		v.shown()
		c := ok(v.Certificate(t.Context(), serial))(t)
		if c.Status != status {
			t.Errorf("it is %s, want %s", c.Status, status)
		}
		return c
	}
	if _, err := v.DER(t.Context(), is("intended")); !errors.Is(err, certificate.ErrNotIssued) {
		t.Errorf("an intent has a certificate: %v", err)
	}
	tell(v, certificate.Kind, serial, certificate.SigningStarted{Signer: "s"})
	is("signing")
	tell(v, certificate.Kind, serial, certificate.Issued{
		Serial: serial, Fingerprint: "f1", Certificate: event.About(sara, certificate.DER{DER: []byte("der")}), At: noon,
	})
	c := is("valid")
	if der := ok(v.DER(t.Context(), c))(t); string(der) != "der" || *c.Fingerprint != "f1" || *c.Request != code || !c.IssuedAt.Equal(noon) {
		t.Errorf("issued %+v", c)
	}
	tell(v, certificate.Kind, serial, certificate.Revoked{
		Serial: serial, Reason: certificate.PrivilegeWithdrawn, Case: event.NewStream("revocation", "9"), By: "policy:x", At: noon.Add(time.Hour),
	})
	if c := is("revoked"); *c.Reason != "privilegeWithdrawn" || !c.RevokedAt.Equal(noon.Add(time.Hour)) || !strings.HasSuffix(*c.Case, "9") {
		t.Errorf("revoked %+v", c)
	}
	if _, err := v.Certificate(t.Context(), "67ff"); !errors.Is(err, certificate.ErrNotIssued) {
		t.Errorf("an unknown serial: %v", err)
	}
}

func TestCertificatesByStatusNewestFirst(t *testing.T) {
	v := newViews(t)
	v.issued(trackingCode(1), sara, "6701")
	v.now = noon.Add(time.Hour)
	v.issued(trackingCode(2), nima, "6702")
	tell(v, certificate.Kind, "6703", certificate.IssuanceAbandoned{Serial: "6703", Cause: "lint-refused"},
		certificate.Revoked{Serial: "6703", Reason: certificate.Superseded})
	tell(v, certificate.Kind, "6704", certificate.IssuanceIntended{Serial: "6704", Profile: "ocsp-responder@1", PublicTBS: []byte("t")},
		certificate.SigningStarted{}, certificate.Issued{Serial: "6704", Public: []byte("public"), Fingerprint: "f", At: noon.Add(2 * time.Hour)})
	v.shown()
	same(t, "all", serials(ok(v.Certificates(t.Context(), ""))(t)), []string{"6704", "6702", "6701", "6703"})
	same(t, "valid", serials(ok(v.Certificates(t.Context(), "valid"))(t)), []string{"6704", "6702", "6701"})
	same(t, "revoked", serials(ok(v.Certificates(t.Context(), "revoked"))(t)), []string{"6703"})
	own := ok(v.Certificate(t.Context(), "6704"))(t)
	if der := ok(v.DER(t.Context(), own))(t); string(der) != "public" || own.Request != nil || own.Person != nil {
		t.Errorf("the CA's own is %+v", own)
	}
}

func (v *views) user(name string, person event.Subject, code, serial string) access.UserDefined {
	return access.UserDefined{
		UserName: name, Level: access.Viewer, Person: person, Request: enrollment.Kind.Stream(code), Certificate: serial,
		Fingerprint: "f" + serial, Unit: "unit-rt", By: officer, At: v.now,
	}
}

func TestAnAccessIsActiveOnlyWhileItsCertificateIsValid(t *testing.T) {
	v := newViews(t)
	code := trackingCode(1)
	v.issued(code, sara, "67aa")
	tell(v, access.Kind, "sara1", v.user("sara1", sara, code, "67aa"))
	tell(v, access.Kind, "lost1", v.user("lost1", nima, trackingCode(2), "67ff")) // a certificate that the view does not know
	v.shown()
	active := func(name string, at time.Time) bool {
		t.Helper()
		one := ok(v.Access(t.Context(), name, at))(t)
		for _, a := range ok(v.Accesses(t.Context(), "unit-rt", at))(t) {
			if a.UserName == name && a.Active != one.Active {
				t.Errorf("the list says %v of %s", a.Active, name)
			}
		}
		return one.Active
	}
	end := noon.AddDate(1, 0, 0)
	if !active("sara1", noon) || !active("sara1", end.Add(-time.Second)) || active("sara1", end) || active("sara1", end.Add(time.Hour)) {
		t.Error("the access does not end with the certificate")
	}
	if active("lost1", noon) {
		t.Error("an access without a certificate is active")
	}
	tell(v, certificate.Kind, "67aa", certificate.Revoked{Serial: "67aa", Reason: certificate.KeyCompromise, At: noon})
	v.shown()
	if active("sara1", noon) { // the cascade has not come so far
		t.Error("the access outlives the revocation")
	}
	v.issued(trackingCode(3), sara, "67bb")
	tell(v, access.Kind, "sara1", access.Suspended{UserName: "sara1", Certificate: "67aa", At: noon}, v.user("sara1", sara, trackingCode(3), "67bb"))
	v.shown()
	if !active("sara1", noon) || len(ok(v.Accesses(t.Context(), "unit-rt", noon))(t)) != 2 {
		t.Error("the new certificate does not count")
	}
	if list := ok(v.Accesses(t.Context(), "unit-other", noon))(t); len(list) != 0 {
		t.Errorf("another unit sees %+v", list)
	}
	if _, err := v.Access(t.Context(), "nobody", noon); !errors.Is(err, access.ErrNotFound) {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestOnlyTheLatestListIsServed(t *testing.T) {
	v := newViews(t)
	list := func(number uint64, signed bool) {
		tell(v, crl.Kind, "ca", crl.Intended{Number: number, ThisUpdate: noon, NextUpdate: noon.Add(48 * time.Hour), TBSHash: "t"})
		if signed {
			tell(v, crl.Kind, "ca", crl.SigningStarted{Number: number}, crl.Signed{Number: number, DER: []byte{byte(number)}, Hash: "h"})
		}
		v.shown()
	}
	list(1, false)
	if _, err := v.CRL(t.Context(), "ca"); !errors.Is(err, certificate.ErrNotIssued) {
		t.Errorf("a list that was never signed: %v", err)
	}
	for _, c := range []struct {
		number uint64
		signed bool
		want   int64
	}{{2, true, 2}, {3, true, 3}, {4, false, 3}, {5, true, 5}} {
		list(c.number, c.signed)
		if got := ok(v.CRL(t.Context(), "ca"))(t); got.Number != c.want || got.DER[0] != byte(c.want) {
			t.Errorf("after %d the list is %d", c.number, got.Number)
		}
	}
	var kept int
	if err := v.Pool.QueryRow(t.Context(), `SELECT count(der) FROM crls.crls`).Scan(&kept); err != nil || kept != 1 {
		t.Errorf("%d lists are kept whole, %v", kept, err)
	}
	if _, err := v.CRL(t.Context(), "another"); !errors.Is(err, certificate.ErrNotIssued) {
		t.Errorf("another issuer's: %v", err)
	}
}

func TestCasesAreReadByWhoMayOpenThem(t *testing.T) {
	v := newViews(t)
	say := func(by event.Subject, text string) *event.Personal[revocation.Statement] {
		return event.About(by, revocation.Statement{Text: text})
	}
	tell(v, revocation.Kind, "2", revocation.InaccuracyReported{Case: "2", Certificate: "67aa", Statement: say(nima, "نیست"), By: nima, At: noon.Add(time.Hour)})
	tell(v, revocation.Kind, "1", revocation.InaccuracyReported{Case: "1", Certificate: "67aa", Statement: say(sara, "نادرست"), By: sara, At: noon},
		revocation.InaccuracyEstablished{Case: "1", Certificate: "67aa", Statement: say(officer, "چنین است"), By: officer, At: noon})
	tell(v, revocation.Kind, "3", revocation.InaccuracyReported{Case: "3", Certificate: "67bb", Statement: say(sara, "نادرست"), By: sara, At: noon.Add(2 * time.Hour)},
		revocation.InaccuracyRefuted{Case: "3", Statement: say(officer, "درست است"), By: officer, At: noon})
	v.shown()
	numbers := func(status string) []string {
		var all []string
		for _, c := range ok(v.Cases(t.Context(), status))(t) {
			all = append(all, c.Number+" "+c.Status+" "+c.Statement+" "+c.Verdict)
		}
		return all
	}
	same(t, "all", numbers(""), []string{"1 established نادرست چنین است", "2 open نیست ", "3 refuted نادرست درست است"})
	same(t, "open", numbers("open"), []string{"2 open نیست "})
	v.keeper.Forget(sara)
	same(t, "of an erased reporter", numbers("established"), []string{"1 established  چنین است"})
}

func TestAnOfficesTokens(t *testing.T) {
	v := newViews(t)
	code := trackingCode(1)
	for _, serial := range []string{"T1", "T2"} {
		tell(v, token.Kind, serial, token.ReceivedInStock{Serial: serial, Model: "SoftHSM", Office: "office-1", At: noon})
	}
	tell(v, token.Kind, "T3", token.ReceivedInStock{Serial: "T3", Office: "office-2", At: noon})
	statuses := func() (all []string) {
		v.shown()
		for _, tok := range ok(v.Tokens(t.Context(), "office-1"))(t) {
			all = append(all, tok.Serial+" "+tok.Status)
		}
		return all
	}
	same(t, "in stock", statuses(), []string{"T1 in-stock", "T2 in-stock"})
	tell(v, token.Kind, "T2", token.Reserved{Request: enrollment.Kind.Stream(code), At: noon}, token.Personalised{Certificate: "67aa", At: noon},
		token.Delivered{To: sara, At: noon})
	same(t, "delivered", statuses(), []string{"T2 delivered", "T1 in-stock"})
	if got := ok(v.Tokens(t.Context(), "office-1"))(t)[0]; *got.Request != code || *got.Certificate != "67aa" {
		t.Errorf("T2 is %+v", got)
	}
}
