package sso

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	lru "github.com/hashicorp/golang-lru/v2"

	"govahi/domain/fault"
)

// The refusals.
var (
	ErrToken = fault.New(fault.Unauthenticated, "token-invalid",
		"توکن ورود معتبر نیست؛ از درگاه ورود دوباره وارد شوید.",
		"The bearer token is not valid; sign in again.")
	ErrExpired = fault.New(fault.Unauthenticated, "token-expired",
		"زمان ورود شما به پایان رسیده است؛ دوباره وارد شوید.",
		"The bearer token has expired; sign in again.")
	ErrNoCode = fault.New(fault.Unauthenticated, "token-without-national-code",
		"درگاه ورود کد ملی شما را تأیید نکرده است؛ با حسابی وارد شوید که کد ملی دارد.",
		"The bearer token attests no national code; sign in with an account that has one.")
	ErrKeysUnavailable = fault.New(fault.Unavailable, "sso-unavailable",
		"کلیدهای درگاه ورود در دسترس نیست؛ لحظه\u200cای دیگر دوباره بفرستید.",
		"The issuer's keys are out of reach; send again in a moment.")
)

// Config says which tokens are meant for us.
type Config struct {
	Issuer   string           // exactly as in the token's iss
	Audience string           // must be among the token's aud
	Clock    func() time.Time // tells whether a token has expired
}

// Verifier checks bearer tokens (RFC 7519 §7.2): signature by a key of the
// issuer, RS256 or ES256 only, issuer, audience, expiry, not-before.
type Verifier struct {
	tokens *oidc.IDTokenVerifier
	clock  func() time.Time
	lately *lru.Cache[[sha256.Size]byte, verified] // by digest of the token
}

// verified is what a token attests, and when that holds without another look: a
// person asks several things in a row, and a signature costs more than most
// answers. It ends with the token, and soon, for the issuer may change its keys.
type verified struct {
	code        string
	from, until time.Time
}

const (
	verifiedFor  = time.Minute
	verifiedMost = 4096 // tokens, about 200 bytes each
)

// Static trusts keys that are known beforehand.
func Static(c Config, keys ...crypto.PublicKey) *Verifier {
	return verifier(c, &oidc.StaticKeySet{PublicKeys: keys})
}

// keysWithin bounds how long a caller waits for the issuer's keys.
const keysWithin = 5 * time.Second

// Remote trusts the keys that the issuer publishes at jwksURL; they are kept,
// and fetched anew when a token names a key that is not among them. Dolat-e Man
// publishes no discovery document, so the address is configured (domain §5.1).
func Remote(c Config, jwksURL string) *Verifier {
	transport := &keptAnswer{clock: c.Clock}
	ctx := oidc.ClientContext(context.Background(), &http.Client{Timeout: keysWithin, Transport: transport})
	return verifier(c, keySet{oidc.NewRemoteKeySet(ctx, jwksURL)})
}

func verifier(c Config, keys oidc.KeySet) *Verifier {
	lately, err := lru.New[[sha256.Size]byte, verified](verifiedMost)
	if err != nil {
		panic(err) // only of a size below one
	}
	return &Verifier{oidc.NewVerifier(c.Issuer, keys, &oidc.Config{
		ClientID:             c.Audience,
		SupportedSigningAlgs: []string{oidc.RS256, oidc.ES256},
		Now:                  c.Clock,
	}), c.Clock, lately}
}

// compact is the one form of a token that is read: the library also takes JSON
// and white space, which nobody sends who means well.
var compact = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`)

// maxToken bounds what is parsed before anything is known of the sender.
const maxToken = 8 << 10

// wellFormed looks at the form alone, before anything is trusted.
func wellFormed(token string) bool {
	if len(token) > maxToken || !compact.MatchString(token) {
		return false
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err != nil {
		return false
	}
	_, err = readClaims(payload)
	return err == nil
}

// Verify returns the national or foreigner's code that the token attests, in
// its stored form. Claims that are not ours are ignored. The error says nothing
// of what the token held, and the same of all that is forged.
func (v *Verifier) Verify(ctx context.Context, token string) (string, error) {
	digest, now := sha256.Sum256([]byte(token)), v.clock()
	if known, ok := v.lately.Get(digest); ok && !now.Before(known.from) && now.Before(known.until) {
		return known.code, nil
	}
	v.lately.Remove(digest)
	code, expiry, err := v.verify(ctx, token)
	if err == nil {
		v.lately.Add(digest, verified{code, now, earlier(expiry, now.Add(verifiedFor))})
	}
	return code, err
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func (v *Verifier) verify(ctx context.Context, token string) (code string, expiry time.Time, err error) {
	if !wellFormed(token) {
		return "", expiry, ErrToken
	}
	var unreachable bool
	checked, err := v.tokens.Verify(context.WithValue(ctx, unreachableKey{}, &unreachable), token)
	var expired *oidc.TokenExpiredError
	switch {
	case unreachable:
		return "", expiry, ErrKeysUnavailable
	case errors.As(err, &expired):
		return "", expiry, ErrExpired
	case err != nil:
		return "", expiry, ErrToken
	}
	var payload json.RawMessage
	if err := checked.Claims(&payload); err != nil {
		return "", expiry, ErrToken
	}
	c, err := readClaims(payload)
	if err != nil || c.fromTheFuture(v.clock()) {
		return "", expiry, ErrToken
	}
	code, err = c.code()
	return code, checked.Expiry, err
}

// keySet notes when the issuer's keys could not be had: the library wraps that
// into the same error as a forged signature, yet the caller is not to blame.
type keySet struct{ *oidc.RemoteKeySet }

type unreachableKey struct{}

// VerifySignature is the remote set's own, with failures to fetch noted.
func (k keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := k.RemoteKeySet.VerifySignature(ctx, token)
	if noted, ok := ctx.Value(unreachableKey{}).(*bool); ok && err != nil {
		*noted = strings.HasPrefix(err.Error(), "fetching keys")
	}
	return payload, err
}
