package auditor

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/commands/memlog"
	"govahi/domain/event"
)

// The whole audit is tried on the log of a real house, changed at one place after
// the other (cmd/govahi/audit_mutants_test.go). Here is what no such log reaches:
// each of its own rules, old shapes, times, and a log or a world that fails.

var noon = time.Date(2026, 11, 22, 8, 30, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tells is an event as stored, at a place.
func tells(name string, position event.Position, data told) fact {
	return fact{Recorded: event.Recorded{Type: name, Position: position}, name: nameOf(name), data: data}
}

func nameOf(stored string) string {
	return factOf(event.Recorded{Type: stored}).name
}

func TestAFactIsReadByItsStoredName(t *testing.T) {
	f := factOf(event.Recorded{Type: "certificate.issuance-intended.v12", Data: []byte(`{"n":3,"at":"2026-11-22T08:30:00Z","yes":true,"of":{"text":"x"},"raw":"AQI="}`)})
	if f.name != "issuance-intended" || f.data.number("n") != 3 || !f.data.time("at").Equal(noon) || !f.data.yes("yes") ||
		f.data.inner("of").text("text") != "x" || !slices.Equal(f.data.bytes("raw"), []byte{1, 2}) {
		t.Errorf("%+v", f)
	}
	broken := factOf(event.Recorded{Type: "x.y.v1", Data: []byte("{")})
	if broken.data.text("n") != "" || broken.data.inner("of").inner("of").number("n") != 0 || !broken.data.time("at").IsZero() {
		t.Errorf("%+v", broken)
	}
	s := facts{tells("a.b.v1", 10, nil), tells("a.c.v1", 20, nil), tells("a.b.v2", 30, nil)}
	if last, ok := s.last("b"); !ok || last.Position != 30 || len(s.before(30)) != 2 || len(s.before(31)) != 3 || len(s.all("b", "c")) != 3 {
		t.Error("a stream is cut wrongly")
	}
	if none, ok := s.last("d"); ok || none.data.text("x") != "" {
		t.Error("there is a d")
	}
}

// TestWhereASerialStands follows each life that a certificate can have.
func TestWhereASerialStands(t *testing.T) {
	at := func(hours int, more ...any) told {
		d := told{"at": noon.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339)}
		for i := 0; i < len(more); i += 2 {
			d[more[i].(string)] = more[i+1]
		}
		return d
	}
	issued, held, lifted := tells("c.issued.v2", 1, at(0)), tells("c.suspended.v2", 2, at(1)), tells("c.suspension-lifted.v1", 3, at(2))
	superseded, worse := tells("c.revoked.v2", 4, at(3, "reason", "superseded")), tells("c.revoked.v2", 5, at(4, "reason", "keyCompromise"))
	hour := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Hour) }
	for _, c := range []struct {
		life facts
		want Answer
	}{
		{facts{}, Answer{State: Unknown}},
		{facts{tells("c.issuance-intended.v2", 0, at(0))}, Answer{State: Unknown}},
		{facts{issued}, Answer{State: Good}},
		{facts{issued, held}, Answer{State: Revoked, Reason: 6, At: hour(1)}},
		{facts{issued, held, lifted}, Answer{State: Good}},
		{facts{issued, held, superseded}, Answer{State: Revoked, Reason: 4, At: hour(3)}},
		{facts{issued, superseded, worse}, Answer{State: Revoked, Reason: 1, At: hour(3)}},
		{facts{superseded}, Answer{State: Revoked, Reason: 4, At: hour(3)}},
	} {
		if got := stateOf(c.life); !got.is(c.want) {
			t.Errorf("%d events: %v, not %v", len(c.life), got, c.want)
		}
		if got := (standing{}).as(c.want).answer(); !got.is(c.want) {
			t.Errorf("kept as %v, not %v", got, c.want)
		}
	}
}

