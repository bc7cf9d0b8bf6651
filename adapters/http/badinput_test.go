package http

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// canary stands in every wrong request, and may come back in no answer.
const canary = "9992009098canary"

// document is the live OpenAPI document, as far as requests go.
type document struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]schema }
}

type operation struct {
	OperationID string
	RequestBody struct {
		Content map[string]struct{ Schema schema }
	}
}

type schema struct {
	Ref        string `json:"$ref"`
	Type       any    // a name, or a list with null
	Format     string
	Enum       []any
	Examples   []any
	Pattern    string
	MinLength  int
	MaxLength  int
	MinItems   int
	MaxItems   int
	Minimum    *float64
	Maximum    *float64
	Items      *schema
	Required   []string
	Properties map[string]schema
}

func (h *house) document() document {
	h.t.Helper()
	var d document
	h.ask("GET", "/openapi.json", "").json(h.t, &d)
	return d
}

func (d document) resolved(s schema) schema {
	if s.Ref != "" {
		return d.Components.Schemas[s.Ref[strings.LastIndex(s.Ref, "/")+1:]]
	}
	return s
}

func (s schema) is() string {
	if list, ok := s.Type.([]any); ok {
		return list[0].(string)
	}
	return s.Type.(string)
}

func (s schema) nullable() bool { return s.Type != s.is() }

// sample is a value of the right form.
func (d document) sample(s schema) any {
	s = d.resolved(s)
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.Examples) > 0:
		return s.Examples[0]
	case s.Format == "date-time":
		return "2026-11-22T10:30:00Z"
	}
	switch s.is() {
	case "object":
		return d.object(s)
	case "array":
		return []any{d.sample(*s.Items)}
	case "integer":
		if s.Minimum != nil {
			return *s.Minimum
		}
		return 1
	case "boolean":
		return true
	}
	return strings.Repeat("x", max(1, s.MinLength))
}

func (d document) object(s schema) map[string]any {
	whole := map[string]any{}
	for name, property := range s.Properties {
		whole[name] = d.sample(property)
	}
	return whole
}

// abuse is a request that is not of the operation's form.
type abuse struct {
	name, body, code string
	pointer          string // where the answer has to name it; ? is anywhere
	query            string
	headers          []string
}

// abuses are all ways in which the request may be wrong.
func (d document) abuses(s schema) []abuse {
	whole := d.object(s)
	first := slices.Sorted(maps.Keys(whole))[0]
	list := slices.Concat(rawAbuses(first), envelopeAbuses(compact(whole)))
	for name, property := range s.Properties {
		list = append(list, d.fieldAbuses(whole, name, d.resolved(property))...)
	}
	for _, name := range s.Required {
		list = append(list, abuse{name: "without " + name, body: compact(without(whole, name)), code: "field-required", pointer: "/" + name})
	}
	return list
}

