package http

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"govahi/domain/event"
	"govahi/domain/fault"
)

func TestTokensAreNeeded(t *testing.T) {
	h := open(t, things)
	good := h.as("admin")[1]
	old, err := h.issuer.Token("admin", -time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ header, code string }{
		"none":           {"", "token-missing"},
		"another scheme": {"Basic YTpi", "token-missing"},
		"empty":          {"Bearer ", "token-missing"},
		"nonsense":       {"Bearer nonsense", "token-invalid"},
		"truncated":      {good[:len(good)-4], "token-invalid"},
		"expired":        {"Bearer " + old, "token-expired"},
		"alg none":       {"Bearer " + algNone(good), "token-invalid"},
		"HS256":          {"Bearer " + signed(t, jose.HS256, h.issuer.KeySet(), h.issuerURL()), "token-invalid"},
		"another key":    {"Bearer " + signed(t, jose.ES256, newKey(t), h.issuerURL()), "token-invalid"},
		"another issuer": {"Bearer " + signed(t, jose.ES256, newKey(t), "https://sso.example"), "token-invalid"},
	} {
		for _, language := range []string{"fa", "en"} {
			a := h.ask("GET", "/things/1", "", "Authorization", c.header, "Accept-Language", language)
			p := a.problem(t)
			if p.Status != 401 || p.Code != c.code || p.Detail == "" || a.Header.Get("Content-Language") != language {
				t.Errorf("%s: %s", name, a.body)
			}
			named := strings.Contains(a.Header.Get("WWW-Authenticate"), "invalid_token")
			if named == (c.code == "token-missing") {
				t.Errorf("%s: %s", name, a.Header.Get("WWW-Authenticate"))
			}
		}
	}
	if log := h.said(); strings.Contains(log, "9992001011") || strings.Contains(log, "eyJ") {
		t.Errorf("a claim or token was logged: %s", log)
	}
}

func (h *house) issuerURL() string { return "http://localhost/dev/oidc" }

func algNone(header string) string {
	payload := strings.Split(header, ".")[1]
	return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + "."
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signed(t *testing.T, alg jose.SignatureAlgorithm, key any, issuer string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{
		"iss": issuer, "aud": "govahi", "national_code": "9992001011", "exp": jwt.NewNumericDate(time.Now().Add(time.Hour)),
	}
	text, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheSchemeMayBeInAnyCase(t *testing.T) {
	h := open(t, things)
	header := "bEARER" + strings.TrimPrefix(h.as("admin")[1], "Bearer")
	if a := h.ask("GET", "/things/1", "", "Authorization", header); a.StatusCode != 200 {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
}

func TestTheTokenComesBeforeTheRequest(t *testing.T) {
	h := open(t, things)
	if p := h.ask("POST", "/things/1", "{nonsense").problem(t); p.Status != 401 {
		t.Fatalf("a stranger learnt %+v", p)
	}
}

type closedVault struct{}

func (closedVault) Person(context.Context, string) (event.Subject, error) {
	return "", fault.New(fault.Unavailable, "vault-unavailable", "گاوصندوق در دسترس نیست", "The vault is out of reach")
}

var _ People = closedVault{}

func TestAVaultThatIsDownIsNotTheCallersFault(t *testing.T) {
	h := open(t, things, func(c *Config) { c.People = closedVault{} })
	if p := h.ask("GET", "/things/1", "", h.as("admin")...).problem(t); p.Status != 503 || p.Code != "vault-unavailable" {
		t.Fatalf("got %+v", p)
	}
}
