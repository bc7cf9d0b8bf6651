package http

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"govahi/adapters/postgres/pgtest"
	"govahi/commands"
	"govahi/commands/memlog"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	domainpayment "govahi/domain/payment"
	"govahi/queries"
)

// roles are the columns of docs/permissions.csv, and who stands for each.
var roles = []struct{ name, persona string }{
	{"applicant", "applicant"},
	{"stranger", "stranger"},
	{"officer", "officer-1"},
	{"second-officer", "officer-2"},
	{"officer-elsewhere", "officer-other"},
	{"research-officer", "research-officer"},
	{"company-rt-officer", companyRT},
	{"authority-officer", carrier},
	{"company-unit-officer", companyUnit},
	{"ca-operator", "ca-operator"},
	{"manager", "manager"},
	{"auditor", "auditor"},
	{"administrator", "admin"},
	{"dismissed-officer", dismissedOfficer},
	{"expired-officer", expiredOfficer},
	{"nobody", ""},
}

// Those who are not of the cast; the door knows them by these words as tokens.
const (
	dismissedOfficer = "dismissed-officer"
	expiredOfficer   = "expired-officer"
	companyRT        = "company-rt-officer" // research unit of the applicant's company
	carrier          = "authority-officer"
	companyUnit      = "company-unit-officer" // hands the token over
)

var (
	formerOfficers = map[string]string{dismissedOfficer: "9992012129", expiredOfficer: "9992013133"}
	ofChannelB     = map[string]string{companyRT: "9992020202", carrier: "9992022221", companyUnit: "9992023236"}
	beside         = func() map[string]string {
		all := maps.Clone(formerOfficers)
		maps.Copy(all, ofChannelB)
		return all
	}()
)

type knowing struct{ Verifier }

func (v knowing) Verify(ctx context.Context, token string) (string, error) {
	if code, known := beside[token]; known {
		return code, nil
	}
	return v.Verifier.Verify(ctx, token)
}

// row is what the file says of an operation.
type row struct {
	method, path string
	may          map[string]string // by role
}

