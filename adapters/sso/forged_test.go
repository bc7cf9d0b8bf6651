package sso_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"govahi/adapters/sso"
	"govahi/domain/fault"
)

// forge puts a token together by hand: no library makes what is tried here.
type forge struct {
	ec  *ecdsa.PrivateKey
	rsa *rsa.PrivateKey
}

func newForge(t testing.TB) forge {
	t.Helper()
	ec := newEC(t)
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	return forge{ec, r}
}

func newEC(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return ec
}

func b64(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// es256 signs as the issuer would.
func (f forge) es256(head, payload string) string {
	input := b64([]byte(head)) + "." + b64([]byte(payload))
	digest := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, f.ec, digest[:])
	if err != nil {
		panic(err)
	}
	return input + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

func (f forge) rs256(head, payload string) string {
	input := b64([]byte(head)) + "." + b64([]byte(payload))
	digest := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPKCS1v15(rand.Reader, f.rsa, crypto.SHA256, digest[:])
	if err != nil {
		panic(err)
	}
	return input + "." + b64(signature)
}

func hs256(secret []byte, head, payload string) string {
	input := b64([]byte(head)) + "." + b64([]byte(payload))
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(input))
	return input + "." + b64(mac.Sum(nil))
}

// says is a payload as it should be, with more or other claims.
func says(more string) string {
	return fmt.Sprintf(`{"iss":"http://localhost/dev/oidc","aud":"govahi","sub":"s","exp":%d,"nbf":%d,"iat":%d,"national_code":"9992009098"%s}`,
		now.Add(time.Hour).Unix(), now.Unix(), now.Unix(), more)
}

const es = `{"alg":"ES256","typ":"JWT"}`