func compact(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func without(whole map[string]any, name string) map[string]any {
	part := maps.Clone(whole)
	delete(part, name)
	return part
}

func with(whole map[string]any, name string, value any) string {
	changed := maps.Clone(whole)
	changed[name] = value
	return compact(changed)
}

// rawAbuses are those that a parsed body no longer shows.
func rawAbuses(first string) []abuse {
	member := func(value string) string { return `{"` + first + `":` + value + `}` }
	escaped := fmt.Sprintf(`{"%s":"%s","\u%04x%s":"%s"}`, first, canary, first[0], first[1:], canary)
	return []abuse{
		{name: "broken UTF-8", body: member(`"` + canary + "\xff\""), code: "json-not-utf8", pointer: "/" + first},
		{name: "overlong UTF-8", body: member(`"` + canary + "\xc0\xaf\""), code: "json-not-utf8", pointer: "/" + first},
		{name: "a surrogate in UTF-8", body: member(`"` + canary + "\xed\xa0\x80\""), code: "json-not-utf8", pointer: "/" + first},
		{name: "UTF-16", body: "\xff\xfe{\x00}\x00", code: "json-not-utf8", pointer: "?"},
		{name: "a high surrogate", body: member(`"` + canary + `\ud83d"`), code: "json-lone-surrogate", pointer: "/" + first},
		{name: "a low surrogate", body: member(`"` + canary + `\ude00"`), code: "json-lone-surrogate", pointer: "/" + first},
		{name: "surrogates in the wrong order", body: member(`"` + canary + `\ude00\ud83d"`), code: "json-lone-surrogate", pointer: "/" + first},
		{name: "a lone surrogate in a name", body: `{"` + canary + `\ud83d":1}`, code: "json-lone-surrogate", pointer: "?"},
		{name: "a name twice", body: `{"` + first + `":"` + canary + `","` + first + `":"` + canary + `"}`, code: "json-duplicate-key", pointer: "/" + first},
		{name: "a name twice, once escaped", body: escaped, code: "json-duplicate-key", pointer: "/" + first},
		{name: "an invented name twice", body: `{"` + canary + `":1,"` + canary + `":2}`, code: "json-duplicate-key", pointer: "/*"},
		{name: "a name twice, within", body: `{"` + canary + `":{"a":1,"a":2}}`, code: "json-duplicate-key", pointer: "/*/*"},
		{name: "33 arrays", body: member(strings.Repeat("[", 33) + `"` + canary + `"` + strings.Repeat("]", 33)), code: "json-too-deep", pointer: "?"},
		{name: "many objects", body: strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), code: "json-too-deep", pointer: "?"},
		{name: "1e999", body: member("1e999"), code: "field-out-of-range", pointer: "/" + first},
		{name: "U+0000", body: member(`"` + canary + `\u0000"`), code: "json-nul-character", pointer: "/" + first},
		{name: "U+0000 in a name", body: `{"` + canary + `\u0000":1}`, code: "json-nul-character", pointer: "/*"},
		{name: "a raw control character", body: member(`"` + canary + "\x01\""), code: "request-malformed", pointer: "/" + first},
		{name: "an unknown escape", body: member(`"` + canary + `\x41"`), code: "request-malformed", pointer: "/" + first},
		{name: "NaN", body: member("NaN"), code: "request-malformed", pointer: "?"},
		{name: "a leading zero", body: member("007"), code: "request-malformed", pointer: "?"},
		{name: "single quotes", body: `{'` + canary + `':1}`, code: "request-malformed", pointer: "?"},
		{name: "a comment", body: `{/*` + canary + `*/}`, code: "request-malformed", pointer: "?"},
		{name: "a comma at the end", body: member(`"` + canary + `",`), code: "request-malformed", pointer: "?"},
		{name: "half an object", body: `{"` + first + `":"` + canary, code: "request-malformed", pointer: "?"},
		{name: "nothing", body: "", code: "body-missing"},
		{name: "blanks", body: " \n\t ", code: "body-missing"},
		{name: "a list", body: `["` + canary + `"]`, code: "field-type"},
		{name: "a text", body: `"` + canary + `"`, code: "field-type"},
		{name: "null", body: `null`, code: "field-type"},
		{name: "an unknown field", body: `{"` + canary + `":1}`, code: "field-unknown", pointer: "/*"},
	}
}

// envelopeAbuses are those around a body that is right.
func envelopeAbuses(right string) []abuse {
	list := []abuse{
		{name: "a byte order mark", body: "\xef\xbb\xbf" + right, code: "json-byte-order-mark"},
		{name: "garbage after the end", body: right + canary, code: "json-trailing-data"},
		{name: "a second object", body: right + `{"a":"` + canary + `"}`, code: "json-trailing-data"},
		{name: "a brace too many", body: right + `}`, code: "json-trailing-data"},
		{name: "an unknown query parameter", body: right, code: "field-unknown", query: "?" + canary + "=1"},
		{name: "a query that cannot be read", body: right, code: "query-malformed", query: "?a=%zz" + canary},
	}
	for _, media := range []string{
		"text/plain", "application/cbor", "application/json; charset=utf-16", "image/png", "multipart/form-data; boundary=b",
		"", "application/vnd.api+json", canary, "application/json; " + canary,
	} {
		list = append(list, abuse{name: "as " + media, body: right, code: "media-type-unsupported", headers: []string{"Content-Type", media}})
	}
	return append(list, abuse{name: "gzip", body: right, code: "media-type-unsupported", headers: []string{"Content-Encoding", "gzip"}})
}