// TestAnAnswerMayBeAMinuteBehind and no more.
func TestAnAnswerMayBeAMinuteBehind(t *testing.T) {
	life := facts{tells("c.issued.v2", 1, told{"at": noon.Format(time.RFC3339)}), tells("c.suspended.v2", 2, told{"at": noon.Add(time.Hour).Format(time.RFC3339)})}
	for after, want := range map[time.Duration]bool{0: true, time.Minute: true, time.Minute + time.Second: false} {
		c := &subject{run: &run{Audit: Audit{Clock: func() time.Time { return noon.Add(time.Hour + after) }}}}
		if got := c.wasLately(Answer{State: Good}, life); got != want {
			t.Errorf("good %v after the suspension: %v", after, got)
		}
		if c.wasLately(Answer{State: Unknown}, life) {
			t.Errorf("unknown %v after the suspension", after)
		}
	}
}

// TestEachGoodCertificateHasItsTurn in so many days as it is one of, and those
// that are not good are asked about each day.
func TestEachGoodCertificateHasItsTurn(t *testing.T) {
	const every, all = 7, 300
	asked := map[string]int{}
	for day := range every {
		for n := range all {
			c := &subject{run: &run{Audit: Audit{Every: every}, now: noon.AddDate(0, 0, day)}, id: fmt.Sprintf("67%06x", n)}
			if c.sampled(Answer{State: Good}) {
				asked[c.id]++
			}
			if !c.sampled(Answer{State: Revoked}) {
				t.Fatal("a revoked one is left out")
			}
		}
	}
	for id, n := range asked {
		if n != 1 {
			t.Errorf("%s was asked about %d times", id, n)
		}
	}
	if len(asked) != all {
		t.Errorf("%d of %d had their turn", len(asked), all)
	}
}

