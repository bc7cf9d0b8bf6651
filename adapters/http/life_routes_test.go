package http

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"govahi/adapters/limits"
	"govahi/adapters/pki"
	"govahi/commands"
	"govahi/docs"
	"govahi/domain/audit"
	"govahi/domain/enrollment"
	"govahi/domain/iran"
	"govahi/queries"
	"govahi/queries/auditor"
)

// told is a life in which one certificate was issued, and its story.
type told struct {
	*life
	code, serial, fingerprint string
	number                    string // of the case
}

func form() commands.FormInput {
	return commands.FormInput{
		GivenName: "متقاضی", Surname: "نمونه‌پور", LatinGivenName: "Motaghazi", LatinSurname: "Nemunepur",
		PersonCode: "9992009098", BirthDate: "۱۳۶۰/۰۱/۰۱", Mobile: "۰۹۱۲۰۰۰۱۲۳۴", Email: "nemune@example.ir",
		Address: "تهران", PostalCode: "1619735744", Province: "تهران", City: "تهران",
		OrganizationName: "شرکت نمونه", Organization: "10999001013", Post: "کارشناس",
	}
}

// state expects what a persona sees of the request after a position.
func (l *told) state(want, after string) {
	l.t.Helper()
	var r queries.Request
	a := l.get("auditor", "/requests/"+l.code+"?"+after)
	a.json(l.t, &r)
	if r.State != want {
		l.t.Fatalf("the request is %q, want %q: %s", r.State, want, a.body)
	}
}

// does posts a command about the request and expects a state.
func (l *told) does(persona, act, want string, body any) {
	l.t.Helper()
	_, after := l.done(persona, "/requests/"+l.code+"/"+act, body)
	l.state(want, after)
}

// tell brings one certificate from the form to CPMIS.
func tell(t *testing.T) *told {
	t.Helper()
	l := &told{life: alive(t)}
	l.submits("applicant", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}, form())
	l.controls("5001")
	return l
}