// fieldAbuses are those of one field, the others being right.
func (d document) fieldAbuses(whole map[string]any, name string, s schema) []abuse {
	var list []abuse
	add := func(what string, value any, code string) {
		list = append(list, abuse{name: name + ": " + what, body: with(whole, name, value), code: code, pointer: "/" + name})
	}
	upper := without(whole, name)
	upper[strings.ToUpper(name[:1])+name[1:]] = whole[name]
	list = append(list, abuse{name: name + " in another case", body: compact(upper), code: "field-unknown", pointer: "/*"})
	if !s.nullable() {
		add("null", nil, "field-type")
	}
	switch s.is() {
	case "object":
		list = append(list, abuse{name: name + ": unknown inside", body: with(whole, name, map[string]any{canary: 1}), code: "field-unknown", pointer: "/" + name + "/*"})
	default:
		add("an object", map[string]any{"a": canary}, "field-type")
	}
	switch s.is() {
	case "string":
		add("a number", 12345, "field-type")
	case "integer":
		for text, code := range map[string]string{
			"1180591620717411303424": "field-out-of-range", "-1180591620717411303424": "field-out-of-range", "-1": "field-out-of-range",
			"1.5": "field-type", "1e2": "field-type", "1e999": "field-out-of-range", "-1e999": "field-out-of-range",
		} {
			add(text, json.Number(text), code)
		}
		add("a text", canary, "field-type")
	case "boolean":
		add("a text", canary, "field-type")
	case "array":
		add("many", slices.Repeat([]any{d.sample(*s.Items)}, s.MaxItems+1), "field-too-many")
	}
	switch {
	case len(s.Enum) > 0:
		add("not of the list", canary, "field-not-listed")
	case s.Format == "date-time":
		for _, moment := range []string{
			canary, "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-01-01",
			"2026-01-01T00:00:00,5Z", "1405/01/01", "2026-1-1T00:00:00Z", "2026-01-01T00:00:00+99:00",
		} {
			add(moment, moment, "field-format")
		}
	case s.Pattern != "":
		add("of another form", "!"+canary, "field-pattern")
	case s.MaxLength > 0 && s.is() == "string":
		add("too long", canary+strings.Repeat("x", s.MaxLength), "field-too-long")
	}
	if s.Maximum != nil {
		add("above the maximum", json.Number(strconv.FormatFloat(*s.Maximum+1, 'f', 0, 64)), "field-out-of-range")
	}
	if s.Minimum != nil {
		add("below the minimum", json.Number(strconv.FormatFloat(*s.Minimum-1, 'f', 0, 64)), "field-out-of-range")
	}
	return list
}

// TestWhatIsNotOfTheFormIsRefusedBeforeTheHandler sends every abuse to every
// operation with a JSON body, in both languages.
func TestWhatIsNotOfTheFormIsRefusedBeforeTheHandler(t *testing.T) {
	l := bare(t).open(t, House{})
	d, headers, sent := l.document(), l.commanding("stranger", "bad"), 0
	for path, methods := range d.Paths {
		for method, o := range methods {
			body, ok := o.RequestBody.Content[jsonType]
			if !ok {
				continue
			}
			s := d.resolved(body.Schema)
			at := described{path: path}.somewhere()
			if a := l.ask(strings.ToUpper(method), at, compact(d.object(s)), headers...); a.StatusCode == 400 {
				t.Errorf("%s: a right body is refused: %s", o.OperationID, a.body)
			}
			before, reads := l.head(), l.log.reads.Load()
			for _, a := range d.abuses(s) {
				l.refuses(o.OperationID, strings.ToUpper(method), at, a, headers)
				sent++
			}
			if l.head() != before || l.log.reads.Load() != reads {
				t.Errorf("%s: the handler was reached", o.OperationID)
			}
		}
	}
	if sent < 1500 {
		t.Errorf("only %d abuses", sent)
	}
}