// forgeries are tokens that nobody signed who may.
func (f forge) forgeries(t testing.TB) map[string]string {
	t.Helper()
	stranger := newForge(t)
	der, err := x509.MarshalPKIXPublicKey(f.ec.Public())
	must(t, err)
	embedded, err := json.Marshal(jose.JSONWebKey{Key: stranger.ec.Public()})
	must(t, err)
	good := f.es256(es, says(""))
	parts := strings.Split(good, ".")
	all := map[string]string{
		"nothing":                   "",
		"by a stranger":             stranger.es256(es, says("")),
		"by a stranger, RSA":        stranger.rs256(`{"alg":"RS256"}`, says("")),
		"signature cut":             good[:len(good)-4],
		"no signature":              parts[0] + "." + parts[1] + ".",
		"signature of zeros":        parts[0] + "." + parts[1] + "." + b64(make([]byte, 64)),
		"two parts":                 parts[0] + "." + parts[1],
		"five parts":                good + ".AAAA.AAAA",
		"six parts":                 good + "." + good,
		"with a key of its own":     stranger.es256(`{"alg":"ES256","jwk":`+string(embedded)+`}`, says("")),
		"with a certificate":        stranger.es256(`{"alg":"ES256","x5c":["`+base64.StdEncoding.EncodeToString(der)+`"]}`, says("")),
		"with an address of keys":   stranger.es256(`{"alg":"ES256","jku":"http://127.0.0.1:1/keys"}`, says("")),
		"with a certificate's":      stranger.es256(`{"alg":"ES256","x5u":"http://127.0.0.1:1/keys"}`, says("")),
		"key named by a path":       stranger.es256(`{"alg":"ES256","kid":"../../../../dev/null"}`, says("")),
		"key named by a query":      stranger.es256(`{"alg":"ES256","kid":"' OR '1'='1"}`, says("")),
		"key name not text":         f.es256(`{"alg":"ES256","kid":7}`, says("")),
		"algorithm twice":           f.es256(`{"alg":"none","alg":"ES256"}`, says("")),
		"no algorithm":              f.es256(`{}`, says("")),
		"algorithm not text":        f.es256(`{"alg":["ES256"]}`, says("")),
		"RS256 over ES256":          f.es256(`{"alg":"RS256"}`, says("")),
		"ES256 over RS256":          f.rs256(es, says("")),
		"ES384":                     f.es256(`{"alg":"ES384"}`, says("")),
		"PS256":                     f.rs256(`{"alg":"PS256"}`, says("")),
		"EdDSA":                     f.es256(`{"alg":"EdDSA"}`, says("")),
		"critical, unknown":         f.es256(`{"alg":"ES256","crit":["exp"],"exp":1}`, says("")),
		"head not an object":        f.es256(`[]`, says("")),
		"head deep":                 f.es256(strings.Repeat(`{"alg":`, 500)+`1`+strings.Repeat(`}`, 500), says("")),
		"payload not an object":     f.es256(es, `"9992009098"`),
		"payload empty":             f.es256(es, ``),
		"payload not UTF-8":         f.es256(es, "{\"iss\":\"\xff\"}"),
		"long":                      f.es256(es, says(`,"x":"`+strings.Repeat("a", 10<<10)+`"`)),
		"very long":                 strings.Repeat("a", 1<<20),
		"many dots":                 strings.Repeat(".", 1<<20),
		"as JSON":                   `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"with a line's end":         good + "\n",
		"with a blank within":       parts[0] + " ." + parts[1] + "." + parts[2],
		"padded":                    parts[0] + "=." + parts[1] + "." + parts[2],
		"standard base64":           parts[0] + "." + parts[1] + ".+/" + parts[2],
		"signature as DER":          parts[0] + "." + parts[1] + "." + b64(f.signDER(t, parts[0]+"."+parts[1])),
		"secret is the key's PEM":   hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), `{"alg":"HS256"}`, says("")),
		"secret is the key's DER":   hs256(der, `{"alg":"HS256"}`, says("")),
		"secret is the key's point": hs256(der[len(der)-65:], `{"alg":"HS256"}`, says("")),
		"secret is empty":           hs256(nil, `{"alg":"HS256"}`, says("")),
		"called ES256, secret PEM":  hs256(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), es, says("")),
	}
	for _, none := range []string{"none", "None", "NONE", "nOnE", "", " none"} {
		head := b64([]byte(`{"alg":"` + none + `"}`))
		all["unsigned, alg "+none] = head + "." + parts[1] + "."
		all["signed, alg "+none] = head + "." + parts[1] + "." + parts[2]
	}
	return all
}

func (f forge) signDER(t testing.TB, input string) []byte {
	t.Helper()
	digest := sha256.Sum256([]byte(input))
	der, err := ecdsa.SignASN1(rand.Reader, f.ec, digest[:])
	must(t, err)
	return der
}

// verifiers trust the forge's own keys, known beforehand or published.
func (f forge) verifiers(t testing.TB) map[string]*sso.Verifier {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: f.ec.Public(), KeyID: "one", Algorithm: "ES256"}, {Key: f.rsa.Public(), KeyID: "two", Algorithm: "RS256"},
	}})
	must(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(set) }))
	t.Cleanup(server.Close)
	return map[string]*sso.Verifier{
		"static": sso.Static(config(), f.ec.Public(), f.rsa.Public()), "remote": sso.Remote(config(), server.URL),
	}
}

// TestForgedTokensAreToldNothing: one code and one text for all, in no time.
func TestForgedTokensAreToldNothing(t *testing.T) {
	f := newForge(t)
	for kind, v := range f.verifiers(t) {
		for _, good := range []string{f.es256(es, says("")), f.rs256(`{"alg":"RS256"}`, says(""))} {
			if code, err := v.Verify(t.Context(), good); err != nil || code != "9992009098" {
				t.Fatalf("%s: not even a good one: %v", kind, err)
			}
		}
		for name, token := range f.forgeries(t) {
			began := time.Now()
			code, err := v.Verify(t.Context(), token)
			if err != sso.ErrToken || code != "" { // the same fault, not only the same code
				t.Errorf("%s, %s: got %v", kind, name, err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("%s, %s: took %v", kind, name, took)
			}
		}
	}
	if sso.ErrToken.Kind != fault.Unauthenticated {
		t.Error("not a 401")
	}
}

// TestClaimsThatAreRefused are signed by the issuer, and yet no good.
func TestClaimsThatAreRefused(t *testing.T) {
	f := newForge(t)
	base := func(exp, code string) string {
		return `{"iss":"http://localhost/dev/oidc","aud":"govahi","exp":` + exp + `,"national_code":` + code + `}`
	}
	in, person := fmt.Sprint(now.Add(time.Hour).Unix()), `"9992009098"`
	for name, c := range map[string]struct {
		payload string
		want    *fault.Fault
	}{
		"as they should be":           {base(in, person), nil},
		"with a fraction":             {base(in+".5", person), nil},
		"for several":                 {strings.Replace(base(in, person), `"govahi"`, `["else","govahi"]`, 1), nil},
		"claims of others":            {says(`,"roles":["administrator"],"Roles":1`), nil},
		"expiry is text":              {base(`"`+in+`"`, person), sso.ErrToken},
		"expiry is negative":          {base("-1", person), sso.ErrToken},
		"expiry is zero":              {base("0", person), sso.ErrExpired},
		"expiry is null":              {base("null", person), sso.ErrToken},
		"expiry beyond 64 bits":       {base("99999999999999999999999", person), sso.ErrToken},
		"expiry is 1e300":             {base("1e300", person), sso.ErrToken},
		"expiry beyond floats":        {base("1e999", person), sso.ErrToken},
		"expiry is true":              {base("true", person), sso.ErrToken},
		"expiry is a list":            {base("["+in+"]", person), sso.ErrToken},
		"no expiry":                   {strings.Replace(base(in, person), `"exp"`, `"expires"`, 1), sso.ErrExpired},
		"made in the future":          {strings.Replace(base(in, person), `"exp"`, `"iat":`+fmt.Sprint(now.Add(10*time.Minute).Unix())+`,"exp"`, 1), sso.ErrToken},
		"not yet valid":               {strings.Replace(base(in, person), `"exp"`, `"nbf":`+fmt.Sprint(now.Add(10*time.Minute).Unix())+`,"exp"`, 1), sso.ErrToken},
		"made, as text":               {strings.Replace(base(in, person), `"exp"`, `"iat":"1","exp"`, 1), sso.ErrToken},
		"expiry twice":                {says(`,"exp":` + in), sso.ErrToken},
		"person twice":                {says(`,"national_code":"9992001011"`), sso.ErrToken},
		"person twice, by case":       {says(`,"National_Code":"9992001011"`), sso.ErrToken},
		"person by case alone":        {strings.Replace(says(""), "national_code", "NATIONAL_CODE", 1), sso.ErrToken},
		"issuer by a long s":          {strings.Replace(base(in, person), `"iss"`, `"iſs"`, 1), sso.ErrToken},
		"issuer twice":                {says(`,"iss":"http://localhost/dev/oidc"`), sso.ErrToken},
		"issuer with a slash":         {strings.Replace(says(""), "dev/oidc", "dev/oidc/", 1), sso.ErrToken},
		"issuer is a list":            {strings.Replace(says(""), `"http://localhost/dev/oidc"`, `["http://localhost/dev/oidc"]`, 1), sso.ErrToken},
		"no issuer":                   {strings.Replace(says(""), `"iss"`, `"issuer"`, 1), sso.ErrToken},
		"no audience":                 {strings.Replace(says(""), `"aud"`, `"audience"`, 1), sso.ErrToken},
		"audience is empty":           {strings.Replace(says(""), `"govahi"`, `[]`, 1), sso.ErrToken},
		"audience is longer":          {strings.Replace(says(""), `"govahi"`, `"govahi2"`, 1), sso.ErrToken},
		"audience is an object":       {strings.Replace(says(""), `"govahi"`, `{"govahi":1}`, 1), sso.ErrToken},
		"person is a number":          {base(in, "9992009098"), sso.ErrNoCode},
		"person is a list":            {base(in, "["+person+"]"), sso.ErrNoCode},
		"person is null":              {base(in, "null"), sso.ErrNoCode},
		"person is empty":             {base(in, `""`), sso.ErrNoCode},
		"person has nine digits":      {base(in, `"999200909"`), sso.ErrNoCode},
		"person has a wrong digit":    {base(in, `"9992009099"`), sso.ErrNoCode},
		"person is ten times one":     {base(in, `"1111111111"`), sso.ErrNoCode},
		"person is very long":         {base(in, `"`+strings.Repeat("9", 5000)+`"`), sso.ErrNoCode},
		"person has a zero byte":      {base(in, `"9992009098\u0000"`), sso.ErrNoCode},
		"person hides in a surrogate": {base(in, `"\ud800"`), sso.ErrNoCode},
	} {
		for kind, v := range f.verifiers(t) {
			code, err := v.Verify(t.Context(), f.es256(es, c.payload))
			if c.want == nil && (err != nil || code != "9992009098") {
				t.Errorf("%s, %s: %v", kind, name, err)
			}
			var got *fault.Fault
			if c.want != nil && (!errors.As(err, &got) || got != c.want || code != "") {
				t.Errorf("%s, %s: got %v, want %v", kind, name, err, c.want)
			}
		}
	}
}

// TestForgersCannotFloodTheIssuer: tokens of unknown keys have it asked once in a
// while, and not once each; a new key is found after that.
func TestForgersCannotFloodTheIssuer(t *testing.T) {
	f, stranger := forge{ec: newEC(t)}, forge{ec: newEC(t)}
	var asked atomic.Int64
	var set atomic.Pointer[[]byte]
	publish := func(keys ...jose.JSONWebKey) {
		document, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
		must(t, err)
		set.Store(&document)
	}
	publish(jose.JSONWebKey{Key: f.ec.Public(), KeyID: "one"})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		_, _ = w.Write(*set.Load())
	}))
	defer server.Close()
	c := config()
	at := now
	c.Clock = func() time.Time { return at }
	v := sso.Remote(c, server.URL)
	for n := range 100 {
		token := stranger.es256(`{"alg":"ES256","kid":"`+fmt.Sprint(n)+`"}`, says(""))
		if _, err := v.Verify(t.Context(), token); !errors.Is(err, sso.ErrToken) {
			t.Fatal(err)
		}
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("the issuer was asked %d times", n)
	}
	for _, later := range []time.Duration{11 * time.Second, -4 * time.Minute} { // a clock may also be put back
		next := forge{ec: newEC(t)}
		publish(jose.JSONWebKey{Key: next.ec.Public(), KeyID: "one"})
		at = now.Add(later)
		token := next.es256(`{"alg":"ES256","kid":"one"}`, says(""))
		_, err := v.Verify(t.Context(), token)
		for tries := 0; err != nil && tries < 100; tries++ { // who comes while a question ends has its answer
			time.Sleep(10 * time.Millisecond)
			_, err = v.Verify(t.Context(), token)
		}
		if err != nil {
			t.Errorf("a new key, %v later: %v", later, err)
		}
	}
}

// FuzzVerify: a token is refused with a code of ours, or attests what its issuer
// signed.
func FuzzVerify(f *testing.F) {
	made := newForge(f)
	v := sso.Static(config(), made.ec.Public(), made.rsa.Public())
	f.Add([]byte(es), []byte(says("")), []byte("signature"))
	for _, token := range newForge(f).forgeries(f) {
		if parts := strings.Split(token, "."); len(parts) == 3 && len(token) < 4096 {
			head, _ := base64.RawURLEncoding.DecodeString(parts[0])
			payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
			signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
			f.Add(head, payload, signature)
		}
	}
	f.Fuzz(func(t *testing.T, head, payload, signature []byte) {
		forged := b64(head) + "." + b64(payload) + "." + b64(signature)
		for _, token := range []string{forged, string(head), string(payload)} {
			if code, err := v.Verify(t.Context(), token); err != sso.ErrToken || code != "" { // the same one
				t.Fatalf("forged: %q, %v", code, err)
			}
		}
		code, err := v.Verify(t.Context(), made.es256(es, string(payload)))
		if err != nil {
			if refusal, ok := fault.Of(err); !ok || refusal.Kind != fault.Unauthenticated || code != "" {
				t.Fatalf("signed: %q, %v", code, err)
			}
			return
		}
		wantAttested(t, payload, code)
	})
}

// wantAttested reads the payload in another way.
func wantAttested(t *testing.T, payload []byte, code string) {
	t.Helper()
	var said map[string]any
	must(t, json.Unmarshal(payload, &said))
	exp, ok := said["exp"].(float64)
	if !ok || exp < float64(now.Unix()) || said["iss"] != config().Issuer || len(code) < 10 {
		t.Fatalf("attested %q", code)
	}
	if !bytes.Contains(payload, []byte("govahi")) && !bytes.Contains(payload, []byte(`\u`)) {
		t.Fatal("for another audience")
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