func TestWhoHoldsAPost(t *testing.T) {
	post := func(name, role, place string, until time.Time) fact {
		return tells("appointment."+name+".v1", 1, told{"role": role, "place": place, "until": until.Format(time.RFC3339)})
	}
	later := noon.Add(time.Hour)
	for name, c := range map[string]struct {
		posts facts
		want  bool
	}{
		"nobody":                   {nil, false},
		"appointed there":          {facts{post("appointed", "r", "a", later)}, true},
		"appointed in the house":   {facts{post("appointed", "r", "", later)}, true},
		"appointed elsewhere":      {facts{post("appointed", "r", "b", later)}, false},
		"appointed to another":     {facts{post("appointed", "x", "a", later)}, false},
		"over":                     {facts{post("appointed", "r", "a", noon)}, false},
		"dismissed":                {facts{post("appointed", "r", "a", later), post("dismissed", "r", "a", noon)}, false},
		"dismissed elsewhere":      {facts{post("appointed", "r", "a", later), post("dismissed", "r", "b", noon)}, true},
		"appointed again, shorter": {facts{post("appointed", "r", "a", later), post("appointed", "r", "a", noon)}, false},
	} {
		if got := holds(c.posts, "r", "a", noon); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhichTariffIsInForce(t *testing.T) {
	version := func(n, level int, kind string, from time.Time) fact {
		return tells("tariff.published.v2", event.Position(n), told{"version": float64(n), "level": float64(level), "issuerKind": kind, "validFrom": from.Format(time.RFC3339)})
	}
	versions := facts{
		tells("tariff.published.v1", 1, told{"version": 1., "validFrom": noon.AddDate(0, -3, 0).Format(time.RFC3339)}), // of bronze
		version(2, 2, "governmental", noon.AddDate(0, -1, 0)), version(3, 2, "private", noon.AddDate(0, -1, 0)), version(4, 2, "governmental", noon.AddDate(0, 1, 0)),
	}
	for _, c := range []struct {
		cited int64
		at    time.Time
		want  int64
	}{
		{2, noon, 2},
		{1, noon, 2}, // the first shape was of the same class
		{1, noon.AddDate(0, -2, 0), 1},
		{3, noon, 3},
		{4, noon, 2},
		{2, noon.AddDate(0, 2, 0), 4},
		{3, noon.AddDate(0, -2, 0), 0},
		{0, noon, 0},
		{5, noon, 0},
	} {
		if got, ok := inForce(versions, c.cited, c.at); got.number("version") != c.want || ok != (c.want > 0) {
			t.Errorf("version %d at %v: %d in force, not %d", c.cited, c.at, got.number("version"), c.want)
		}
	}
}

// TestWhatARecordLacks takes one control after the other away.
func TestWhatARecordLacks(t *testing.T) {
	whole := func() facts {
		return facts{
			tells("e.opened.v1", 1, told{"channel": "outside"}),
			tells("e.form-completed.v2", 2, told{"person": "p", "organization": "o", "version": 1.}),
			tells("e.email-confirmed.v1", 3, told{}), tells("e.liability-accepted.v1", 4, told{"formVersion": 1.}),
			tells("e.document-sighted.v1", 5, told{"document": "birth-certificate"}), tells("e.document-sighted.v1", 6, told{"document": "national-card"}),
			tells("e.document-sighted.v1", 7, told{"document": "legal-person-card"}), tells("e.document-sighted.v1", 8, told{"document": "introduction-letter"}),
			tells("e.identity-answered.v1", 9, told{"matched": true, "formVersion": 1.}), tells("e.fee-settled.v1", 10, told{"order": "o"}),
		}
	}
	without := func(n int) facts { return slices.Delete(whole(), n, n+1) }
	foreign := whole()
	foreign[1] = tells("e.form-completed.v2", 2, told{"person": "p", "organization": "o", "version": 1., "foreign": true})
	self := append(without(7)[:6], without(7)[7:]...)
	self[1] = tells("e.form-completed.v2", 2, told{"person": "p", "version": 1.})
	for name, c := range map[string]struct {
		life facts
		want []string
	}{
		"nothing":            {whole(), nil},
		"the form":           {without(1), []string{"form", "identity", "liability"}}, // of no version
		"the e-mail":         {without(2), []string{"email"}},
		"the liability":      {without(3), []string{"liability"}},
		"the birth":          {without(4), []string{"birth-certificate"}},
		"the card":           {without(5), []string{"national-card"}},
		"the company's card": {without(6), []string{"legal-person-card"}},
		"the letter":         {without(7), []string{"introduction-letter"}},
		"the identity":       {without(8), []string{"identity"}},
		"the fee":            {without(9), []string{"fee"}},
		"a passport":         {foreign, []string{"passport"}},
		"for himself":        {self, nil},
		"asked again":        {append(whole(), tells("e.identity-inquired.v1", 11, told{})), []string{"identity"}},
		"no match":           {append(whole(), tells("e.identity-answered.v1", 11, told{"formVersion": 1.})), []string{"identity"}},
		"a further control":  {append(whole(), tells("e.control-required.v1", 11, told{"control": "address"})), []string{"address"}},
		"one that failed":    {append(whole(), tells("e.control-closed.v1", 11, told{"control": "address"})), []string{"address"}},
		"one that passed":    {append(whole(), tells("e.control-closed.v1", 11, told{"control": "address", "passed": true})), nil},
		"another form": {append(whole(), tells("e.form-completed.v2", 11, told{"person": "p", "organization": "o", "version": 2., "emailChanged": true})), []string{
			"birth-certificate", "email", "identity", "introduction-letter", "legal-person-card", "liability", "national-card",
		}},
	} {
		d := folded(c.life)
		if got := d.missing(); !slices.Equal(got, c.want) {
			t.Errorf("%s: missing are %v, not %v", name, got, c.want)
		}
	}
}

// shaped is a certificate that keeps every rule, until it is changed.
func shaped(t *testing.T, profile string, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	number, _ := new(big.Int).SetString("67fedcba98765432100123456789abcdef01", 16)
	usage, _ := asn1.Marshal(asn1.BitString{Bytes: []byte{0x80}, BitLength: 1})
	c := &x509.Certificate{
		Version: 3, SerialNumber: number, Subject: pkix.Name{Country: []string{"IR"}, SerialNumber: "9992009098"},
		NotBefore: noon, NotAfter: noon.AddDate(1, 0, 0), SubjectKeyId: []byte{1}, AuthorityKeyId: []byte{2},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		Extensions:            []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: usage}},
		IssuingCertificateURL: []string{"http://a"}, CRLDistributionPoints: []string{"http://a"}, OCSPServer: []string{"http://a"},
		PolicyIdentifiers: []asn1.ObjectIdentifier{{1, 2, 3}}, EmailAddresses: []string{"a@example.ir"},
		PublicKey: &ecdsa.PublicKey{Curve: elliptic.P256()}, SignatureAlgorithm: x509.ECDSAWithSHA256,
	}
	if strings.HasPrefix(profile, "ocsp-responder@") {
		c.ExtKeyUsage, c.KeyUsage, c.NotAfter = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}, x509.KeyUsageDigitalSignature, noon.AddDate(0, 0, 30)
		c.Extensions = append(c.Extensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}})
		c.CRLDistributionPoints, c.OCSPServer, c.PolicyIdentifiers = nil, nil, nil
	}
	if change != nil {
		change(c)
	}
	return c
}