func (l *life) refuses(operation, method, at string, a abuse, headers []string) {
	l.t.Helper()
	told := map[string]string{}
	for _, language := range []string{"fa", "en"} {
		got := l.ask(method, at+a.query, a.body, slices.Concat(headers, []string{"Content-Type", jsonType, "Accept-Language", language}, a.headers)...)
		if got.StatusCode != 400 {
			l.t.Errorf("%s: %s: %d %s", operation, a.name, got.StatusCode, got.body)
			return
		}
		p := got.problem(l.t)
		if p.Status != 400 || got.StatusCode != 400 || p.Code != a.code || p.Type != "urn:govahi:problem:"+a.code ||
			a.pointer != "?" && p.Pointer != a.pointer || got.Header.Get("Content-Language") != language {
			l.t.Errorf("%s: %s: want %s at %q, got %d %s", operation, a.name, a.code, a.pointer, got.StatusCode, got.body)
		}
		if strings.Contains(string(got.body), "canary") || strings.Contains(fmt.Sprint(got.Header), "canary") {
			l.t.Errorf("%s: %s comes back: %s", operation, a.name, got.body)
		}
		told[p.Detail] = language
	}
	if len(told) != 2 || told[""] != "" {
		l.t.Errorf("%s: %s is told as %v", operation, a.name, told)
	}
}

func TestTooLargeABodyIsRefusedEverywhere(t *testing.T) {
	l := bare(t).open(t, House{})
	for _, d := range l.operations() {
		if len(d.RequestBody.Content) == 0 {
			continue
		}
		head := d.method + " " + d.somewhere() + " HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n"
		if p := l.send(head).problem(t); p.Status != 400 || p.Code != "body-too-large" {
			t.Errorf("%s: %+v", d.OperationID, p)
		}
	}
	whole := `{"trackingCode":"` + strings.Repeat("x", bodyLimit-len(`{"trackingCode":"","lastFour":"1"}`)) + `","lastFour":"1"}`
	if p := l.ask("POST", "/tracking", whole).problem(t); len(whole) != bodyLimit || p.Code != "field-too-long" {
		t.Errorf("a body of the very limit: %+v", p)
	}
}

// TestAnOperationWithoutABodyTakesNone: what is sent to it would be ignored,
// while its sender believes that it counts.
func TestAnOperationWithoutABodyTakesNone(t *testing.T) {
	l := bare(t).open(t, House{})
	for _, d := range l.operations() {
		if d.method != "POST" || len(d.RequestBody.Content) > 0 {
			continue
		}
		reads := l.log.reads.Load()
		p := l.ask(d.method, d.somewhere(), `{"note":"`+canary+`"}`, l.commanding("stranger", "b")...).problem(t)
		if p.Status != 400 || p.Code != "body-unexpected" || l.log.reads.Load() != reads {
			t.Errorf("%s: %+v", d.OperationID, p)
		}
	}
}

// TestEveryExpectedFormIsSaid: who breaks a pattern or a format learns the form.
func TestEveryExpectedFormIsSaid(t *testing.T) {
	l := bare(t).open(t, House{})
	for name, s := range l.document().Components.Schemas {
		for field, p := range s.Properties {
			if p.Pattern != "" && len(p.Examples) == 0 {
				t.Errorf("%s.%s has a pattern and no example", name, field)
			}
		}
	}
	key := l.commanding("admin", "form")
	for path, c := range map[string][3]string{
		"/tariffs":                       {`{"product":"x","tokenRial":1,"issuanceRial":1,"validFrom":"tomorrow"}`, "field-format", "2026-11-22T10:30:00Z"},
		"/requests/050000000018/payment": {`{"provider":"BANK","terminal":"1","rrn":"1","trace":"1","amountRial":1}`, "field-pattern", "samplebank"},
		"/requests/050000000018/rejection": {
			`{"reason":"x"}`, "field-not-listed",
			"documents-missing, identity-mismatch, information-false, not-entitled, control-not-passed, applicant-no-answer",
		},
		"/requests/050000000018/confirmation": {`{"revision":"1","hash":"x","signature":"x"}`, "field-type", "a whole number"},
		"/erasures":                           {`{"personCode":"1","legalBasis":"court-order","x":1}`, "field-unknown", "legalBasis, personCode"},
	} {
		p := l.ask("POST", path, c[0], append(key, "Accept-Language", "en")...).problem(t)
		if p.Code != c[1] || !strings.Contains(p.Detail, c[2]) {
			t.Errorf("%s: %+v", path, p)
		}
	}
}