// permissions reads the file.
func permissions(t *testing.T) map[string]row {
	t.Helper()
	f, err := os.Open("../../docs/permissions.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	head := []string{"operation", "method", "path"}
	for _, r := range roles {
		head = append(head, r.name)
	}
	if !slices.Equal(lines[0], append(head, "note")) {
		t.Fatalf("the file begins with %v", lines[0])
	}
	rows := map[string]row{}
	for _, line := range lines[1:] {
		if _, twice := rows[line[0]]; twice {
			t.Errorf("%s has two rows", line[0])
		}
		rows[line[0]] = rowOf(t, line)
	}
	return rows
}

func rowOf(t *testing.T, line []string) row {
	t.Helper()
	r := row{line[1], line[2], map[string]string{}}
	for i, role := range roles {
		word := line[3+i]
		if !slices.Contains([]string{"yes", "no", "hidden", "sign-in"}, word) {
			t.Errorf("%s says %q of %s", line[0], word, role.name)
		}
		r.may[role.name] = word
	}
	return r
}

// TestEveryOperationHasItsPermissions: the file lists the operations of the
// live document, all and no others. What is not listed is not allowed.
func TestEveryOperationHasItsPermissions(t *testing.T) {
	rows := permissions(t)
	for _, d := range bare(t).open(t, House{}).operations() {
		r, listed := rows[d.OperationID]
		if !listed || r.method != d.method || r.path != d.path {
			t.Errorf("docs/permissions.csv does not say who may %s, %s %s", d.OperationID, d.method, d.path)
		}
		if public := len(d.Security) == 0; public != (r.may["nobody"] == "yes") {
			t.Errorf("%s asks who is there: %v; the file says %q of nobody", d.OperationID, !public, r.may["nobody"])
		}
		delete(rows, d.OperationID)
	}
	for id := range rows {
		t.Errorf("docs/permissions.csv has a row for %s, which is no operation", id)
	}
}

// stage is a house in which a pair of role and operation is tried.
type stage struct {
	*life
	t    *testing.T
	rows map[string]row
}

// try asks as a role and compares with the file. The question is asked of a
// thing in the state in which the right role succeeds; other asks the same of a
// thing that is not there.
func (s stage) try(d described, role struct{ name, persona string }, question, other func() answer) {
	s.t.Helper()
	want := s.rows[d.OperationID].may[role.name]
	before := s.head()
	a := question()
	if status, fits := a.StatusCode, map[string]bool{
		"yes": a.StatusCode/100 == 2, "no": a.StatusCode == 403, "hidden": a.StatusCode == 404, "sign-in": a.StatusCode == 401,
	}[want]; !fits {
		s.t.Errorf("%s, %s: %d, the file says %s: %s", d.OperationID, role.name, status, want, a.body)
		return
	}
	after := s.head()
	switch {
	case want != "yes" && after != before:
		s.t.Errorf("%s, %s: refused, and the log grew", d.OperationID, role.name)
	case want == "yes" && d.takes("Idempotency-Key") && after == before:
		s.t.Errorf("%s, %s: accepted, and nothing was stored", d.OperationID, role.name)
	case want == "no" && strings.Contains(string(a.body), "not-found"):
		s.t.Errorf("%s, %s: %s", d.OperationID, role.name, a.body)
	case want == "hidden":
		if none := other(); none.StatusCode != 404 || !bytes.Equal(none.body, a.body) {
			s.t.Errorf("%s, %s: what is hidden is answered\n%s, what is not there\n%s", d.OperationID, role.name, a.body, none.body)
		}
	}
}

func (s stage) head() event.Position {
	s.t.Helper()
	p, err := s.log.Head(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// headers sign a role in.
func (s stage) headers(persona string) []string {
	if persona == "" {
		return nil
	}
	return s.as(persona)
}

// formerly appoints the two officers who are none any more.
func (l *life) formerly() {
	l.t.Helper()
	l.Verifier = knowing{l.Verifier}
	post := map[string]any{"role": "registration-officer", "place": "office-1"}
	for persona, code := range formerOfficers {
		post["personCode"], post["until"] = code, now().Add(-24*time.Hour)
		if persona == dismissedOfficer {
			post["until"] = now().AddDate(1, 0, 0)
		}
		l.app.Clock = func() time.Time { return now().Add(-48 * time.Hour) }
		l.done("admin", "/appointments", post)
	}
	l.app.Clock = now
	l.done("admin", "/dismissals", map[string]any{
		"personCode": formerOfficers[dismissedOfficer], "role": "registration-officer", "place": "office-1",
	})
	l.placesOfChannelB()
}

// company is the applicant's.
const company = "10999001013"

// placesOfChannelB opens them and appoints their officers.
func (l *life) placesOfChannelB() {
	l.t.Helper()
	for _, p := range []struct{ persona, sort, place, company, role string }{
		{companyRT, "research-unit", "unit-b", company, "research-officer"},
		{carrier, "contracted-authority", "authority", "", "authority-officer"},
		{companyUnit, "company-unit", "unit-c", company, "unit-officer"},
	} {
		place := map[string]any{"sort": p.sort, "code": p.place, "name": "نمونه", "province": "تهران", "city": "تهران"}
		if p.company != "" {
			place["company"] = p.company
		}
		l.done("admin", "/offices", place)
		l.done("admin", "/appointments", map[string]any{
			"personCode": ofChannelB[p.persona], "role": p.role, "place": p.place, "until": now().AddDate(1, 0, 0),
		})
	}
	l.done("ca-operator", "/offices/authority/licence", map[string]any{"number": "C-1", "validFrom": now().AddDate(-1, 0, 0), "validUntil": now().AddDate(1, 0, 0)})
}

// TestWhoMayCommand tries every command as every role, each pair on its own copy
// of the log as it was at the moment of the story when the command is due.
func TestWhoMayCommand(t *testing.T) {
	t.Parallel()
	outside, inside := prepare(t), prepareInside(t)
	rows, ofOutside, ofInside := permissions(t), outside.due(), inside.dueInside()
	for _, d := range outside.operations() {
		if !d.takes("Idempotency-Key") {
			continue
		}
		p := outside
		due, told := ofOutside[d.OperationID]
		if !told {
			p = inside
			due, told = ofInside[d.OperationID]
		}
		if !told {
			t.Errorf("the story does not tell when %s is due", d.OperationID)
			continue
		}
		s := stage{p.life, t, rows}
		for _, role := range roles {
			ask := func(path string) answer {
				p.back(due.at)
				p.keys++
				headers := append(s.headers(role.persona), "Idempotency-Key", fmt.Sprint("key-", p.keys))
				return p.ask(d.method, path, string(due.body), headers...)
			}
			p.back(due.at)
			s.try(d, role, func() answer { return ask(p.path(d)) }, func() answer { return ask(d.nowhere()) })
		}
	}
}

// nowhere is a path of the operation about a thing that is not there.
func (d described) nowhere() string {
	return strings.NewReplacer("{code}", "050000000018", "{serial}", "67ab", "{number}", "050000000018", "{office}", "nowhere", "{issuer}", "0000").Replace(d.path)
}

// prepared is a story on a log in memory, with its chapters.
type prepared struct {
	*life
	chapters                          map[string]chapter
	code, number, serial, fingerprint string
	credential, bag                   string
	record                            map[string]any
}

// chapter is the log as it was, and how far the policies had come.
type chapter struct {
	events []event.Recorded
	read   event.Position
}

// prepare tells the story of one certificate, and keeps each moment of it.
func prepare(t *testing.T) *prepared {
	t.Helper()
	l := bare(t)
	p := &prepared{life: l, chapters: map[string]chapter{}}
	l.open(t, House{})
	l.settled()
	l.formerly()
	p.keep("begin")
	p.apply()
	p.inspect()
	p.hand()
	p.back("begin")
	var asked CredentialNumber
	p.does("credential", "officer-1", "/credentials", credentialOf("officer-1")).json(t, &asked)
	p.credential = asked.Number
	return p
}

func credentialOf(persona string) map[string]string {
	return map[string]string{
		"office": "office-1", "givenName": "مأمور", "surname": "نمونه‌پور", "latinGivenName": "Mamur", "latinSurname": "Nemunepur",
		"personCode": personOf(persona), "email": "mamur@example.ir", "csr": credentialCSR(),
	}
}

// credentialCSR is one key's request, whoever asks with it.
var credentialCSR = sync.OnceValue(func() string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
})

// does tells a step and keeps the moment after it.
func (p *prepared) does(then, persona, path string, body any) answer {
	p.t.Helper()
	a, _ := p.done(persona, strings.NewReplacer("{code}", p.code, "{serial}", p.serial).Replace(path), body)
	p.keep(then)
	return a
}

func (p *prepared) keep(name string) {
	p.t.Helper()
	events, err := event.ReadBatch(p.t.Context(), p.log.Log, 0, 10_000)
	if err != nil {
		p.t.Fatal(err)
	}
	p.chapters[name] = chapter{events, p.read}
}

// back puts a copy of the log in place, as it was at a moment.
func (p *prepared) back(name string) {
	p.t.Helper()
	m, known := p.chapters[name]
	if !known {
		p.t.Fatalf("the story has no moment %q", name)
	}
	log := memlog.New()
	for _, e := range m.events {
		proposed := event.Proposed{ID: e.ID, Type: e.Type, Data: e.Data, Meta: e.Meta}
		if _, err := log.Append(p.t.Context(), e.Stream, event.Expected(e.Revision)-1, proposed); err != nil {
			p.t.Fatal(err)
		}
	}
	p.log.Log, p.read = log, m.read
}

// apply is the applicant's part.
func (p *prepared) apply() {
	p.t.Helper()
	var opened TrackingCode
	p.does("draft", "applicant", "/requests", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}).json(p.t, &opened)
	p.code = opened.TrackingCode
	p.app.Clock = func() time.Time { return now().Add(-2 * time.Minute) } // another code may be asked for by now
	p.does("completed", "applicant", "/requests/{code}/form", form())
	p.app.Clock = now
	p.does("proved", "applicant", "/requests/{code}/email-confirmation", p.emailCode())
	p.does("ready", "applicant", "/requests/{code}/liability", notice())
	p.does("at-office", "applicant", "/requests/{code}/submission", inOffice1())
}

// inspect is the office's part, after a look at an inquiry that brought nothing.
func (p *prepared) inspect() {
	p.t.Helper()
	p.app.Registry = undecided{}
	p.does("inconclusive", "officer-1", "/requests/{code}/documents", originals())
	p.app.Registry = matching{}
	p.back("at-office")
	p.does("under-control", "officer-1", "/requests/{code}/documents", originals())
	p.does("calling", "officer-1", "/requests/{code}/controls", map[string]string{"control": "telephone"})
	p.does("called", "officer-1", "/requests/{code}/control-results", map[string]any{"control": "telephone", "passed": true})
	p.insideStory()
	p.back("called")
	p.does("controlled", "officer-1", "/requests/{code}/payment", payment())
	p.does("refunding", "officer-1", "/requests/{code}/rejection", map[string]string{"reason": "not-entitled"})
	p.back("controlled")
	var review commands.Review
	p.get("officer-2", "/requests/"+p.code+"/record").json(p.t, &review)
	p.record = confirming("officer-2", review)
	p.does("confirmed", "officer-2", "/requests/{code}/confirmation", p.record)
}

// insideStory is the same request as if it had been opened for the inside
// channel, whose company has a contract.
func (p *prepared) insideStory() {
	p.t.Helper()
	p.does("contracted", "manager", "/contracts", map[string]any{"company": "10999001013", "number": "Q-1", "until": now().AddDate(1, 0, 0)})
	m := p.chapters["contracted"]
	inside := chapter{slices.Clone(m.events), m.read}
	for i, e := range inside.events {
		if e.Type == "enrollment.opened.v1" {
			inside.events[i].Data = bytes.Replace(e.Data, []byte(`"channel":"outside"`), []byte(`"channel":"inside"`), 1)
		}
	}
	p.chapters["inside"] = inside
}

type undecided struct{}

func (undecided) Inquire(context.Context, string, commands.RegistryQuestion) (commands.RegistryAnswer, error) {
	return commands.RegistryAnswer{Inconclusive: "review"}, nil
}

// hand is the way of the certificate to its holder, and a report about it.
func (p *prepared) hand() {
	p.t.Helper()
	p.does("stocked", "officer-1", "/tokens", blank("TOKEN1"))
	p.does("reserved", "officer-1", "/requests/{code}/token", map[string]string{"token": "TOKEN1"})
	p.does("issued", "officer-1", "/requests/{code}/issuance", map[string]string{"token": "TOKEN1", "csr": newCSR(p.t)})
	var review commands.Review
	p.get("officer-1", "/requests/"+p.code+"/record").json(p.t, &review)
	held, err := p.app.StatusOf(p.t.Context(), review.Serial)
	if err != nil {
		p.t.Fatal(err)
	}
	p.serial, p.fingerprint = review.Serial, held.Issued.Fingerprint
	p.does("on-token", "officer-1", "/requests/{code}/personalisation", p.readBack())
	p.does("printed", "officer-1", "/requests/{code}/sheet", nil)
	p.does("delivered", "officer-1", "/requests/{code}/delivery", map[string]string{"identityChecked": "national-card"})
	p.does("accepted", "applicant", "/requests/{code}/acceptance", nil)
	p.does("suspended", "applicant", "/certificates/{serial}/suspension", map[string]int{"days": 7})
	p.back("accepted")
	var opened TrackingCode
	p.does("reported", "applicant-2", "/certificates/{serial}/reports", statement()).json(p.t, &opened)
	p.number = opened.TrackingCode
}

// path is the operation's, about the things of the story.
func (p *prepared) path(d described) string {
	switch {
	case strings.HasPrefix(d.path, "/cases/"):
		return strings.Replace(d.path, "{code}", p.number, 1)
	case strings.HasPrefix(d.path, "/tokens/"):
		return strings.Replace(d.path, "{serial}", "TOKEN1", 1)
	case strings.HasPrefix(d.path, "/consignments/"):
		return strings.Replace(d.path, "{number}", p.bag, 1)
	}
	return strings.NewReplacer("{code}", p.code, "{serial}", p.serial, "{number}", p.credential, "{office}", "office-1", "{issuer}", p.ca.Issuer()).Replace(d.path)
}

// ripe is the moment when a command is due, and what it takes.
type ripe struct {
	at   string
	body []byte
}

func when(at string, body any) ripe {
	if body == nil {
		return ripe{at, nil}
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // maps of texts
	}
	return ripe{at, text}
}

// due is every command with its moment.
func (p *prepared) due() map[string]ripe {
	year := now().AddDate(1, 0, 0)
	return map[string]ripe{
		"open-request":             when("begin", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}),
		"complete-form":            when("draft", form()),
		"send-email-code":          when("completed", nil),
		"confirm-email":            when("completed", p.emailCode()),
		"accept-liability":         when("proved", notice()),
		"submit-request":           when("ready", inOffice1()),
		"withdraw-request":         when("at-office", nil),
		"verify-documents":         when("at-office", originals()),
		"repeat-inquiry":           when("inconclusive", nil),
		"record-payment":           when("under-control", payment()),
		"require-control":          when("under-control", map[string]string{"control": "address"}),
		"close-control":            when("calling", map[string]any{"control": "telephone", "passed": true}),
		"request-correction":       when("under-control", map[string]any{"fields": []string{"post"}}),
		"reject-request":           when("under-control", map[string]string{"reason": "not-entitled"}),
		"confirm-information":      when("controlled", p.record),
		"reserve-token":            when("stocked", map[string]string{"token": "TOKEN1"}),
		"issue-certificate":        when("reserved", map[string]string{"token": "TOKEN1", "csr": newCSR(p.t)}),
		"personalise-token":        when("issued", p.readBack()),
		"print-sheet":              when("on-token", nil),
		"deliver-token":            when("printed", map[string]string{"identityChecked": "national-card"}),
		"accept-certificate":       when("delivered", nil),
		"define-access":            when("delivered", p.access()),
		"revoke-certificate":       when("accepted", map[string]string{"reason": "superseded"}),
		"renew-certificate":        when("accepted", map[string]string{"basis": "re-key"}),
		"suspend-certificate":      when("accepted", map[string]int{"days": 7}),
		"revoke-formally":          when("accepted", map[string]string{"ground": "token-lost", "askedBy": "holder-in-person", "identityChecked": "passport"}),
		"lift-suspension":          when("suspended", nil),
		"report-inaccuracy":        when("accepted", statement()),
		"refute-inaccuracy":        when("reported", statement()),
		"establish-inaccuracy":     when("reported", statement()),
		"open-investigation":       when("reported", nil),
		"add-evidence":             when("reported", map[string]string{"statement": "نمونه است", "letter": "12 1405/08/01"}),
		"report-affiliation-ended": when("accepted", map[string]string{"number": "12", "date": "1405/01/01"}),
		"start-payment":            when("at-office", map[string]string{"provider": "bank1"}),
		"settle-by-contract":       when("inside", map[string]any{"amountRial": 1_500_000}),
		"record-refund":            when("refunding", map[string]any{"number": 1, "reference": "H-1"}),
		"conclude-contract":        when("begin", map[string]any{"company": "10999001013", "number": "Q-1", "until": year}),
		"end-contract":             when("contracted", map[string]string{"company": "10999001013"}),
		"retire-issuer":            when("begin", nil),
		"declare-ca-compromised":   when("begin", nil),
		"open-office": when("begin", map[string]string{
			"sort": "registration-office", "code": "office-3", "name": "دفتر نمونه", "province": "تهران", "city": "ری",
		}),
		"license-office":     when("begin", map[string]any{"number": "P-2", "validFrom": now(), "validUntil": year}),
		"announce-controls":  when("begin", map[string]any{"controls": []string{"telephone"}, "text": "شنبه تا چهارشنبه"}),
		"request-credential": when("begin", credentialOf("officer-1")),
		"approve-credential": when("credential", nil),
		"refuse-credential":  when("credential", nil),
		"appoint":            when("begin", map[string]any{"personCode": "9992010101", "role": "auditor", "until": year}),
		"dismiss":            when("begin", map[string]any{"personCode": "9992003030", "role": "auditor"}),
		"publish-tariff":     when("begin", map[string]any{"product": "cpmis-signature", "tokenRial": 1, "issuanceRial": 1, "validFrom": now()}),
		"receive-token":      when("begin", blank("TOKEN2")),
		"erase-subject":      when("begin", map[string]string{"personCode": "9992010101", "legalBasis": "subject-request"}),
	}
}

