package sso_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"go.uber.org/goleak"

	"govahi/adapters/sso"
	"govahi/domain/iran"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

func config() sso.Config {
	return sso.Config{Issuer: "http://localhost/dev/oidc", Audience: "govahi", Clock: func() time.Time { return now }}
}

func issuer(t *testing.T) *sso.Issuer {
	t.Helper()
	i, err := sso.NewIssuer(sso.Development, t.TempDir(), config())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func token(t *testing.T, i *sso.Issuer, persona string) string {
	t.Helper()
	text, err := i.Token(persona, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPersonasAreSamplesWithGoodCodesOfTheirOwn(t *testing.T) {
	seen := map[string]string{}
	for _, p := range sso.Personas() {
		if code, err := iran.NationalCode(p.NationalCode); err != nil || code != p.NationalCode || code[:3] != "999" {
			t.Errorf("%s has a bad national code", p.Name)
		}
		if other, taken := seen[p.NationalCode]; taken {
			t.Errorf("%s has the code of %s", p.Name, other)
		}
		if seen[p.NationalCode] = p.Name; !strings.Contains(p.Display, "نمونه") {
			t.Errorf("%s does not say that he is a sample", p.Name)
		}
	}
}

func TestATokenAttestsTheNationalCode(t *testing.T) {
	i := issuer(t)
	v := sso.Static(config(), i.PublicKey())
	for _, p := range sso.Personas() {
		code, err := v.Verify(t.Context(), token(t, i, p.Name))
		if err != nil || code != p.NationalCode {
			t.Errorf("%s: got %v", p.Name, err)
		}
	}
}

func TestNobodyElseGetsAToken(t *testing.T) {
	if _, err := issuer(t).Token("mallory", time.Hour); !errors.Is(err, sso.ErrNoPersona) {
		t.Fatalf("got %v", err)
	}
}

func TestTheIssuerExistsInDevelopmentOnly(t *testing.T) {
	for _, mode := range []sso.Mode{sso.Production, ""} {
		dir := t.TempDir()
		if _, err := sso.NewIssuer(mode, dir, config()); !errors.Is(err, sso.ErrNotDevelopment) {
			t.Errorf("mode %q: got %v", mode, err)
		}
		if files, _ := os.ReadDir(dir); len(files) != 0 {
			t.Errorf("mode %q: a key was made", mode)
		}
	}
}

func TestRefusedTokens(t *testing.T) {
	i := issuer(t)
	v := sso.Static(config(), i.PublicKey())
	for name, c := range map[string]struct {
		token string
		want  error
	}{
		"nothing":            {"", sso.ErrToken},
		"not a token":        {"a.b.c", sso.ErrToken},
		"signed by another":  {token(t, issuer(t), "admin"), sso.ErrToken},
		"changed claims":     {changed(t, token(t, i, "applicant")), sso.ErrToken},
		"alg none":           {unsigned(token(t, i, "admin")), sso.ErrToken},
		"HS256 with our key": {confused(t, i), sso.ErrToken},
		"expired":            {expired(t, i), sso.ErrExpired},
	} {
		if _, err := v.Verify(t.Context(), c.token); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// changed makes the applicant the administrator, leaving the signature.
func changed(t *testing.T, text string) string {
	parts := strings.Split(text, ".")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	payload = []byte(strings.Replace(string(payload), "9992009098", "9992001011", 1))
	return parts[0] + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + parts[2]
}

func unsigned(text string) string {
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`))
	return head + "." + strings.Split(text, ".")[1] + "."
}

// confused signs by HMAC with what everybody knows: the public key.
func confused(t *testing.T, i *sso.Issuer) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: i.KeySet()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return serialize(t, signer, claims(), nil)
}

func expired(t *testing.T, i *sso.Issuer) string {
	t.Helper()
	text, err := i.Token("admin", -time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func claims() jwt.Claims {
	return jwt.Claims{
		Issuer: config().Issuer, Subject: "somebody", Audience: jwt.Audience{"govahi"},
		NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(time.Hour)),
	}
}

func serialize(t *testing.T, signer jose.Signer, c jwt.Claims, own map[string]any) string {
	t.Helper()
	text, err := jwt.Signed(signer).Claims(c).Claims(own).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestClaims(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	v := sso.Static(config(), key.Public())
	good := map[string]any{"national_code": "9992009098", "roles": []string{"administrator"}}
	for name, c := range map[string]struct {
		change func(*jwt.Claims)
		own    map[string]any
		want   error
	}{
		"as it should be":           {func(*jwt.Claims) {}, good, nil},
		"Persian digits":            {func(*jwt.Claims) {}, map[string]any{"national_code": "۹۹۹۲۰۰۹۰۹۸"}, nil},
		"another issuer":            {func(c *jwt.Claims) { c.Issuer = "https://sso.example" }, good, sso.ErrToken},
		"for another audience":      {func(c *jwt.Claims) { c.Audience = jwt.Audience{"else"} }, good, sso.ErrToken},
		"without an expiry":         {func(c *jwt.Claims) { c.Expiry = nil }, good, sso.ErrExpired},
		"not yet valid":             {func(c *jwt.Claims) { c.NotBefore = jwt.NewNumericDate(now.Add(time.Hour)) }, good, sso.ErrToken},
		"no national code":          {func(*jwt.Claims) {}, nil, sso.ErrNoCode},
		"national code is a number": {func(*jwt.Claims) {}, map[string]any{"national_code": 9992009098}, sso.ErrNoCode},
		"wrong check digit":         {func(*jwt.Claims) {}, map[string]any{"national_code": "9992009099"}, sso.ErrNoCode},
	} {
		standard := claims()
		c.change(&standard)
		code, err := v.Verify(t.Context(), serialize(t, signer, standard, c.own))
		if !errors.Is(err, c.want) || (c.want == nil && code != "9992009098") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestOnlyRS256AndES256(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	v := sso.Static(config(), rsaKey.Public(), ecKey.Public())
	for _, c := range []struct {
		alg  jose.SignatureAlgorithm
		key  any
		want error
	}{{jose.RS256, rsaKey, nil}, {jose.RS512, rsaKey, sso.ErrToken}, {jose.PS256, rsaKey, sso.ErrToken}, {jose.ES384, ecKey, sso.ErrToken}} {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: c.alg, Key: c.key}, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = v.Verify(t.Context(), serialize(t, signer, claims(), map[string]any{"national_code": "9992009098"}))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", c.alg, err)
		}
	}
}

func TestTheKeyIsMadeOnceAndIsSecret(t *testing.T) {
	dir := t.TempDir()
	keys := make([]*sso.Issuer, 8)
	var all sync.WaitGroup
	for n := range keys {
		all.Go(func() { keys[n], _ = sso.NewIssuer(sso.Development, dir, config()) })
	}
	all.Wait()
	for _, k := range keys {
		if k == nil || string(k.KeySet()) != string(keys[0].KeySet()) {
			t.Fatal("not all have the same key")
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("the directory holds %d files: %v", len(files), err)
	}
	path := filepath.Join(dir, files[0].Name())
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode is %v: %v", info.Mode(), err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := sso.NewIssuer(sso.Development, dir, config()); err == nil {
		t.Fatal("a key that others may read was used")
	}
}

// published serves an issuer's documents as the HTTP door does.
func published(t *testing.T, i *sso.Issuer) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(i.KeySet())
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestRemoteKeys(t *testing.T) {
	i := issuer(t)
	v := sso.Remote(config(), published(t, i))
	if code, err := v.Verify(t.Context(), token(t, i, "applicant")); err != nil || code != "9992009098" {
		t.Fatalf("got %v", err)
	}
	if _, err := v.Verify(t.Context(), token(t, issuer(t), "applicant")); !errors.Is(err, sso.ErrToken) {
		t.Fatalf("unknown key: got %v", err)
	}
}

// TestWhatWasVerifiedLatelyIsVerifiedAgainInTime: when the token expires, when the
// clock is put back, and a minute later, for its key may be trusted no longer.
func TestWhatWasVerifiedLatelyIsVerifiedAgainInTime(t *testing.T) {
	at, i := now, issuer(t)
	keys := i.KeySet()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(keys) }))
	defer server.Close()
	c := config()
	c.Clock = func() time.Time { return at }
	short, err := i.Token("applicant", 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	long := token(t, i, "applicant")
	v := sso.Remote(c, server.URL)
	verify := func(text string, after time.Duration, want error) {
		t.Helper()
		at = now.Add(after)
		if _, err := v.Verify(t.Context(), text); !errors.Is(err, want) {
			t.Errorf("after %v: got %v", after, err)
		}
	}
	verify(short, 0, nil)
	verify(short, 30*time.Second, nil)
	verify(short, 31*time.Second, sso.ErrExpired)
	verify(long, 0, nil)
	verify(long, 59*time.Second, nil)
	verify(long, -10*time.Minute, sso.ErrToken) // from the future
	v = sso.Remote(c, server.URL)
	verify(long, 0, nil)
	keys = issuer(t).KeySet()
	verify(token(t, issuer(t), "applicant"), 20*time.Second, sso.ErrToken) // has the keys fetched anew
	verify(long, 59*time.Second, nil)
	verify(long, 61*time.Second, sso.ErrToken)
}

func TestKeysOutOfReachAreNotTheCallersFault(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	refused := "http://" + server.Listener.Addr().String()
	i := issuer(t)
	for _, url := range []string{server.URL, refused} {
		_, err := sso.Remote(config(), url).Verify(context.Background(), token(t, i, "applicant"))
		if !errors.Is(err, sso.ErrKeysUnavailable) {
			t.Errorf("got %v", err)
		}
		server.Close()
	}
}

func TestDiscoveryNamesIssuerAndKeys(t *testing.T) {
	var d struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(issuer(t).Discovery(), &d); err != nil {
		t.Fatal(err)
	}
	if d.Issuer != config().Issuer || d.Keys != config().Issuer+"/jwks" {
		t.Fatalf("got %+v", d)
	}
}