// TestEachRuleIsBrokenByWhatBreaksIt: each alone, and every rule is.
func TestEachRuleIsBrokenByWhatBreaksIt(t *testing.T) {
	const person, other, delegate = "cpmis-signature@1", "stamp@1", "ocsp-responder@1"
	broken := map[string]bool{}
	for name, c := range map[string]struct {
		profile string
		change  func(*x509.Certificate)
	}{
		"version_3":                     {other, func(c *x509.Certificate) { c.Version = 1 }},
		"serial_positive_20_octets":     {other, func(c *x509.Certificate) { c.SerialNumber = new(big.Int).Lsh(c.SerialNumber, 32) }},
		"serial_64_bits":                {other, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(7) }},
		"not_a_ca":                      {other, func(c *x509.Certificate) { c.IsCA = true }},
		"key_identifiers":               {other, func(c *x509.Certificate) { c.AuthorityKeyId = nil }},
		"key_usage_critical":            {other, func(c *x509.Certificate) { c.Extensions[0].Critical = false }},
		"key_separation":                {other, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }},
		"extended_key_usage":            {other, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }},
		"no_unknown_critical_extension": {other, func(c *x509.Certificate) { c.UnhandledCriticalExtensions = []asn1.ObjectIdentifier{{1, 2}} }},
		"country_ir":                    {other, func(c *x509.Certificate) { c.Subject.Country = []string{"US"} }},
		"issuer_address_http":           {other, func(c *x509.Certificate) { c.IssuingCertificateURL = []string{"https://a"} }},
		"key_strength":                  {other, func(c *x509.Certificate) { c.PublicKey = &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023)} }},
		"signature_sha2":                {other, func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }},
		"revocation_addresses_http":     {other, func(c *x509.Certificate) { c.OCSPServer = nil }},
		"policy":                        {other, func(c *x509.Certificate) { c.PolicyIdentifiers = nil }},
		"does_not_answer_ocsp":          {other, func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) }},
		"ocsp_signing_alone":            {delegate, func(c *x509.Certificate) { c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageClientAuth) }},
		"ocsp_nocheck":                  {delegate, func(c *x509.Certificate) { c.Extensions = c.Extensions[:1] }},
		"short_life":                    {delegate, func(c *x509.Certificate) { c.NotAfter = noon.AddDate(0, 2, 0) }},
		"signature_key_usage":           {person, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }},
		"one_email":                     {person, func(c *x509.Certificate) { c.EmailAddresses = append(c.EmailAddresses, "b@example.ir") }},
		"person_code":                   {person, func(c *x509.Certificate) { c.Subject.SerialNumber = "" }},
		"two_years_at_most":             {person, func(c *x509.Certificate) { c.NotAfter = noon.AddDate(2, 1, 0) }},
	} {
		if whole, err := Rules(c.profile, shaped(t, c.profile, nil)); err != nil || len(whole) > 0 {
			t.Fatalf("%s breaks %v, %v", c.profile, whole, err)
		}
		got, err := Rules(c.profile, shaped(t, c.profile, c.change))
		if err != nil || !slices.Equal(got, []string{"govahi_" + name}) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		broken[name] = true
	}
	for _, r := range slices.Concat(general, others, responders, persons) {
		if !broken[r.name] {
			t.Errorf("nothing breaks %s", r.name)
		}
	}
}