func (p *prepared) emailCode() map[string]string {
	return map[string]string{"code": p.app.EmailCode(enrollment.Kind.Stream(p.code), 1)}
}

func (p *prepared) readBack() map[string]string {
	return map[string]string{"token": "TOKEN1", "fingerprint": p.fingerprint}
}

func (p *prepared) access() map[string]string {
	return map[string]string{
		"trackingCode": p.code, "userName": "nemune", "level": "viewer", "fingerprint": p.fingerprint, "unit": "unit-rt",
	}
}

func notice() map[string]string {
	n := commands.LiabilityNotice
	return map[string]string{"version": n.Version, "textHash": n.Hash()}
}

func inOffice1() map[string]string { return map[string]string{"office": "office-1"} }

func originals() map[string]any {
	return map[string]any{
		"sighted": []string{"birth-certificate", "national-card", "legal-person-card", "introduction-letter"},
		"letter":  map[string]string{"number": "۱۲/۳۴۵", "date": "1405/01/01"},
	}
}

func payment() map[string]any {
	return map[string]any{"provider": "samplebank", "terminal": "1", "rrn": "5001", "trace": "2", "amountRial": 1_500_000}
}

func blank(serial string) map[string]string {
	return map[string]string{"serial": serial, "model": "SoftHSM", "office": "office-1"}
}

