package http

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// public lists the operations that anybody may ask, without a token.
var public = []string{
	"get-live", "get-ready", "list-offices", "list-tariffs", "track-request", "get-liability-notice",
	"get-crl", "list-crls", "get-issuer", "get-issuer-pem", "get-root", "get-root-pem", "get-cps", "get-cp", "get-policy-document", "get-repository", "get-chain", "get-ocsp", "post-ocsp",
	"get-issuers-crl", "list-issuers-crls", "get-issuers-certificate", "get-issuers-chain", "get-issuers-ocsp", "post-issuers-ocsp",
	"get-home", "verify-certificate", "get-track", "post-track", "get-report", "post-report",
	"list-tariffs-in-force", "get-tariffs-page", "get-blank-form", "get-offices-page", "get-guide", "list-gateways", "get-payment-callback", "post-payment-callback",
}

// searches are questions about personal data, which never stands in an address.
var searches = []string{"find-certificates", "search-office-requests", "find-appointments"}

// described is an operation as the OpenAPI document has it.
type described struct {
	OperationID string                `json:"operationId"`
	Summary     string                `json:"summary"`
	Tags        []string              `json:"tags"`
	Security    []map[string][]string `json:"security"`
	Parameters  []struct {
		Name, In string
		Required bool
	} `json:"parameters"`
	Responses   map[string]any `json:"responses"`
	RequestBody struct {
		Content map[string]any `json:"content"`
	} `json:"requestBody"`

	method, path string
}

func (d described) takes(name string) bool {
	for _, p := range d.Parameters {
		if p.Name == name {
			return true
		}
	}
	return false
}

// somewhere is a path of the operation with something in each place.
func (d described) somewhere() string {
	return strings.NewReplacer("{code}", "050000000018", "{office}", "office-1", "{serial}", "67ab", "{unit}", "unit-rt", "*", "MA==",
		"{attempt}", "0123456789abcdef0123456789abcdef", "{token}", "00", "{document}", "cps-0.1").Replace(d.path)
}

func (h *house) operations() []described {
	h.t.Helper()
	a := h.ask("GET", "/openapi.json", "")
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]described
	}
	if err := json.Unmarshal(a.body, &document); err != nil || !strings.HasPrefix(document.OpenAPI, "3.1") {
		h.t.Fatalf("OpenAPI %q, %v", document.OpenAPI, err)
	}
	var all []described
	for path, methods := range document.Paths {
		for method, d := range methods {
			d.method, d.path = strings.ToUpper(method), path
			all = append(all, d)
		}
	}
	return all
}

func TestTheDocumentListsEveryOperation(t *testing.T) {
	l := bare(t).open(t, House{})
	listed, ids := map[string]bool{}, map[string]bool{}
	for _, d := range l.operations() {
		listed[d.method+" "+fiberPath(d.path)] = true
		if d.OperationID == "" || ids[d.OperationID] || d.Summary == "" || len(d.Tags) != 1 || len(d.Responses) == 0 {
			t.Errorf("%s %s is described by %+v", d.method, d.path, d)
		}
		ids[d.OperationID] = true
	}
	for route := range l.declared {
		if !listed[route] && !strings.Contains(route, "/dev/") && route != "GET /openapi.json" && route != "GET /docs" {
			t.Errorf("%s is not in the document", route)
		}
	}
	if len(ids) < 50 {
		t.Errorf("%d operations", len(ids))
	}
}

func TestEveryOperationAsksWhoIsThere(t *testing.T) {
	l := bare(t).open(t, House{})
	for _, d := range l.operations() {
		if slices.Contains(public, d.OperationID) {
			if len(d.Security) != 0 {
				t.Errorf("%s is public and asks for a token", d.OperationID)
			}
			continue
		}
		p := l.ask(d.method, d.somewhere(), "").problem(t)
		if p.Status != 401 || p.Code != "token-missing" || len(d.Security) != 1 {
			t.Errorf("%s answers a stranger %+v", d.OperationID, p)
		}
		if command := d.takes("Idempotency-Key"); command != (d.method == "POST" && !slices.Contains(searches, d.OperationID)) {
			t.Errorf("%s asks for a key: %v", d.OperationID, command)
		} else if !command {
			continue
		}
		if p := l.ask(d.method, d.somewhere(), "{}", l.as("stranger")...).problem(t); p.Status != 400 || p.Code != "idempotency-key-missing" {
			t.Errorf("%s without a key: %+v", d.OperationID, p)
		}
	}
}

