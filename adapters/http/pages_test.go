package http

import (
	"net/url"
	"strings"
	"testing"

	"govahi/adapters/web"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
)

// browser is what a browser says that it prefers.
var browser = []string{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language", "en"}

// page expects an answer as a page that is right-to-left, Persian and kept to
// itself.
func (a answer) page(t *testing.T, status int) string {
	t.Helper()
	html := string(a.body)
	if a.StatusCode != status || a.Header.Get("Content-Type") != pageType || a.Header.Get("Content-Security-Policy") != web.Policy ||
		!strings.Contains(html, `<html lang="fa" dir="rtl">`) {
		t.Fatalf("%d %v %s", a.StatusCode, a.Header, a.body)
	}
	return html
}

func TestABrowserSeesRefusalsAsPages(t *testing.T) {
	l := bare(t).open(t, House{})
	l.log.down.Store(true)
	for path, c := range map[string]struct {
		status int
		code   string
	}{
		"/verify?serial=" + strings.Repeat("x", 121) + canary: {400, "field-too-long"},
		"/verify?canary=" + canary:                            {400, "field-unknown"},
		"/verify?serial=%ff":                                  {400, "parameter-characters"},
		"/verify?serial=67ab":                                 {503, "log-unavailable"},
		"/" + canary:                                          {404, "route-not-found"},
		"/dashboard":                                          {401, "token-missing"},
	} {
		html := l.ask("GET", path, "", browser...).page(t, c.status)
		if !strings.Contains(html, `role="alert"`) || strings.Contains(html, "canary") || strings.Contains(html, "ZgotmplZ") ||
			strings.Contains(html, `action="/verify"`) != strings.HasPrefix(path, "/verify") {
			t.Errorf("%s: %s", path, html)
		}
		for _, accept := range []string{"", "*/*", jsonType, problemType, "application/json, text/html;q=0.5"} {
			if p := l.ask("GET", path, "", "Accept", accept).problem(t); p.Code != c.code || p.Status != c.status {
				t.Errorf("%s for %q: %+v", path, accept, p)
			}
		}
	}
}

func TestAPageKeepsTheRefusalsHeaders(t *testing.T) {
	h := open(t, failing(func() error { return fault.New(fault.Unavailable, "down", "در دسترس نیست", "down") }))
	a := h.ask("GET", "/fail/x", "", browser...)
	if html := a.page(t, 503); !strings.Contains(html, "در دسترس نیست") || a.Header.Get("Retry-After") == "" || a.Header.Get("Content-Language") != "fa" {
		t.Errorf("%v %s", a.Header, html)
	}
	h = open(t, failing(func() error { panic("secret_table") }))
	if html := h.ask("GET", "/fail/x", "", browser...).page(t, 500); !strings.Contains(html, "شناسهٔ پیگیری") || strings.Contains(html, "secret_table") {
		t.Errorf("%s", html)
	}
}

// TestHEADIsGETWithoutItsBody: RFC 9110 §9.3.2.
func TestHEADIsGETWithoutItsBody(t *testing.T) {
	l := bare(t).open(t, House{})
	for _, path := range []string{"/", "/verify", "/track", "/docs", "/openapi.json", "/health/ready", "/pki/issuer.cer", "/pki/chain.pem", "/liability-notice", "/nowhere", "/me"} {
		get, head := l.ask("GET", path, ""), l.ask("HEAD", path, "")
		if head.StatusCode != get.StatusCode || len(head.body) != 0 || head.Header.Get("Content-Type") != get.Header.Get("Content-Type") ||
			head.Header.Get("Content-Length") != get.Header.Get("Content-Length") {
			t.Errorf("%s: GET %d %v, HEAD %d %v", path, get.StatusCode, get.Header, head.StatusCode, head.Header)
		}
	}
	if a := l.ask("HEAD", "/tracking", ""); a.StatusCode != 405 {
		t.Errorf("HEAD where there is no GET: %d", a.StatusCode)
	}
	if log := l.said(); !strings.Contains(log, "method=HEAD route=/verify status=200") {
		t.Errorf("logged %s", log)
	}
}

func TestTheAccessLogHasTheCodeOfARefusal(t *testing.T) {
	h := open(t, things)
	h.ask("GET", "/things/7", "")
	h.ask("POST", "/things/7", `{"name":"`+canary+`"}`, h.commanding("applicant", "k")...)
	h.ask("GET", "/things/7", "", h.as("applicant")...)
	log := h.said()
	for _, want := range []string{"status=401 code=token-missing ms=", "status=400 code=field-required ms=", "status=200 ms="} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in %s", want, log)
		}
	}
	if strings.Contains(log, "canary") {
		t.Errorf("logged %s", log)
	}
}

// track fills in the public form as a browser does.
func (l *life) track(fields string, headers ...string) answer {
	l.t.Helper()
	return l.ask("POST", "/track", fields, append([]string{"Content-Type", formType}, headers...)...)
}

