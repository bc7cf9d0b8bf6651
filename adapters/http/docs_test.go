package http

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

type openAPIDocument struct {
	OpenAPI string                               `json:"openapi"`
	Paths   map[string]map[string]map[string]any `json:"paths"`
	Parts   struct {
		Schemas map[string]map[string]any `json:"schemas"`
		Schemes map[string]any            `json:"securitySchemes"`
	} `json:"components"`
}

func TestOpenAPIListsWhatWasDeclared(t *testing.T) {
	h := open(t, things)
	a := h.ask("GET", "/openapi.json", "")
	var d openAPIDocument
	a.json(t, &d)
	if !strings.HasPrefix(d.OpenAPI, "3.1") || a.Header.Get("Content-Type") != openAPIType || d.Parts.Schemes["bearer"] == nil {
		t.Fatalf("%s %v", d.OpenAPI, a.Header)
	}
	make, get := d.Paths["/things/{id}"]["post"], d.Paths["/things/{id}"]["get"]
	if make["operationId"] != "make-thing" || make["security"] == nil || get["security"] == nil {
		t.Fatalf("got %v", make)
	}
	if names := parameters(t, make); names != "header:Idempotency-Key path:id" {
		t.Errorf("the command takes %s", names)
	}
	if names := parameters(t, get); names != "query:after path:id query:limit" {
		t.Errorf("the query takes %s", names)
	}
	if live := d.Paths["/health/live"]["get"]; live == nil || live["security"] != nil {
		t.Errorf("health: %v", live)
	}
	if d.Paths["/docs"] != nil || d.Paths["/dev/oidc/jwks"] != nil {
		t.Error("hidden operations are listed")
	}
	if d.Parts.Schemas["Thing"]["additionalProperties"] != false {
		t.Errorf("a thing may have unknown fields: %v", d.Parts.Schemas["Thing"])
	}
	if _, listed := d.Parts.Schemas["Problem"]; !listed {
		t.Error("problems are not described")
	}
}

func parameters(t *testing.T, operation map[string]any) string {
	t.Helper()
	data, err := json.Marshal(operation["parameters"])
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ In, Name string }
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range list {
		names = append(names, p.In+":"+p.Name)
	}
	return strings.Join(names, " ")
}

func TestOpenAPIDescribesAnswersAndHeaders(t *testing.T) {
	h := open(t, things)
	body := string(h.ask("GET", "/openapi.json", "").body)
	for _, want := range []string{"Govahi-Position", "application/problem+json", "#/components/schemas/ThingAnswer"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestDocsLoadNothingFromElsewhere(t *testing.T) {
	h := open(t, things)
	a := h.ask("GET", "/docs", "")
	if a.Header.Get("Content-Type") != pageType || !strings.Contains(string(a.body), `fetch("/openapi.json")`) {
		t.Fatalf("%v", a.Header)
	}
	if found := regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]+`).FindString(string(a.body)); found != "" {
		t.Errorf("it names %s", found)
	}
	policy := a.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy: %s", policy)
	}
}

func TestTheDevelopmentIssuerIsPublishedOnlyThere(t *testing.T) {
	h := open(t, things)
	for _, path := range []string{"/dev/oidc/.well-known/openid-configuration", "/dev/oidc/jwks"} {
		if a := h.ask("GET", path, ""); a.StatusCode != 200 || a.Header.Get("Content-Type") != "application/json" || !json.Valid(a.body) {
			t.Errorf("%s: %d %s", path, a.StatusCode, a.body)
		}
		production := open(t, things, func(c *Config) { c.DevIssuer = nil })
		if a := production.ask("GET", path, ""); a.StatusCode != 404 {
			t.Errorf("%s in production: %d", path, a.StatusCode)
		}
	}
}
