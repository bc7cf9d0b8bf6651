package http

import (
	"bytes"
	"context"
	"encoding/json"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"govahi/commands"
	"govahi/domain/event"
)

// varied is a body with every type that the API's bodies have.
type varied struct {
	Text   string    `json:"text" maxLength:"20"`
	Whole  int64     `json:"whole" maximum:"1000000000000"`
	Count  uint64    `json:"count"`
	When   time.Time `json:"when"`
	Kind   string    `json:"kind,omitempty" required:"false" enum:"red,green"`
	Flag   bool      `json:"flag"`
	Parts  []detail  `json:"parts" maxItems:"3"`
	Inside *detail   `json:"inside,omitempty" required:"false"`
}

func echo(s *Server) {
	Command(s, Operation{ID: "echo", Method: "POST", Path: "/echo", Status: 201},
		func(_ context.Context, _ commands.Caller, in *struct{ Body varied }) (commands.Receipt, varied, error) {
			return commands.Receipt{}, in.Body, nil
		})
}

// FuzzJSON sends any bytes as a command's body: either they are refused by 400
// with a code, or what reaches the handler is what was sent.
func FuzzJSON(f *testing.F) {
	right := `{"text":"متن","whole":-1,"count":18446744073709551615,"when":"2026-11-22T10:30:00.5+03:30","flag":true,"parts":[{"code":"a"}]}`
	seeds := []string{
		right, "", "null", "[]", `{"a":1,"a":2}`, "\xef\xbb\xbf" + right, right + "{}", `{"text":"\ud800"}`, "{\"text\":\"\xff\"}", strings.Repeat("[", 40),
		strings.Replace(right, "-1", "1e999", 1), strings.Replace(right, "-1", "1180591620717411303424", 1), strings.Replace(right, "-1", "-0", 1),
		strings.Replace(right, "text", "Text", 1), strings.Replace(right, "text", `t\u0065xt`, 1), strings.Replace(right, "متن", `\u0000`, 1),
		strings.Replace(right, "true", "null", 1), strings.Replace(right, `[{"code":"a"}]`, "null", 1), strings.Replace(right, "T10", "t10", 1),
		strings.Replace(right, "متن", `\ud83d\ude00`, 1), strings.Replace(right, "18446744073709551615", "-0", 1),
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	h := open(f, echo)
	headers := h.until(time.Hour, "applicant", "k")
	f.Fuzz(func(t *testing.T, body []byte) {
		a := h.during(t).ask("POST", "/echo", string(body), append(headers, "Content-Type", jsonType)...)
		switch a.StatusCode {
		case 400:
			if p := a.problem(t); p.Code == "" || p.Detail == "" || !utf8.Valid(a.body) {
				t.Errorf("%q: %s", body, a.body)
			}
		case 201:
			if !utf8.Valid(body) || !same(t, decoded(t, body), decoded(t, a.body)) {
				t.Errorf("%q became %q", body, a.body)
			}
		default:
			t.Errorf("%q: %d %s", body, a.StatusCode, a.body)
		}
	})
}

// during is the house in the hands of one input's test.
func (h *house) during(t *testing.T) *house {
	now := *h
	now.t = t
	return &now
}

// until is the headers of commands for as long as a fuzz target may run.
func (h *house) until(lifetime time.Duration, persona, key string) []string {
	h.t.Helper()
	token, err := h.issuer.Token(persona, lifetime)
	if err != nil {
		h.t.Fatal(err)
	}
	return []string{"Authorization", "Bearer " + token, "Idempotency-Key", key}
}

func decoded(t *testing.T, text []byte) any {
	t.Helper()
	var value any
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return value
}

// same compares two JSON values as a reader without Go's types would: numbers
// as numbers, times as instants.
func same(t *testing.T, sent, got any) bool {
	t.Helper()
	switch s := sent.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		for name := range s {
			ok = ok && same(t, s[name], g[name])
		}
		return ok && len(g) == len(s)
	case []any:
		g, ok := got.([]any)
		return ok && slices.EqualFunc(s, g, func(a, b any) bool { return same(t, a, b) })
	case json.Number:
		g, ok := got.(json.Number)
		a, _ := new(big.Rat).SetString(s.String())
		b, _ := new(big.Rat).SetString(g.String())
		return ok && a.Cmp(b) == 0
	case string:
		a, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return sent == got
		}
		b, err := time.Parse(time.RFC3339, got.(string))
		return err == nil && a.Equal(b)
	}
	return sent == got
}

// FuzzParameters puts any bytes where a tracking code, a serial, a position and
// a language stand: each is understood or refused, and nothing breaks.
func FuzzParameters(f *testing.F) {
	for _, seed := range [][2]string{
		{"050000000018", "0"},
		{"0500-0000-0018", "18446744073709551616"},
		{"%DB%B0%DB%B5", "-1"},
		{"%00", "%00"},
		{"%zz", "%zz"},
		{"%ff", "\xff"},
		{"..", "1&after=2"},
		{"%2e%2e%2f", "1;2"},
		{"67ab", "1#"},
		{"*", "en-GB,fa;q=0.8"},
		{"?", "de, en;q=0.5"},
		{strings.Repeat("x", 300), strings.Repeat("a-", 500)},
	} {
		f.Add(seed[0], seed[1])
	}
	l := bare(f).open(f, House{})
	token := l.until(time.Hour, "stranger", "k")[1]
	f.Fuzz(func(t *testing.T, code, after string) {
		parsers(t, code, after)
		if strings.ContainsFunc(code+after, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			return // no request line or header could carry them
		}
		for _, path := range []string{"/requests/" + code + "/record", "/certificates/" + code + "/certificate.pem/x", "/verify", "/me"} {
			query := map[string]string{"/verify": "?serial=" + code + "&after=" + after, "/me": "?after=" + after}[path]
			a := l.during(t).send("GET " + path + query + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: " + token + "\r\nAccept-Language: " + after + "\r\n\r\n")
			if a.StatusCode >= 500 || a.StatusCode >= 400 && a.StatusCode != http.StatusRequestHeaderFieldsTooLarge && a.problem(t).Code == "" {
				t.Errorf("%q%q: %d %s", path, query, a.StatusCode, a.body)
			}
		}
	})
}

// parsers checks what stands behind the parameters by itself.
func parsers(t *testing.T, code, after string) {
	t.Helper()
	if plain := (Coded{code}).plain(); plain != "none" && (len(plain) != 12 || Coded{plain}.plain() != plain) {
		t.Errorf("the code %q became %q", code, plain)
	}
	p, err := event.ParsePosition(after)
	want, wrong := strconv.ParseUint(after, 10, 64)
	if (err == nil) != (wrong == nil) || err == nil && uint64(p) != want {
		t.Errorf("the position %q became %v, %v", after, p, err)
	}
	inEnglish(after) // CLDR's distances decide for languages that are neither
}