// authority is an issuer in memory, for runs over small logs.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	list        func() ([]byte, error)
	silent      bool
	asked       int
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"}, NotBefore: noon.AddDate(-1, 0, 0), NotAfter: noon.AddDate(9, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCRLSign | x509.KeyUsageCertSign, SubjectKeyId: []byte{1},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return &authority{certificate: c, key: key, list: func() ([]byte, error) { return nil, errors.New("none") }}
}

func (a *authority) List(context.Context) ([]byte, error) { return a.list() }

func (a *authority) Status(_ context.Context, serial *big.Int) (Answer, error) {
	switch a.asked++; {
	case a.silent:
		return Answer{}, errors.New("silent")
	case fmt.Sprintf("%x", serial) == responder:
		return Answer{State: Unknown}, nil
	}
	return Answer{State: Revoked, Reason: 4, At: noon.Add(-2 * time.Hour), By: responder}, nil
}

// signs makes a list of lines.
func (a *authority) signs(t *testing.T, number int64, next time.Time, serials ...string) []byte {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: noon.Add(-90 * time.Minute), NextUpdate: next}
	for _, s := range serials {
		n, _ := new(big.Int).SetString(s, 16)
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: n, ReasonCode: 4, RevocationTime: noon.Add(-2 * time.Hour)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.certificate, a.key)
	must(t, err)
	return der
}

// past is a small log.
type past struct {
	*testing.T
	*memlog.Log
	revisions map[event.Stream]event.Expected
	n         int
}

func newPast(t *testing.T) *past {
	p := &past{t, memlog.New(), map[event.Stream]event.Expected{}, 0}
	p.tell("certificate-"+responder, "certificate.issuance-intended.v2", told{"profile": "ocsp-responder@1", "at": noon.Format(time.RFC3339)})
	return p
}

func (p *past) tell(stream, name string, data told) {
	p.Helper()
	text, err := json.Marshal(data)
	must(p.T, err)
	at, known := p.revisions[event.Stream(stream)]
	if !known {
		at = event.NoStream
	}
	p.n++
	_, err = p.Append(p.Context(), event.Stream(stream), at, event.Proposed{ID: event.DeriveID("past", fmt.Sprint(p.n)), Type: name, Data: text, Meta: []byte("{}")})
	must(p.T, err)
	p.revisions[event.Stream(stream)] = at + 1
}

// gone is an attempt that was given up as it must be.
func (p *past) gone(serial string) {
	at := noon.Add(-2 * time.Hour).Format(time.RFC3339)
	p.tell("certificate-"+serial, "certificate.issuance-abandoned.v1", told{"serial": serial, "at": at})
	p.tell("certificate-"+serial, "certificate.revoked.v2", told{"serial": serial, "reason": "superseded", "at": at})
}

func (p *past) audited(a *authority) (found []string, s Summary) {
	p.Helper()
	s, err := Audit{
		Log: p.Log, Issuers: []Authority{{Certificate: a.certificate, Published: a}}, Clock: func() time.Time { return noon },
		Differs: func(d Difference) { found = append(found, strings.TrimSpace(d.Serial+" "+d.Kind)) },
	}.Run(p.Context())
	must(p.T, err)
	slices.Sort(found)
	return found, s
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, not %v", what, got, want)
	}
}

const responder, one, two = "6700", "6701", "6702"

