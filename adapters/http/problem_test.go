package http

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/fault"
)

func TestEachKindOfFaultHasItsStatus(t *testing.T) {
	for kind, want := range map[fault.Kind]int{
		fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409,
		fault.TooMany: 429, fault.Unavailable: 503, fault.Erased: 410, fault.Internal: 500,
	} {
		refused := fault.New(kind, "some-code", "متن", "text").At("form.email")
		h := open(t, failing(func() error { return fmt.Errorf("deep: %w", errors.Join(refused, errors.New("cause"))) }))
		a := h.ask("GET", "/fail/x", "")
		p := a.problem(t)
		if a.StatusCode != want || p.Status != want {
			t.Errorf("kind %d: got %d", kind, a.StatusCode)
		}
		if kind != fault.Internal && (p.Code != "some-code" || p.Type != "urn:govahi:problem:some-code" || p.Field != "form.email" || p.Detail != "متن") {
			t.Errorf("kind %d: got %+v", kind, p)
		}
		if p.Title == "" {
			t.Errorf("kind %d has no title", kind)
		}
		if got := a.Header.Get("WWW-Authenticate") != ""; got != (want == 401) {
			t.Errorf("kind %d: WWW-Authenticate %v", kind, got)
		}
		if got := a.Header.Get("Retry-After") != ""; got != (want == 503 || want == 429) {
			t.Errorf("kind %d: Retry-After %v", kind, got)
		}
	}
}

func TestTheCallerChoosesTheLanguage(t *testing.T) {
	h := open(t, failing(func() error { return fault.New(fault.Conflict, "c", "فارسی", "English") }))
	for accept, want := range map[string]string{
		"": "fa", "fa-IR, en;q=0.5": "fa", "en": "en", "en-GB,fa;q=0.8": "en", "de, en;q=0.5": "en", "de": "fa", "%%%": "fa",
	} {
		a := h.ask("GET", "/fail/x", "", "Accept-Language", accept)
		detail := map[string]string{"fa": "فارسی", "en": "English"}[want]
		if got := a.Header.Get("Content-Language"); got != want || a.problem(t).Detail != detail || a.Header.Get("Vary") != "Accept, Accept-Language" {
			t.Errorf("Accept-Language %q: %s, %s", accept, got, a.body)
		}
	}
}

func TestOurOwnFaultsLeakNothingButACorrelation(t *testing.T) {
	for name, do := range map[string]func() error{
		"an error": func() error { return errors.New("pq: table secret_table") },
		"a panic":  func() error { panic("secret_table") },
		"a bad index": func() error {
			var none []string
			return errors.New(none[len("secret_table")])
		},
	} {
		h := open(t, failing(do))
		a := h.ask("GET", "/fail/9992009098?", "", "Accept-Language", "en")
		p := a.problem(t)
		if p.Status != 500 || p.Code != "internal" || p.Correlation == "" || strings.Contains(string(a.body), "secret") {
			t.Errorf("%s: %s", name, a.body)
		}
		log := h.said()
		if !strings.Contains(log, "correlation="+p.Correlation) || strings.Contains(log, "9992009098") {
			t.Errorf("%s: logged %s", name, log)
		}
		if name == "a panic" && (strings.Contains(log, "secret_table") || !strings.Contains(log, "problem_test.go")) {
			t.Errorf("%s: logged %s", name, log)
		}
	}
}

func TestALateAnswerIsUnavailable(t *testing.T) {
	h := open(t, failing(func() error { return fmt.Errorf("read: %w", context.DeadlineExceeded) }))
	if p := h.ask("GET", "/fail/x", "").problem(t); p.Status != 503 || p.Code != "timed-out" {
		t.Fatalf("got %+v", p)
	}
}

func TestTheAccessLogHasTemplatesAndNoPaths(t *testing.T) {
	h := open(t, things)
	h.ask("GET", "/things/9992009098?after=1", "", h.as("applicant")...)
	h.ask("GET", "/nowhere/9992009098", "")
	log := h.said()
	for _, want := range []string{"method=GET route=/things/{id} status=200 ms=", "route=none status=404 code=route-not-found"} {
		if !strings.Contains(log, want) {
			t.Errorf("no %q in %s", want, log)
		}
	}
	if strings.Contains(log, "9992009098") {
		t.Errorf("a code was logged: %s", log)
	}
}