func statement() map[string]string { return map[string]string{"statement": "نمونه است"} }

// TestAnAppointmentCountsForATokenIssuedBefore: what a person may do is not in
// his token. One and the same opens nothing before the appointment, its office's
// doors after, and nothing after a dismissal or the appointment's end.
func TestAnAppointmentCountsForATokenIssuedBefore(t *testing.T) {
	t.Parallel()
	p := prepare(t)
	p.back("at-office")
	bearer := p.as("stranger")
	stock := func() answer {
		p.keys++
		body := fmt.Sprintf(`{"serial":"STOCK%d","model":"SoftHSM","office":"office-1"}`, p.keys)
		return p.ask("POST", "/tokens", body, append(bearer, "Idempotency-Key", fmt.Sprint("key-", p.keys))...)
	}
	expect := func(when string, door, record int) {
		t.Helper()
		if a := stock(); a.StatusCode != door {
			t.Errorf("%s: the stock answers %d, not %d: %s", when, a.StatusCode, door, a.body)
		}
		if a := p.ask("GET", "/requests/"+p.code+"/record", "", bearer...); a.StatusCode != record {
			t.Errorf("%s: the record answers %d, not %d: %s", when, a.StatusCode, record, a.body)
		}
	}
	post := map[string]any{"personCode": "9992011114", "role": "registration-officer", "place": "office-1", "until": now().Add(time.Hour)}
	expect("before", 403, 404)
	p.done("admin", "/appointments", post)
	expect("appointed", 201, 200)
	delete(post, "until")
	p.done("admin", "/dismissals", post)
	expect("dismissed", 403, 404)
	post["until"] = now().Add(time.Hour)
	p.done("admin", "/appointments", post)
	expect("appointed again", 201, 200)
	p.app.Clock = func() time.Time { return now().Add(time.Hour + time.Minute) }
	expect("after the end", 403, 404)
	p.app.Clock = now
	expect("while it lasted", 201, 200)
	post["until"] = now().Add(time.Minute)
	p.done("admin", "/appointments", post)
	p.app.Clock = func() time.Time { return now().Add(2 * time.Minute) }
	expect("after the nearer end", 403, 404)
	post["place"], post["until"] = "office-2", now().Add(time.Hour)
	p.done("admin", "/appointments", post)
	expect("at another office", 403, 404)
}