// TestACertificateSendsToItsIssuersAddresses, and the responder's own nowhere.
func TestACertificateSendsToItsIssuersAddresses(t *testing.T) {
	const list, responds, itself = "http://ca.example.ir/issuer.crl", "http://ca.example.ir/ocsp", "http://ca.example.ir/issuer.cer"
	const other = "http://other.example.ir"
	at := Authority{List: list, Responder: responds, Itself: itself}
	for name, c := range map[string]struct {
		by                       Authority
		profile                  string
		lists, answered, issuers []string
		differences              int
	}{
		"as it must":                  {at, "person-signature@1", []string{list}, []string{responds}, []string{itself}, 0},
		"no list":                     {at, "person-signature@1", nil, []string{responds}, []string{itself}, 1},
		"no responder":                {at, "person-signature@1", []string{list}, nil, []string{itself}, 1},
		"a list more":                 {at, "person-signature@1", []string{list, other}, []string{responds}, []string{itself}, 1},
		"another responder":           {at, "person-signature@1", []string{list}, []string{other}, []string{itself}, 1},
		"another issuer":              {at, "person-signature@1", []string{list}, []string{responds}, []string{other}, 1},
		"everything elsewhere":        {at, "person-signature@1", []string{other}, []string{other}, []string{other}, 3},
		"the responder's own":         {at, "ocsp-responder@1", nil, nil, []string{itself}, 0},
		"the responder's with a list": {at, "ocsp-responder@1", []string{list}, nil, []string{itself}, 1},
		"the responder's, elsewhere":  {at, "ocsp-responder@1", nil, nil, []string{other}, 1},
		"nobody knows where":          {Authority{}, "person-signature@1", []string{list}, nil, []string{itself}, 0},
	} {
		var found []Difference
		s := &subject{
			run: newRun(Audit{Clock: time.Now, Differs: func(d Difference) { found = append(found, d) }}),
			by:  &issuer{Authority: c.by}, told: map[string]bool{}, intent: fact{data: told{"profile": c.profile}},
			parsed: &x509.Certificate{CRLDistributionPoints: c.lists, OCSPServer: c.answered, IssuingCertificateURL: c.issuers},
		}
		s.addresses()
		s.addresses() // tells nothing twice
		if len(found) != c.differences || s.told[Address] != (c.differences > 0) {
			t.Errorf("%s: it differs: %v", name, found)
		}
	}
}

// TestAListMustBeThereOnceSomethingIsRevoked, an hour later.
func TestAListMustBeThereOnceSomethingIsRevoked(t *testing.T) {
	p, a := newPast(t), newAuthority(t)
	found, _ := p.audited(a)
	same(t, "nothing revoked", found)
	p.gone(one)
	found, s := p.audited(a)
	same(t, "no list", found, "crl")
	if s.Abandoned != 2 || s.Checked != 0 || s.Stream != "certificate-"+one || s.Revision != 1 {
		t.Errorf("%+v", s)
	}
	a.list = func() ([]byte, error) { return []byte("<html>"), nil }
	found, _ = p.audited(a)
	same(t, "no list at all", found, "crl", "crl")
}

// TestWhatAListCovers: the first shape of its intent said nothing, and covered all
// before it; a later one that says nothing covers no revocation.
func TestWhatAListCovers(t *testing.T) {
	for _, c := range []struct {
		intent string
		lines  []string
		want   []string
	}{
		{"crl.intended.v1", []string{one}, nil},
		{"crl.intended.v1", nil, []string{one + " crl-missing"}},
		{"crl.intended.v1", []string{one, two}, []string{two + " crl-unknown"}},
		{"crl.intended.v2", nil, []string{one + " crl-missing"}}, // for an hour
	} {
		p, a := newPast(t), newAuthority(t)
		der := a.signs(t, 3, noon.Add(time.Hour), c.lines...)
		a.list = func() ([]byte, error) { return der, nil }
		series := "crl-" + digest(a.certificate.Raw)
		p.gone(one)
		p.tell(series, c.intent, told{"number": 3, "thisUpdate": noon.Add(-time.Hour).Format(time.RFC3339)})
		p.tell(series, "crl.signed.v1", told{"number": 3, "sha256": digest(der), "at": noon.Format(time.RFC3339)})
		found, _ := p.audited(a)
		same(t, fmt.Sprint(c.intent, c.lines), found, c.want...)
	}
}