func TestWhatReachesNoOperation(t *testing.T) {
	h := open(t, things)
	for _, c := range []struct {
		method, path string
		status       int
		code         string
	}{
		{"GET", "/nowhere", 404, "route-not-found"},
		{"GET", "/Health/live", 404, "route-not-found"},
		{"GET", "/health/live/", 404, "route-not-found"},
		{"DELETE", "/health/live", 405, "method-not-allowed"},
	} {
		if p := h.ask(c.method, c.path, "").problem(t); p.Status != c.status || p.Code != c.code || p.Detail == "" {
			t.Errorf("%s %s: %+v", c.method, c.path, p)
		}
	}
}

func TestTooLargeRequests(t *testing.T) {
	h := open(t, things)
	for head, code := range map[string]string{
		"POST /things/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n":                       "body-too-large",
		"GET /health/live HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", headerLimit) + "\r\n\r\n": "headers-too-large",
	} {
		if p := h.send(head).problem(t); p.Code != code || p.Detail == "" || p.Status != map[string]int{"body-too-large": 400, "headers-too-large": 431}[code] {
			t.Errorf("got %+v", p)
		}
	}
}

// TestWhatCannotBeReadIsAnsweredAndLogged: no middleware sees such requests.
func TestWhatCannotBeReadIsAnsweredAndLogged(t *testing.T) {
	h := open(t, things)
	for head, want := range map[string]struct {
		status int
		code   string
	}{
		"POST /things/1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n": {400, "body-too-large"},
		"CANARY /things/1 HTTP/1.1\r\nHost: h\r\n\r\n":                          {405, "method-not-allowed"},
		"get /things/1 HTTP/1.1\r\nHost: h\r\n\r\n":                             {405, "method-not-allowed"},
		"POST /things/1 HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n":       {400, "request-malformed"},
		"CANARY\r\n\r\n": {400, "request-malformed"},
	} {
		a := h.send(head)
		if p := a.problem(t); p.Status != want.status || p.Code != want.code || strings.Contains(string(a.body), "CANARY") {
			t.Errorf("%q: %+v", head, p)
		}
	}
	log := h.said()
	for _, want := range []string{"status=400 code=body-too-large", "status=405 code=method-not-allowed", "status=400 code=request-malformed"} {
		if !strings.Contains(log, "route=none "+want) {
			t.Errorf("no %s in %s", want, log)
		}
	}
	if strings.Contains(log, "CANARY") {
		t.Errorf("logged %s", log)
	}
}

// send writes a request as it stands, for what a polite client would not send.
func (h *house) send(text string) answer {
	h.t.Helper()
	conn := h.dial()
	defer conn.Close()
	_, _ = io.WriteString(conn, text) // the server may hang up before it read all
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		h.t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		h.t.Fatal(err)
	}
	return answer{response, body}
}

func (h *house) dial() net.Conn {
	h.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		h.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second)) // what never comes must not hold the test
	return conn
}

func TestBodies(t *testing.T) {
	h := open(t, things)
	for name, c := range map[string]struct {
		body           string
		status         int
		code           string
		field, pointer string
	}{
		"too short":        {`{"name":"x","count":1}`, 400, "field-too-short", "name", "/name"},
		"too long":         {`{"name":"9992009098-x","count":1}`, 400, "field-too-long", "name", "/name"},
		"missing":          {`{"name":"anvil"}`, 400, "field-required", "count", "/count"},
		"unknown":          {`{"name":"anvil","count":1,"colour":"9992009098"}`, 400, "field-unknown", "*", "/*"},
		"unknown, hostile": {`{"name":"anvil","count":1,"9992009098":1}`, 400, "field-unknown", "*", "/*"},
		"other case":       {`{"name":"anvil","count":1,"Name":"b"}`, 400, "field-unknown", "*", "/*"},
		"wrong type":       {`{"name":"anvil","count":"9992009098"}`, 400, "field-type", "count", "/count"},
		"not listed":       {`{"name":"anvil","count":1,"kind":"9992009098"}`, 400, "field-not-listed", "kind", "/kind"},
		"out of range":     {`{"name":"anvil","count":0}`, 400, "field-out-of-range", "count", "/count"},
		"deep":             {`{"name":"anvil","count":1,"parts":[{"code":"a"},{"code":"9992009098"}]}`, 400, "field-pattern", "parts.1.code", "/parts/1/code"},
		"not JSON":         {`{"name":"9992009098`, 400, "request-malformed", "name", "/name"},
		"not an object":    {`"9992009098"`, 400, "field-type", "", ""},
		"empty":            {``, 400, "body-missing", "", ""},
	} {
		for _, language := range []string{"fa", "en"} {
			headers := append(h.commanding("applicant", "k"), "Accept-Language", language)
			a := h.ask("POST", "/things/7", c.body, headers...)
			p := a.problem(t)
			if p.Status != c.status || p.Code != c.code || p.Field != c.field || p.Pointer != c.pointer || p.Detail == "" {
				t.Errorf("%s: %s", name, a.body)
			}
			if strings.Contains(string(a.body), "9992009098") {
				t.Errorf("%s: the submitted value came back: %s", name, a.body)
			}
		}
	}
}