// submits brings a request to the office, by its applicant or at the counter.
func (l *told) submits(persona string, open map[string]string, in commands.FormInput) {
	l.t.Helper()
	a, after := l.done(persona, "/requests", open)
	var opened TrackingCode
	a.json(l.t, &opened)
	l.code = opened.TrackingCode
	if _, err := iran.ParseTrackingCode(l.code); err != nil || a.StatusCode != 201 {
		l.t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	l.state("draft", after)
	l.does(persona, "form", "completed", in)
	l.does(persona, "email-confirmation", "completed", map[string]string{"code": l.app.EmailCode(enrollment.Kind.Stream(l.code), 1)})
	n := commands.LiabilityNotice
	l.does(persona, "liability", "ready", map[string]string{"version": n.Version, "textHash": n.Hash()})
	l.does(persona, "submission", "at-office", map[string]string{"office": "office-1"})
}

// controls is the office's part, up to the fee.
func (l *told) controls(rrn string) {
	l.t.Helper()
	l.does("officer-1", "documents", "under-control", map[string]any{
		"sighted": []string{"birth-certificate", "national-card", "legal-person-card", "introduction-letter"},
		"letter":  map[string]string{"number": "۱۲/۳۴۵", "date": "1405/01/01"},
	})
	l.does("officer-1", "payment", "controlled", map[string]any{
		"provider": "samplebank", "terminal": "1", "rrn": rrn, "trace": "2", "amountRial": 1_500_000,
	})
}

// certifies goes on from there to a token with its certificate and its sheet.
func (l *told) certifies(token string) {
	l.t.Helper()
	var review commands.Review
	l.get("officer-2", "/requests/"+l.code+"/record").json(l.t, &review)
	l.does("officer-2", "confirmation", "confirmed", confirming("officer-2", review))
	l.done("officer-1", "/tokens", map[string]string{"serial": token, "model": "SoftHSM", "office": "office-1"})
	l.does("officer-1", "token", "confirmed", map[string]string{"token": token})
	l.does("officer-1", "issuance", "issued", map[string]string{"token": token, "csr": newCSR(l.t)})
	var r queries.Request
	l.get("officer-1", "/requests/"+l.code).json(l.t, &r)
	l.serial, l.fingerprint = *r.Serial, *r.Fingerprint
	l.does("officer-1", "personalisation", "issued", map[string]string{"token": token, "fingerprint": l.fingerprint})
	l.does("officer-1", "sheet", "ready-for-delivery", nil)
}

// issued goes on until the applicant holds his certificate.
func (l *told) issued() *told {
	l.t.Helper()
	l.certifies("TOKEN1")
	l.does("officer-1", "delivery", "delivered", map[string]string{"identityChecked": "national-card"})
	l.does("applicant", "acceptance", "accepted", nil)
	_, after := l.done("research-officer", "/accesses", map[string]string{
		"trackingCode": l.code, "userName": "nemune", "level": "viewer", "fingerprint": l.fingerprint, "unit": "unit-rt",
	})
	l.state("active", after)
	return l
}

func TestOneCertificateOverHTTP(t *testing.T) {
	l := tell(t)
	for _, part := range []struct {
		name string
		run  func(*testing.T, *told)
	}{
		{"before the certificate: strangers", strangers},
		{"a refusal in both languages", refusals},
		{"tracking", tracking},
		{"tracking on the page", trackingPage},
		{"search", searching},
		{"read your own write", ownWrite},
		{"a form with wrong and doubtful fields", formProblems},
		{"", nil},
		{"PEM and chain", pems},
		{"the sheet", sheet},
		{"the verification page: valid", verifiesAs("معتبر", "valid")},
		{"OCSP: good", ocspSays(ocsp.Good)},
		{"CRL before", crlHolds(false)},
		{"certificates are not for strangers", certificateStrangers},
		{"dashboard and management", dashboards},
		{"lists of the unit, the stock, the offices", lists},
		{"a revocation shows at once, everywhere", revokes},
		{"OCSP: revoked", ocspSays(ocsp.Revoked)},
		{"CRL after", crlHolds(true)},
		{"the verification page: revoked", verifiesAs("باطل", "revoked")},
		{"a void sheet", voidSheet},
		{"a log that is down", logDown},
	} {
		if part.run == nil {
			l.issued()
			continue
		}
		if !t.Run(part.name, func(t *testing.T) {
			l.house.t = t
			defer func(outer *testing.T) { l.house.t = outer }(t)
			part.run(t, l)
		}) {
			return
		}
		l.house.t = t
	}
}

// strangers learn nothing of a request but that it does not exist.
func strangers(t *testing.T, l *told) {
	for _, persona := range []string{"stranger", "applicant-2", "officer-other", "research-officer"} {
		for _, path := range []string{"", "/form", "/sheet.html"} {
			if p := l.get(persona, "/requests/"+l.code+path).problem(t); p.Status != 404 || p.Code != "request-not-found" {
				t.Errorf("%s asks for %q: %+v", persona, path, p)
			}
		}
		if p := l.get(persona, "/requests/"+l.code+"/record").problem(t); p.Status != 404 {
			t.Errorf("%s reviews: %+v", persona, p)
		}
		if p := l.post(persona, "/requests/"+l.code+"/rejection", map[string]string{"reason": "not-entitled"}).problem(t); p.Status != 404 {
			t.Errorf("%s rejects: %+v", persona, p)
		}
		if p := l.post(persona, "/requests/"+l.code+"/withdrawal", nil).problem(t); p.Status != 404 {
			t.Errorf("%s withdraws: %+v", persona, p)
		}
	}
	for _, path := range []string{
		"/offices/office-1/requests", "/offices/office-1/tokens", "/management", "/dashboard", "/cases", "/certificates", "/units/unit-rt/accesses",
	} {
		if p := l.get("stranger", path).problem(t); p.Status != 403 || p.Code != "not-appointed" {
			t.Errorf("a stranger at %s: %+v", path, p)
		}
	}
	for persona, want := range map[string]int{"applicant": 200, "officer-1": 200, "officer-2": 200, "auditor": 403, "manager": 403, "ca-operator": 403} {
		if a := l.get(persona, "/requests/"+l.code+"/form"); a.StatusCode != want {
			t.Errorf("%s asks for the form: %d", persona, a.StatusCode)
		}
	}
	var own, others []queries.Request
	l.get("applicant", "/requests").json(t, &own)
	l.get("stranger", "/requests").json(t, &others)
	if len(own) != 1 || own[0].TrackingCode != l.code || len(others) != 0 {
		t.Errorf("own %d, others %d", len(own), len(others))
	}
}

func refusals(t *testing.T, l *told) {
	for language, word := range map[string]string{"fa": "مأمور دومی", "en": "second officer"} {
		l.keys++
		var review commands.Review
		l.get("officer-1", "/requests/"+l.code+"/record").json(t, &review)
		body := `{"revision":` + big.NewInt(int64(review.Record.Revision)).String() + `,"hash":"` + review.Record.Hash + `","signature":"c2ln"}`
		a := l.ask("POST", "/requests/"+l.code+"/confirmation", body,
			append(l.commanding("officer-1", "refusal-"+language), "Accept-Language", language)...)
		p := a.problem(t)
		if p.Status != 403 || p.Code != "second-officer-needed" || !strings.Contains(p.Detail, word) ||
			a.Header.Get("Content-Language") != language || p.Type != "urn:govahi:problem:second-officer-needed" || p.Title == "" {
			t.Errorf("in %s: %d %s", language, a.StatusCode, a.body)
		}
	}
	if p := l.post("applicant", "/requests/"+l.code+"/submission", map[string]string{"office": "office-1"}).problem(t); p.Status != 409 || p.Code != "wrong-state" {
		t.Errorf("submitted twice: %+v", p)
	}
	p := l.post("officer-1", "/requests/"+l.code+"/payment", map[string]any{"provider": "samplebank", "terminal": "x", "rrn": "1", "trace": "1", "amountRial": 5}).problem(t)
	if p.Status != 422 || p.Field != "terminal" || p.Code != "slip-number-invalid" {
		t.Errorf("a wrong slip: %+v", p)
	}
	for _, never := range []string{"1404/12/30", "1405/07/31", "1405/13/01", "2026-02-30", "۱۴۰۴/۱۲/۳۰"} {
		p := l.post("officer-1", "/requests/"+l.code+"/documents", map[string]any{
			"sighted": []string{"introduction-letter"}, "letter": map[string]string{"number": "1", "date": never},
		}).problem(t)
		if p.Status != 422 || p.Code != "letter-date-invalid" || p.Pointer != "/letter/date" || strings.Contains(p.Detail, never) {
			t.Errorf("%s: %+v", never, p)
		}
	}
	if p := l.get("officer-1", "/requests/051111111111/record").problem(t); p.Status != 404 {
		t.Errorf("an impossible code: %+v", p)
	}
}

func tracking(t *testing.T, l *told) {
	ask := func(code, last string) answer {
		return l.ask("POST", "/tracking", `{"trackingCode":"`+code+`","lastFour":"`+last+`"}`)
	}
	for _, code := range []string{l.code, iran.GroupTrackingCode(l.code), iran.PersianDigits(l.code), l.code[:4] + "-" + l.code[4:]} {
		var found queries.Tracking
		a := ask(code, "۱۲۳۴")
		a.json(t, &found)
		if found.State != "controlled" || found.TrackingCode != l.code || *found.Office != "office-1" {
			t.Errorf("%s: %s", code, a.body)
		}
		for _, secret := range []string{"نمونه", "9992009098", "0912", "example"} {
			if strings.Contains(string(a.body), secret) {
				t.Errorf("tracking tells %s", a.body)
			}
		}
	}
	for _, c := range [][2]string{{l.code, "0000"}, {l.code, ""}, {"050000000018", "1234"}, {"nonsense", "1234"}} {
		if p := ask(c[0], c[1]).problem(t); p.Status != 404 || p.Code != "request-not-found" {
			t.Errorf("%v: %+v", c, p)
		}
	}
	l.Limits.Tracked = &limits.Tries{Max: 3, Within: time.Hour, Clock: time.Now}
	for n, c := range [][2]string{{l.code, "1234"}, {l.code, "0000"}, {l.code, "0001"}, {l.code, "0002"}} {
		if a, want := ask(c[0], c[1]), 404; n > 0 && a.StatusCode != want {
			t.Errorf("guess %d: %d", n, a.StatusCode)
		}
	}
	for _, last := range []string{"0003", "1234"} {
		if p := ask(l.code, last).problem(t); p.Status != 429 || p.Code != "too-many-tries" {
			t.Errorf("a code that was guessed at too often, with %s: %+v", last, p)
		}
	}
	if p := ask("050000000018", "1234").problem(t); p.Status != 404 {
		t.Errorf("another code: %+v", p)
	}
	l.Limits.Tracked = &limits.Tries{}
}

func searching(t *testing.T, l *told) {
	find := func(persona, office, body string) answer {
		return l.ask("POST", "/offices/"+office+"/search", body, l.as(persona)...)
	}
	for _, body := range []string{`{"surname":"نمونه پور"}`, `{"personCode":"۹۹۹۲۰۰۹۰۹۸"}`, `{"mobile":"+989120001234"}`} {
		var found []queries.Request
		find("officer-1", "office-1", body).json(t, &found)
		if len(found) != 1 || found[0].TrackingCode != l.code {
			t.Errorf("%s found %+v", body, found)
		}
	}
	if p := find("auditor", "office-1", `{}`).problem(t); p.Status != 403 {
		t.Errorf("an auditor searches by name: %+v", p)
	}
	if p := find("officer-other", "office-1", `{}`).problem(t); p.Status != 403 {
		t.Errorf("another office searches: %+v", p)
	}
}

// ownWrite shows that ?after= a command's own position brings what it wrote.
func ownWrite(t *testing.T, l *told) {
	a := l.post("applicant-2", "/requests", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"})
	var mine []queries.Request
	l.get("applicant-2", "/requests?after="+a.Header.Get("Govahi-Position")).json(t, &mine)
	if len(mine) != 1 || mine[0].State != "draft" {
		t.Errorf("got %+v", mine)
	}
	if p := l.get("applicant-2", "/requests?after=soon").problem(t); p.Status != 400 || p.Field != "after" {
		t.Errorf("a position that is none: %+v", p)
	}
	l.settle()
}

func pems(t *testing.T, l *told) {
	for _, persona := range []string{"applicant", "officer-1"} {
		a := l.get(persona, "/certificates/"+l.serial+"/certificate.pem")
		block, rest := pem.Decode(a.body)
		if a.StatusCode != 200 || a.Header.Get("Content-Type") != "application/x-pem-file" || block == nil || len(rest) != 0 {
			t.Fatalf("%s: %d %s", persona, a.StatusCode, a.body)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil || hex.EncodeToString(c.SerialNumber.Bytes()) != l.serial {
			t.Errorf("%s: %v", persona, err)
		}
	}
	chain := l.get("", "/pki/chain.pem")
	roots, issuers := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(l.ca.Root())
	if !issuers.AppendCertsFromPEM(chain.body) || !strings.Contains(chain.Header.Get("Cache-Control"), "max-age=") {
		t.Errorf("the chain is %s", chain.body)
	}
	block, _ := pem.Decode(l.get("applicant", "/certificates/"+l.serial+"/certificate.pem").body)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: issuers, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}
	if _, err := c.Verify(options); err != nil {
		t.Error(err)
	}
	if issuer := l.get("", "/pki/issuer.cer"); !bytes.Equal(issuer.body, l.ca.Certificate().Raw) || issuer.Header.Get("Content-Type") != "application/pkix-cert" {
		t.Error("the issuer's certificate is another")
	}
}

func sheet(t *testing.T, l *told) {
	a := l.get("applicant", "/requests/"+l.code+"/sheet.html")
	page := string(a.body)
	if a.StatusCode != 200 || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") ||
		!strings.Contains(a.Header.Get("Content-Security-Policy"), "default-src 'none'") || a.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v", a.StatusCode, a.Header)
	}
	for _, must := range []string{`dir="rtl"`, "نمونه‌پور", "Nemunepur", "<svg", "TOKEN1", "<bdi>امضای CPMIS</bdi>"} {
		if !strings.Contains(page, must) {
			t.Errorf("the sheet lacks %s", must)
		}
	}
	if a := l.get("officer-1", "/requests/"+l.code+"/sheet.html"); a.StatusCode != 200 {
		t.Errorf("the officer: %d", a.StatusCode)
	}
}

func verifiesAs(word, state string) func(*testing.T, *told) {
	return func(t *testing.T, l *told) {
		a := l.get("", "/verify?serial="+url.QueryEscape(l.serial))
		if a.StatusCode != 200 || !strings.Contains(string(a.body), word) {
			t.Errorf("%s: %d %s", state, a.StatusCode, a.body)
		}
		for _, secret := range []string{"نمونه‌پور", "9992009098", "nemune@", l.code} {
			if strings.Contains(string(a.body), secret) {
				t.Errorf("%s: the public page tells %s", state, secret)
			}
		}
		for _, unknown := range []string{"67ffffffffffffffffffffffffffffffffff", "nonsense", "<script>"} {
			a := l.get("", "/verify?serial="+url.QueryEscape(unknown))
			if a.StatusCode != 200 || !strings.Contains(string(a.body), "صادر نشده") || strings.Contains(string(a.body), "<script>") {
				t.Errorf("%s: %d %s", unknown, a.StatusCode, a.body)
			}
		}
		print := l.fingerprint
		for _, form := range []string{"fingerprint=" + print, "fingerprint=" + strings.ToUpper(print[:32]) + "+" + print[32:], "serial=" + print} {
			if a := l.get("", "/verify?"+form); a.StatusCode != 200 || !strings.Contains(string(a.body), "standing valid") && !strings.Contains(string(a.body), "standing revoked") {
				t.Errorf("by %s: %d %s", form, a.StatusCode, a.body)
			}
		}
		if a := l.get("", "/verify?fingerprint="+strings.Repeat("ab", 32)); a.StatusCode != 200 || !strings.Contains(string(a.body), "standing unknown") {
			t.Errorf("by a fingerprint of nothing: %d %s", a.StatusCode, a.body)
		}
		if a := l.get("", "/verify"); a.StatusCode != 200 || !strings.Contains(string(a.body), "<form") {
			t.Errorf("the bare form: %d", a.StatusCode)
		}
	}
}

// question is an OCSP request about a serial.
func (l *told) question(t testing.TB, serial string) []byte {
	t.Helper()
	n, ok := new(big.Int).SetString(serial, 16)
	if !ok {
		t.Fatal(serial)
	}
	der, err := ocsp.CreateRequest(&x509.Certificate{SerialNumber: n}, l.ca.Certificate(), &ocsp.RequestOptions{Hash: crypto.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func (l *told) postOCSP(t *testing.T, request []byte) (answer []byte, h http.Header) {
	t.Helper()
	r, err := http.Post(l.url+"/pki/ocsp", "application/ocsp-request", bytes.NewReader(request))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/ocsp-response" {
		t.Fatalf("%d %s %v", r.StatusCode, body, err)
	}
	return body, r.Header
}

func ocspSays(want int) func(*testing.T, *told) {
	return func(t *testing.T, l *told) {
		posted, header := l.postOCSP(t, l.question(t, l.serial))
		encoded := base64.StdEncoding.EncodeToString(l.question(t, l.serial))
		for name, path := range map[string]string{
			"escaped": "/pki/ocsp/" + url.PathEscape(encoded), "plain": "/pki/ocsp/" + encoded, "unpadded": "/pki/ocsp/" + strings.TrimRight(encoded, "="),
		} {
			a := l.get("", path)
			got, err := ocsp.ParseResponseForCert(a.body, &x509.Certificate{SerialNumber: serialOf(l.serial)}, l.ca.Certificate())
			if err != nil || got.Status != want || a.Header.Get("Content-Type") != "application/ocsp-response" {
				t.Fatalf("GET, %s: %d, %v", name, a.StatusCode, err)
			}
			if !strings.Contains(a.Header.Get("Cache-Control"), "max-age=") || a.Header.Get("ETag") == "" || a.Header.Get("Expires") == "" || a.Header.Get("Last-Modified") == "" {
				t.Errorf("GET, %s: %v", name, a.Header)
			}
		}
		got, err := ocsp.ParseResponse(posted, l.ca.Certificate())
		if err != nil || got.Status != want || header.Get("Cache-Control") != "no-store" {
			t.Errorf("POST: %+v, %v, %v", got, err, header)
		}
		if want == ocsp.Revoked && (got.RevocationReason != ocsp.PrivilegeWithdrawn || time.Since(got.RevokedAt) > time.Minute) {
			t.Errorf("revoked for %d at %v", got.RevocationReason, got.RevokedAt)
		}
		unknown, _ := l.postOCSP(t, l.question(t, "67ffffffffffffffffffffffffffffffffff"))
		if _, err := ocsp.ParseResponse(unknown, nil); err == nil {
			t.Error("a serial that was never issued has an answer that is signed")
		}
		if nonsense, _ := l.postOCSP(t, []byte("nonsense")); !bytes.Equal(nonsense, ocsp.MalformedRequestErrorResponse) {
			t.Errorf("nonsense is answered %x", nonsense)
		}
	}
}

func serialOf(text string) *big.Int {
	n, _ := new(big.Int).SetString(text, 16)
	return n
}

func crlHolds(revoked bool) func(*testing.T, *told) {
	return func(t *testing.T, l *told) {
		if !revoked {
			if p := l.get("", "/pki/issuer.crl").problem(t); p.Status != 404 {
				t.Errorf("before the first list: %+v", p)
			}
			if err := l.publisher.Publish(t.Context(), commands.Caller{Policy: "daily-crl", Key: "1"}); err != nil {
				t.Fatal(err)
			}
			l.settle()
		}
		head, err := l.log.Head(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := l.get("", "/pki/issuer.crl?after="+head.String())
		list, err := x509.ParseRevocationList(a.body)
		if err != nil || list.CheckSignatureFrom(l.ca.Certificate()) != nil {
			t.Fatalf("%s: %v", a.body, err)
		}
		holds := false
		for _, e := range list.RevokedCertificateEntries {
			holds = holds || e.SerialNumber.Cmp(serialOf(l.serial)) == 0
		}
		if holds != revoked || a.Header.Get("Content-Type") != "application/pkix-crl" || a.Header.Get("ETag") != `"`+list.Number.String()+`"` ||
			!strings.Contains(a.Header.Get("Cache-Control"), "max-age=60") || a.Header.Get("Expires") == "" {
			t.Errorf("list %v holds it: %v, %v", list.Number, holds, a.Header)
		}
	}
}

func certificateStrangers(t *testing.T, l *told) {
	for _, persona := range []string{"stranger", "officer-other", "research-officer", "admin"} {
		for _, path := range []string{"", "/certificate.pem"} {
			if p := l.get(persona, "/certificates/"+l.serial+path).problem(t); p.Status != 404 || p.Code != "certificate-not-found" {
				t.Errorf("%s at %q: %+v", persona, path, p)
			}
		}
		if p := l.post(persona, "/certificates/"+l.serial+"/revocation", map[string]string{"reason": "superseded"}).problem(t); p.Status != 404 {
			t.Errorf("%s revokes: %+v", persona, p)
		}
	}
	for _, persona := range []string{"applicant", "officer-1", "auditor", "ca-operator"} {
		var c queries.Certificate
		l.get(persona, "/certificates/"+l.serial).json(t, &c)
		if c.Status != "valid" || c.Serial != l.serial {
			t.Errorf("%s sees %+v", persona, c)
		}
	}
}

func dashboards(t *testing.T, l *told) {
	var m queries.Management
	l.get("manager", "/management").json(t, &m)
	if len(m.States) == 0 || m.At.IsZero() {
		t.Errorf("got %+v", m)
	}
	for _, persona := range []string{"manager", "auditor", "ca-operator"} {
		a := l.get(persona, "/dashboard")
		if a.StatusCode != 200 || !strings.Contains(string(a.body), "تهران") || strings.Contains(string(a.body), "نمونه‌پور") {
			t.Errorf("%s: %d", persona, a.StatusCode)
		}
	}
	if !m.Audit.Overdue || !strings.Contains(string(l.get("manager", "/dashboard").body), "هنوز هیچ ممیزی‌ای") {
		t.Errorf("nobody is told that no audit was made: %+v", m.Audit)
	}
	l.audited(t, "2026-11-21", audit.Completed{Checked: 4, Differences: map[string]int{auditor.KeyTwice: 2}})
	l.get("auditor", "/management?after="+l.head(t)).json(t, &m)
	if m.Audit.Overdue || m.Audit.Checked != 4 || m.Audit.Found() != 2 || m.Audit.Day != "2026-11-21" {
		t.Errorf("the audit is %+v", m.Audit)
	}
	if page := string(l.get("auditor", "/dashboard").body); !strings.Contains(page, "۲ اختلاف یافته است") || !strings.Contains(page, "کلید تکراری") {
		t.Errorf("no differences in\n%s", page)
	}
}

// audited makes a day's audit find something.
func (l *told) audited(t *testing.T, day string, found audit.Completed) {
	t.Helper()
	if err := errors.Join(l.app.StartAudit(t.Context(), day), l.app.CompleteAudit(t.Context(), day, found)); err != nil {
		t.Fatal(err)
	}
}

func (l *told) head(t *testing.T) string {
	t.Helper()
	head, err := l.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return head.String()
}

func lists(t *testing.T, l *told) {
	var accesses []queries.Access
	l.get("research-officer", "/units/unit-rt/accesses").json(t, &accesses)
	if len(accesses) != 1 || !accesses[0].Active || accesses[0].UserName != "nemune" {
		t.Errorf("accesses %+v", accesses)
	}
	var tokens []queries.Token
	l.get("officer-1", "/offices/office-1/tokens?after="+l.position()).json(t, &tokens)
	if len(tokens) != 1 || tokens[0].Status != "delivered" {
		t.Errorf("tokens %+v", tokens)
	}
	var offices []queries.Office
	l.get("", "/offices").json(t, &offices)
	var tariffs []queries.Tariff
	l.get("", "/tariffs").json(t, &tariffs)
	if len(offices) != 3 || len(tariffs) != 1 {
		t.Errorf("%d offices, %d tariffs", len(offices), len(tariffs))
	}
	var me Me
	l.get("officer-1", "/me").json(t, &me)
	if len(me.Posts) != 1 || me.Posts[0].Place != "office-1" {
		t.Errorf("the officer is %+v", me)
	}
	appointed(t, l, me)
	var all []queries.Certificate
	l.get("auditor", "/certificates?status=valid").json(t, &all)
	if len(all) != 5 { // the responder's and the officers' too
		t.Errorf("%d certificates", len(all))
	}
}

// appointed: the list knows posts by pseudonym, and whoever appoints finds a
// person's by his national code.
func appointed(t *testing.T, l *told, officer Me) {
	var posts []queries.Appointment
	l.get("admin", "/appointments?office=office-1").json(t, &posts)
	if len(posts) != 2 || !posts[0].InForce || posts[0].Person != officer.Person && posts[1].Person != officer.Person {
		t.Errorf("the posts at the office are %+v", posts)
	}
	find := func(code string) answer {
		return l.ask("POST", "/appointments/search", `{"personCode":"`+code+`"}`, l.as("admin")...)
	}
	var found Me
	find("۹۹۹۲۰۰۵۰۵۱").json(t, &found)
	if found.Person != officer.Person || !slices.Equal(found.Posts, officer.Posts) {
		t.Errorf("the officer of that code is %+v, not %+v", found, officer)
	}
	if p := find("9992005052").problem(t); p.Status != 422 || p.Field != "personCode" {
		t.Errorf("a wrong code: %+v", p)
	}
}

// revokes follows a report of false information; a question with ?after=
// shows it whatever view it is answered from.
func revokes(t *testing.T, l *told) {
	a, after := l.done("stranger", "/certificates/"+l.serial+"/reports", map[string]string{"statement": "کارمند نیست"})
	var opened TrackingCode
	a.json(t, &opened)
	var cases []queries.Case
	l.get("ca-operator", "/cases?status=open&"+after).json(t, &cases)
	if len(cases) != 1 || cases[0].Number != opened.TrackingCode || cases[0].Statement == "" {
		t.Errorf("cases %+v", cases)
	}
	if p := l.post("officer-1", "/cases/"+opened.TrackingCode+"/establishment", map[string]string{"statement": "چنین است"}).problem(t); p.Status != 404 {
		t.Errorf("an officer decides: %+v", p)
	}
	_, after = l.done("ca-operator", "/cases/"+opened.TrackingCode+"/establishment", map[string]string{"statement": "چنین است"})
	l.state("revoked", after)
	var accesses []queries.Access
	l.get("research-officer", "/units/unit-rt/accesses?"+after).json(t, &accesses)
	if accesses[0].Active {
		t.Error("the access is active")
	}
	var c queries.Certificate
	l.get("applicant", "/certificates/"+l.serial+"?"+after).json(t, &c)
	if c.Status != "revoked" || *c.Reason != "privilegeWithdrawn" {
		t.Errorf("the certificate is %+v", c)
	}
}

func voidSheet(t *testing.T, l *told) {
	if p := l.get("applicant", "/requests/"+l.code+"/sheet.html").problem(t); p.Status != 409 || p.Code != "sheet-void" {
		t.Errorf("got %+v", p)
	}
}

// logDown: whether somebody may read is not known then; the thing is not gone.
func logDown(t *testing.T, l *told) {
	l.log.down.Store(true)
	defer l.log.down.Store(false)
	for _, path := range []string{"/requests/" + l.code, "/certificates/" + l.serial} {
		if p := l.get("auditor", path).problem(t); p.Status != 503 || p.Code != "log-unavailable" {
			t.Errorf("%s: %+v", path, p)
		}
	}
	if a := l.get("", "/pki/ocsp/"+base64.StdEncoding.EncodeToString(l.question(t, l.serial))); !bytes.Equal(a.body, ocsp.TryLaterErrorResponse) {
		t.Errorf("OCSP: %x", a.body)
	}
}

// TestTheRepositoryHoldsWhatItLists fetches everything that the page leads to.
func TestTheRepositoryHoldsWhatItLists(t *testing.T) {
	l := alive(t)
	before := l.get("", "/pki")
	if before.StatusCode != 200 || strings.Contains(string(before.body), "/pki/issuer.crl") {
		t.Errorf("before the first list: %d %s", before.StatusCode, before.body)
	}
	for range 2 {
		if err := l.publisher.Publish(t.Context(), commands.Caller{Policy: "daily-crl", Key: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	page := string(l.get("", "/pki").body)
	for _, address := range regexp.MustCompile(`href="(/pki/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		if a := l.get("", address[1]); a.StatusCode != 200 || len(a.body) == 0 {
			t.Errorf("%s: %d", address[1], a.StatusCode)
		}
	}
	for path, want := range map[string]*x509.Certificate{
		"/pki/issuer.cer": l.ca.Certificate(), "/pki/root.cer": l.ca.Root(), "/pki/issuer.pem": l.ca.Certificate(), "/pki/root.pem": l.ca.Root(),
	} {
		body := l.get("", path).body
		if block, _ := pem.Decode(body); block != nil {
			body = block.Bytes
		}
		if !bytes.Equal(body, want.Raw) || !strings.Contains(page, path) {
			t.Errorf("%s is not the certificate, or not on the page", path)
		}
	}
	other := l.ca.elder.Certificate()
	own := "/pki/" + pki.ShortOf(l.ca.elder.Issuer())
	for _, said := range []string{
		other.Subject.CommonName, own + "/issuer.cer", "http://door.example.ir" + own + "/ocsp", "http://door.example.ir/pki/ocsp", "در کار صدور", "هنوز فهرستی منتشر نشده است",
	} {
		if !strings.Contains(page, said) {
			t.Errorf("the page does not say %s", said)
		}
	}
	if !bytes.Equal(l.get("", own+"/issuer.cer").body, other.Raw) || strings.Contains(page, own+"/issuer.crl") {
		t.Error("the other issuer's own things are not there, or a list that it has not")
	}
	if a := l.get("", own+"/crls"); a.StatusCode != 200 || strings.TrimSpace(string(a.body)) != "[]" {
		t.Errorf("the other issuer's lists: %d %s", a.StatusCode, a.body)
	}
	l.documents(page)
	var lists []queries.CRL
	for deadline := time.Now().Add(10 * time.Second); len(lists) == 0 && time.Now().Before(deadline); {
		l.get("", "/pki/crls").json(t, &lists)
	}
	if sum := sha256.Sum256(l.get("", "/pki/issuer.crl").body); len(lists) != 1 || lists[0].SHA256 != nil && *lists[0].SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("lists: %+v", lists)
	}
}

// documents are listed with version, date of effect and hash, each under its own
// address for good; what is in effect, also under that which certificates cite.
func (l *life) documents(page string) {
	l.t.Helper()
	policy := string(l.get("", "/pki/cp").body)
	for _, d := range docs.Documents {
		path := "/pki/documents/" + d.ID()
		a := l.get("", path)
		sum := sha256.Sum256(a.body)
		hash := hex.EncodeToString(sum[:])
		if hash != d.SHA256() || a.Header.Get("ETag") != `"`+hash+`"` || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") {
			l.t.Errorf("%s has the hash %s, %v", path, hash, a.Header)
		}
		shown := strings.NewReplacer(" ", "", "\n", "").Replace(page)
		if !strings.Contains(page, `href="`+path+`"`) || !strings.Contains(strings.ToLower(shown), hash[:8]) || !strings.Contains(page, "تاریخ اثر") {
			l.t.Errorf("the repository does not list %s", path)
		}
		if current := docs.Current(d.Name); current.Version == d.Version && !bytes.Equal(l.get("", "/pki/"+d.Name).body, d.Body) {
			l.t.Errorf("%s is not what is in effect", path)
		}
	}
	for _, path := range []string{"/pki/documents/cps-9.9", "/pki/documents/cp-0.2", "/pki/documents/cps", "/pki/documents/..%2Fdocs.go"} {
		if p := l.get("", path).problem(l.t); p.Status != 404 {
			l.t.Errorf("%s: %+v", path, p)
		}
	}
	if !strings.Contains(policy, `href="/pki/cps"`) || !strings.Contains(string(l.get("", "/pki/cps").body), `href="/pki/cp"`) {
		l.t.Error("policy and statement do not name each other")
	}
	for _, p := range l.ca.Profiles().All() {
		if p.Policy != "" && (!strings.Contains(policy, ">"+p.Policy+"<") || !p.Retired && (!strings.Contains(policy, p.Title.Fa) || !strings.Contains(policy, p.Title.En))) {
			l.t.Errorf("the policy says nothing of %s, %s", p.ID(), p.Policy)
		}
	}
}