// TestViewsThatAreDownHideNothing: whether there is a thing is not known then,
// and nobody is told that there is none.
func TestViewsThatAreDownHideNothing(t *testing.T) {
	pool := pgtest.Pool(t) // without a table
	l := bare(t)
	l.open(t, House{Queries: &queries.Queries{Pool: pool, Keeper: l.app.Keeper, Terms: keyed{}}})
	tried := 0
	for _, d := range l.operations() {
		switch d.OperationID {
		case "get-request", "get-form", "get-form-page", "get-sheet", "get-certificate", "get-certificate-pem":
		default:
			continue
		}
		tried++
		if p := l.ask("GET", d.somewhere(), "", l.as("stranger")...).problem(t); p.Status != 503 || p.Code != "views-unavailable" {
			t.Errorf("%s: %+v", d.OperationID, p)
		}
	}
	if tried != 6 {
		t.Errorf("%d operations were tried", tried)
	}
}

// TestWhoMayAsk tries every question as every role, on one story told to its end
// and its views: a question changes nothing.
func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	l := tell(t).issued()
	l.formerly()
	var opened TrackingCode
	a, _ := l.done("applicant-2", "/certificates/"+l.serial+"/reports", statement())
	a.json(t, &opened)
	l.number = opened.TrackingCode
	if err := l.publisher.Publish(t.Context(), commands.Caller{Policy: "daily-crl", Key: "1"}); err != nil {
		t.Fatal(err)
	}
	s := stage{l.life, t, permissions(t)}
	attempt := l.abandoned()
	for _, d := range l.operations() {
		if d.takes("Idempotency-Key") {
			continue
		}
		for _, role := range roles {
			ask := func(path string) answer {
				headers, body := s.headers(role.persona), ""
				switch d.OperationID {
				case "search-office-requests":
					body = `{"surname":"نمونه پور"}`
				case "find-certificates":
					body = `{"personCode":"9992009098","mobile":"09120001234"}`
				case "find-appointments":
					body = `{"personCode":"9992005051"}`
				case "track-request":
					body = `{"trackingCode":"` + l.code + `","lastFour":"1234"}`
				case "post-track":
					headers, body = append(headers, "Content-Type", formType), "trackingCode="+l.code+"&lastFour=1234"
				case "post-payment-callback":
					headers, body = append(headers, "Content-Type", formType), "Status=OK"
				case "post-report":
					headers, body = append(headers, "Content-Type", formType), "key="+randomKey()+"&statement=x&serial="+l.serial
				case "post-ocsp", "post-issuers-ocsp":
					headers, body = append(headers, "Content-Type", "application/ocsp-request"), string(l.question(t, l.serial))
				}
				if d.takes("after") { // whatever the views have seen
					path += "?after=" + s.head().String()
				}
				return l.ask(d.method, path, body, headers...)
			}
			s.try(d, role, func() answer { return ask(attempt.Replace(l.path(d))) }, func() answer { return ask(d.nowhere()) })
		}
	}
}