func TestSeveralWrongFieldsAreAllNamed(t *testing.T) {
	h := open(t, things)
	a := h.ask("POST", "/things/7", `{"name":"x","count":0,"kind":"blue"}`, h.commanding("applicant", "k")...)
	p := a.problem(t)
	var fields []string
	for _, e := range p.Errors {
		fields = append(fields, e.Field)
		if e.Detail == "" || e.Code == "" {
			t.Errorf("%+v says nothing", e)
		}
	}
	if strings.Join(fields, " ") != "count kind name" || p.Field != "count" {
		t.Fatalf("got %s", a.body)
	}
}

func TestCodedAndForeignBodiesAreRefused(t *testing.T) {
	h := open(t, things)
	var packed strings.Builder
	w := gzip.NewWriter(&packed)
	fmt.Fprint(w, `{"name":"anvil","count":1}`)
	w.Close()
	headers := h.commanding("applicant", "k")
	for name, c := range map[string][]string{
		packed.String():               append(headers, "Content-Encoding", "gzip"),
		`{"name":"anvil","count":1}`:  append(headers, "Content-Type", "application/cbor"),
		`{"name":"anvil","count":1} `: append(headers, "Content-Encoding", "br"),
	} {
		if p := h.ask("POST", "/things/7", name, c...).problem(t); p.Status != 400 || p.Code != "media-type-unsupported" {
			t.Errorf("%v: %+v", c[len(c)-2:], p)
		}
	}
}

func TestProblemsHaveNoInstanceAndNoEmptyParts(t *testing.T) {
	h := open(t, things)
	var members map[string]any
	if err := json.Unmarshal(h.ask("GET", "/nowhere", "").body, &members); err != nil {
		t.Fatal(err)
	}
	if len(members) != 5 {
		t.Fatalf("got %v", members)
	}
}

// TestAFaultPointsIntoTheBodyOfItsOperation, and nowhere else.
func TestAFaultPointsIntoTheBodyOfItsOperation(t *testing.T) {
	var refused error
	h := open(t, func(s *Server) {
		Command(s, makeOperation, func(context.Context, commands.Caller, *makeThing) (commands.Receipt, Nothing, error) {
			return commands.Receipt{}, Nothing{}, refused
		})
	})
	wrong := fault.New(fault.Invalid, "wrong", "نادرست", "wrong")
	for field, pointer := range map[string]string{
		"name": "/name", "parts.0.code": "/parts/0/code", "parts": "/parts", "elsewhere": "", "name.x": "", "Idempotency-Key": "", "": "",
	} {
		refused = wrong.At(field)
		p := h.ask("POST", "/things/7", `{"name":"anvil","count":1}`, h.commanding("applicant", "k")...).problem(t)
		if p.Status != 422 || p.Field != field || p.Pointer != pointer || len(p.Errors) != 0 {
			t.Errorf("%s: %+v", field, p)
		}
	}
	refused = errors.Join(wrong.At("count"), fmt.Errorf("deep: %w", wrong.At("name")), fault.New(fault.Conflict, "other", "", ""))
	p := h.ask("POST", "/things/7", `{"name":"anvil","count":1}`, h.commanding("applicant", "k")...).problem(t)
	if len(p.Errors) != 2 || p.Errors[0].Pointer != "/count" || p.Errors[1].Pointer != "/name" || p.Errors[1].Detail != "نادرست" || p.Pointer != "/count" {
		t.Errorf("several: %+v", p)
	}
}
