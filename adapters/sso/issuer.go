package sso

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Mode says whether invented people may sign in.
type Mode string

// The modes of an instance.
const (
	Development Mode = "development"
	Production  Mode = "production"
)

// ErrNotDevelopment reports that an issuer of invented people was asked for on
// an instance where people are real.
var ErrNotDevelopment = errors.New("sso: the development issuer exists in development mode only")

// ErrNoPersona reports a name that is not of the cast.
var ErrNoPersona = errors.New("sso: no such persona")

// Issuer signs tokens for the personas, and for nobody else.
type Issuer struct {
	url, audience string
	key           *ecdsa.PrivateKey
	keyID         string
	signer        jose.Signer
	clock         func() time.Time
}

// NewIssuer opens the development issuer, whose key is a file in dir (mode
// 0600, made on first use). Outside development mode it fails with
// ErrNotDevelopment.
func NewIssuer(mode Mode, dir string, c Config) (*Issuer, error) {
	if mode != Development {
		return nil, ErrNotDevelopment
	}
	key, err := openKey(dir)
	if err != nil {
		return nil, err
	}
	i := &Issuer{url: c.Issuer, audience: c.Audience, key: key, clock: c.Clock}
	return i, i.prepare()
}

// prepare names the key by its thumbprint (RFC 7638), so that a new key file
// has a new name.
func (i *Issuer) prepare() error {
	public := jose.JSONWebKey{Key: i.key.Public()}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		return err
	}
	i.keyID = base64.RawURLEncoding.EncodeToString(sum)
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: i.key, KeyID: i.keyID}}
	i.signer, err = jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	return err
}

// Token signs a bearer token for a persona, good from now for ttl.
func (i *Issuer) Token(persona string, ttl time.Duration) (string, error) {
	p, ok := find(persona)
	if !ok {
		return "", fmt.Errorf("%w: %s; there are: %s", ErrNoPersona, persona, strings.Join(names(), ", "))
	}
	now := i.clock()
	standard := jwt.Claims{
		Issuer: i.url, Subject: "persona-" + p.Name, Audience: jwt.Audience{i.audience}, ID: rand.Text(),
		IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(ttl)),
	}
	own := map[string]any{"national_code": p.NationalCode, "name": p.Display}
	return jwt.Signed(i.signer).Claims(standard).Claims(own).Serialize()
}

// PublicKey is what a Static verifier in the same process trusts.
func (i *Issuer) PublicKey() crypto.PublicKey { return i.key.Public() }

// KeySet is the JWKS document (RFC 7517 §5).
func (i *Issuer) KeySet() []byte {
	key := jose.JSONWebKey{Key: i.key.Public(), KeyID: i.keyID, Algorithm: string(jose.ES256), Use: "sig"}
	return document(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}})
}

// Discovery is the provider's metadata (OpenID Connect Discovery 1.0 §3), as
// far as this issuer goes: it has keys, and no sign-in page.
func (i *Issuer) Discovery() []byte {
	return document(map[string]any{
		"issuer":                                i.url,
		"jwks_uri":                              strings.TrimSuffix(i.url, "/") + "/jwks",
		"response_types_supported":              []string{"id_token"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{string(jose.ES256)},
		"claims_supported":                      []string{"iss", "sub", "aud", "exp", "nbf", "iat", "national_code", "name"},
	})
}

func document(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("sso: " + err.Error()) // our own key and strings always marshal
	}
	return data
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