// abandoned is an attempt to pay that came to nothing long ago, in an address.
func (l *told) abandoned() *strings.Replacer {
	l.t.Helper()
	const attempt = "0123456789abcdef0123456789abcdef"
	stream := domainpayment.Kind.Stream(attempt)
	asked := domainpayment.Requested{Attempt: attempt, Order: l.code, Request: enrollment.Kind.Stream(l.code), Provider: "bank1", AmountRial: 1, At: now()}
	events := []event.Event{asked, domainpayment.Redirected{Reference: "R", At: now()}, domainpayment.Gone{At: now()}}
	proposed, err := domainpayment.Kind.Encode(l.t.Context(), nil, stream, event.Meta{CommandID: "abandoned", Actor: "test", At: now()}, events)
	if err == nil {
		_, err = l.log.Append(l.t.Context(), stream, event.NoStream, proposed...)
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.NewReplacer("{attempt}", attempt, "{token}", fmt.Sprintf("%x", keyed{}.Derive("payment-callback", attempt)[:16]))
}

// path is the operation's, about the certificate of the story.
func (l *told) path(d described) string {
	if strings.HasPrefix(d.path, "/cases/") {
		return strings.Replace(d.path, "{code}", l.number, 1)
	}
	return strings.NewReplacer(
		"{code}", l.code, "{serial}", l.serial, "{office}", "office-1", "{unit}", "unit-rt", "{issuer}", l.ca.Issuer(), "{document}", "cps-0.1",
		"*", base64.StdEncoding.EncodeToString(l.question(l.t, l.serial)),
	).Replace(d.path)
}