func TestTheTrackingFormTakesItsTwoFieldsAlone(t *testing.T) {
	l := bare(t).open(t, House{})
	if html := l.ask("GET", "/track", "", browser...).page(t, 200); !strings.Contains(html, `<form action="/track" method="post"`) || strings.Contains(html, `role="status"`) {
		t.Errorf("%s", html)
	}
	for fields, code := range map[string]string{
		"": "body-missing", "trackingCode=1": "form-malformed", "lastFour=1": "form-malformed", canary: "form-malformed",
		"trackingCode=1&lastFour=2&lastFour=3": "form-malformed", "trackingCode=1&lastFour=2&" + canary + "=3": "form-malformed",
		"trackingCode=%zz&lastFour=" + canary: "form-malformed",
	} {
		if p := l.track(fields).problem(t); p.Status != 400 || p.Code != code {
			t.Errorf("%q: %+v", fields, p)
		}
		html := l.track(fields, browser...).page(t, 400)
		if !strings.Contains(html, `<form action="/track" method="post"`) || strings.Contains(html, "canary") {
			t.Errorf("%q: %s", fields, html)
		}
	}
	if p := l.ask("POST", "/track", `{"trackingCode":"1","lastFour":"2"}`).problem(t); p.Status != 400 || p.Code != "media-type-unsupported" {
		t.Errorf("JSON: %+v", p)
	}
	if p := l.ask("GET", "/track?trackingCode=050000000018&lastFour=4567", "").problem(t); p.Status != 400 || p.Code != "field-unknown" {
		t.Errorf("in the address: %+v", p)
	}
}

// trackingPage asks as a person does, on a telephone's browser.
func trackingPage(t *testing.T, l *told) {
	fields := func(code, last string) string {
		return url.Values{"trackingCode": {code}, "lastFour": {last}}.Encode()
	}
	html := l.track(fields(iran.PersianDigits(iran.GroupTrackingCode(l.code)), "۱۲۳۴"), browser...).page(t, 200)
	for _, must := range []string{"بررسی‌شده", "دفتر نمونه", iran.PersianDigits(iran.GroupTrackingCode(l.code)), `role="status"`} {
		if !strings.Contains(html, must) {
			t.Errorf("no %s in %s", must, html)
		}
	}
	for _, secret := range []string{"نمونه‌پور", "9992009098", "0912", "example", `value="`} {
		if strings.Contains(html, secret) {
			t.Errorf("the page tells %s", secret)
		}
	}
	refused := map[string]bool{}
	for _, c := range [][2]string{{l.code, "0000"}, {l.code, ""}, {"050000000018", "1234"}, {"nonsense", "1234"}, {l.code, "\x00\xff"}} {
		refused[l.track(fields(c[0], c[1]), browser...).page(t, 404)] = true
		if p := l.track(fields(c[0], c[1])).problem(t); p.Status != 404 || p.Code != "request-not-found" {
			t.Errorf("%v: %+v", c, p)
		}
	}
	if len(refused) != 1 {
		t.Error("an unknown code and wrong digits are told apart")
	}
}

// formProblems: what is wrong is named field by field, and what is only doubtful
// is accepted with a warning.
func formProblems(t *testing.T, l *told) {
	a := l.post("applicant-2", "/requests", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"})
	var opened TrackingCode
	a.json(t, &opened)
	path, in := "/requests/"+opened.TrackingCode+"/form", form()
	in.PersonCode, in.Surname, in.BirthDate, in.Organization = "9992009098", canary, "1404/12/30", "33333333333"
	for language, word := range map[string]string{"fa": "شناسه ملی", "en": "company national ID"} {
		p := l.ask("POST", path, compact(in), append(l.commanding("applicant-2", "wrong-"+language), "Accept-Language", language)...).problem(t)
		var pointers []string
		for _, e := range p.Errors {
			pointers = append(pointers, e.Code+" "+e.Pointer)
		}
		if got := strings.Join(pointers, ", "); p.Status != 422 || p.Field != "surname" || p.Pointer != "/surname" ||
			got != "persian-name-invalid /surname, birth-date-invalid /birthDate, company-id-invalid /organization" || !strings.Contains(p.Errors[2].Detail, word) {
			t.Errorf("%s: %+v", language, p)
		}
	}
	in = form()
	in.PersonCode, in.Organization, in.PostalCode = personOf("applicant-2"), "10999001014", "1111619735"
	for language, word := range map[string]string{"fa": "رقم کنترل", "en": "check digit"} {
		a := l.ask("POST", path, compact(in), append(l.commanding("applicant-2", "doubtful"), "Accept-Language", language)...)
		var w Warned
		a.json(t, &w)
		if a.StatusCode != 202 || len(w.Warnings) != 2 || w.Warnings[0].Pointer != "/postalCode" || w.Warnings[1].Pointer != "/organization" ||
			w.Warnings[1].Code != "company-id-doubtful" || !strings.Contains(w.Warnings[1].Detail, word) || strings.Contains(string(a.body), "10999001014") {
			t.Errorf("%s: %d %s", language, a.StatusCode, a.body)
		}
	}
	l.settle()
	if p := l.get("applicant-2", "/requests?after="+event.Position(1<<62).String()).problem(t); p.Status != 422 || p.Code != "position-ahead" {
		t.Errorf("a position that is not there: %+v", p)
	}
}