func TestAListThatIsNotTheIssuersOrTooOldIsFound(t *testing.T) {
	for name, der := range map[string]func(a *authority) []byte{
		"too old":   func(a *authority) []byte { return a.signs(t, 1, noon) },
		"another's": func(*authority) []byte { return newAuthority(t).signs(t, 1, noon.Add(time.Hour)) },
	} {
		p, a := newPast(t), newAuthority(t)
		list := der(a)
		a.list = func() ([]byte, error) { return list, nil }
		series := "crl-" + digest(a.certificate.Raw)
		p.tell(series, "crl.intended.v1", told{"number": 1})
		p.tell(series, "crl.signed.v1", told{"number": 1, "sha256": digest(list), "at": noon.Format(time.RFC3339)})
		found, _ := p.audited(a)
		same(t, name, found, "crl")
	}
}

// TestALineStaysUntilOneListAfterItsEnd (RFC 5280 §3.3).
func TestALineStaysUntilOneListAfterItsEnd(t *testing.T) {
	for name, c := range map[string]struct {
		earlier time.Duration // of the list before, from the end
		lines   []string
		want    []string
	}{
		"not yet over, listed":     {-time.Minute, []string{one}, nil},
		"not yet over, left out":   {-time.Minute, nil, []string{one + " crl-missing"}},
		"long over, left out":      {time.Minute, nil, nil},
		"long over, and there yet": {time.Minute, []string{one}, []string{one + " crl-surplus"}},
	} {
		p, a := newPast(t), newAuthority(t)
		end := noon.Add(-100 * time.Minute)
		der := a.signs(t, 2, noon.Add(time.Hour), c.lines...)
		a.list = func() ([]byte, error) { return der, nil }
		p.tell("certificate-"+one, "certificate.issuance-intended.v2", told{"notAfter": end.Format(time.RFC3339), "at": noon.Add(-3 * time.Hour).Format(time.RFC3339)})
		p.gone(one)
		series := "crl-" + digest(a.certificate.Raw)
		for n, update := range []time.Time{end.Add(c.earlier), noon.Add(-90 * time.Minute)} {
			p.tell(series, "crl.intended.v1", told{"number": n + 1, "thisUpdate": update.Format(time.RFC3339)})
			p.tell(series, "crl.signed.v1", told{"number": n + 1, "sha256": digest(der), "at": noon.Format(time.RFC3339)})
		}
		found, _ := p.audited(a)
		same(t, name, found, c.want...)
	}
}

// TestASilentResponderIsToldOnce and asked no more; after the last list it may be
// silent.
func TestASilentResponderIsToldOnce(t *testing.T) {
	for next, want := range map[time.Time][]string{noon.Add(time.Hour): {"ocsp"}, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC): nil} {
		p, a := newPast(t), newAuthority(t)
		a.silent = true
		var serials []string
		for n := range 40 {
			serials = append(serials, fmt.Sprintf("68%02x", n))
			p.gone(serials[n])
		}
		der := a.signs(t, 1, next, serials...)
		a.list = func() ([]byte, error) { return der, nil }
		series := "crl-" + digest(a.certificate.Raw)
		p.tell(series, "crl.intended.v1", told{"number": 1})
		p.tell(series, "crl.signed.v1", told{"number": 1, "sha256": digest(der), "at": noon.Format(time.RFC3339)})
		found, _ := p.audited(a)
		same(t, "silence", found, want...)
		if a.asked > 30 {
			t.Errorf("asked %d times", a.asked)
		}
	}
}

// TestALogThatFailsIsAnErrorAndNoDifference.
func TestALogThatFailsIsAnErrorAndNoDifference(t *testing.T) {
	p, a := newPast(t), newAuthority(t)
	p.gone(one)
	_, err := Audit{
		Log: deaf{p.Log}, Issuers: []Authority{{Certificate: a.certificate}}, Clock: func() time.Time { return noon },
		Differs: func(d Difference) { t.Error(d) },
	}.Run(t.Context())
	if !errors.Is(err, errDeaf) {
		t.Error(err)
	}
}

type deaf struct{ event.Log }

var errDeaf = errors.New("deaf")

func (deaf) Head(context.Context) (event.Position, error) { return 0, errDeaf }