// TestNoImageCanBeSent: originals are sighted, never copied (S3.5, invariant 9).
// The house takes JSON, OCSP requests and one small form, and no file of any kind.
func TestNoImageCanBeSent(t *testing.T) {
	l := bare(t).open(t, House{})
	bodies := 0
	for _, d := range l.operations() {
		for content := range d.RequestBody.Content {
			bodies++
			if allowed := map[string]string{"post-ocsp": "application/ocsp-request", "post-issuers-ocsp": "application/ocsp-request", "post-track": formType, "post-payment-callback": formType, "post-report": formType}[d.OperationID]; content != cmp.Or(allowed, jsonType) {
				t.Errorf("%s takes %s", d.OperationID, content)
			}
		}
	}
	if bodies < 20 {
		t.Errorf("%d operations take a body", bodies)
	}
	for _, content := range []string{"image/png", "image/jpeg", "application/pdf", "multipart/form-data; boundary=b"} {
		headers := append(l.commanding("officer-1", "image"), "Content-Type", content)
		if p := l.ask("POST", "/requests/050000000018/documents", "\x89PNG", headers...).problem(t); p.Status != 400 || p.Code != "media-type-unsupported" {
			t.Errorf("%s: %+v", content, p)
		}
	}
}

func TestNothingPersonalIsAskedInAnAddress(t *testing.T) {
	l := bare(t).open(t, House{})
	for _, d := range l.operations() {
		for _, p := range d.Parameters {
			if p.In == "header" {
				continue
			}
			if !slices.Contains([]string{"code", "office", "unit", "serial", "number", "fingerprint", "state", "status", "after", "*", "attempt", "token", "issuer", "document", "purpose", "from", "to", "before"}, p.Name) {
				t.Errorf("%s takes %s in its %s", d.OperationID, p.Name, p.In)
			}
		}
	}
	if a := l.ask("GET", "/tracking?trackingCode=050000000018&lastFour=4567", ""); a.StatusCode != 405 && a.StatusCode != 404 {
		t.Errorf("tracking by GET: %d", a.StatusCode)
	}
	if p := l.ask("POST", "/tracking?lastFour=4567", `{"trackingCode":"050000000018","lastFour":"4567"}`).problem(t); p.Code != "field-unknown" {
		t.Errorf("tracking with the mobile in the address: %+v", p)
	}
}

func TestTheNoticeIsThere(t *testing.T) {
	l := bare(t).open(t, House{})
	var notice LiabilityNotice
	l.ask("GET", "/liability-notice", "").json(t, &notice)
	if notice.Version == "" || len(notice.TextHash) != 64 || notice.Text == "" {
		t.Errorf("got %+v", notice)
	}
}

func TestTheFirstPageLeadsOn(t *testing.T) {
	l := bare(t).open(t, House{})
	a := l.ask("GET", "/", "")
	for _, address := range []string{"/verify", "/track", "/docs", "/pki/issuer.crl", "/pki/issuer.cer", "/pki/root.cer", "/pki"} {
		if !strings.Contains(string(a.body), address) {
			t.Errorf("the first page does not lead to %s", address)
		}
	}
	if a.StatusCode != 200 || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") || !strings.Contains(string(a.body), `dir="rtl"`) {
		t.Errorf("%d %s", a.StatusCode, a.Header.Get("Content-Type"))
	}
}

// TestALogThatIsDownIsNotAMissingRight: who may not be asked for is not known,
// so the answer is neither no nor not found.
func TestALogThatIsDownIsNotAMissingRight(t *testing.T) {
	l := bare(t).open(t, House{})
	l.log.down.Store(true)
	for _, d := range l.operations() {
		switch d.OperationID {
		case "review-record", "list-my-posts", "get-management", "get-dashboard", "list-cases", "list-certificates",
			"list-office-requests", "list-office-tokens", "list-unit-accesses", "list-appointments",
			"list-payments", "list-refunds", "list-office-payments", "list-office-refunds", "list-contracts":
		default:
			continue
		}
		a := l.ask(d.method, d.somewhere(), "", l.as("manager")...)
		if p := a.problem(t); p.Status != 503 || p.Code != "log-unavailable" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: %+v", d.OperationID, p)
		}
	}
}
