package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"govahi/adapters/pki"
	"govahi/adapters/token"
)

// The token and the keys on it, by label.
const (
	labelToken     = "govahi"
	labelRoot      = "root" // development only: the real root is elsewhere
	labelIssuer    = "issuer"
	labelResponder = "responder"
	labelWrapping  = "wrapping"
)

// home is the directory that the ceremony makes.
type home string

func (h home) path(name ...string) string {
	return filepath.Join(append([]string{string(h)}, name...)...)
}
func (h home) pinFile() string     { return h.path("pin") }
func (h home) rootFile() string    { return h.path("root.pem") }
func (h home) issuerFile() string  { return h.path("issuer.pem") }
func (h home) requestFile() string { return h.path("issuer.csr") }    // to an outside root
func (h home) planFile() string    { return h.path("ceremony.yaml") } // what was made
func (h home) serialFile() string  { return h.path("serial") }        // of a hardware token

func (h home) certificate(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return pki.ParseCertificate(data)
}

// serial is that of the hardware token on which the ceremony was held, or empty.
func (h home) serial() string {
	text, _ := os.ReadFile(h.serialFile())
	return strings.TrimSpace(string(text))
}

// reach says how to get at the token.
type reach struct {
	Dir      string `required:"" type:"path" help:"Directory that the ceremony made."`
	Module   string `default:"${module}" env:"GOVAHI_PKCS11_MODULE" help:"PKCS#11 module."`
	Serial   string `help:"Serial of the token, where several carry the label."`
	Sessions int    `default:"5" env:"GOVAHI_PKCS11_SESSIONS" help:"Most sessions at once on the token; one keeps the login."`
}

func (r reach) open() (*token.Token, error) {
	pin, version, err := home(r.Dir).pin()
	if err != nil {
		return nil, err
	}
	// A hardware token has no SoftHSM directory beside its PIN.
	if err := token.UseSoftHSM(r.Dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	c := token.Config{Module: r.Module, Serial: r.Serial, PIN: pin, MaxSessions: r.Sessions}
	if c.Serial == "" {
		c.Serial = home(r.Dir).serial()
	}
	if c.Serial == "" {
		c.Label = labelToken
	}
	t, err := token.Open(c)
	if errors.Is(err, token.ErrPIN) {
		return nil, errors.Join(err, home(r.Dir).refusePIN(version))
	}
	return t, err
}

// keys are the three that serving needs.
type keys struct {
	issuer, responder *token.Key
	wrapping          *token.WrappingKey
}

func find(t *token.Token) (k keys, err error) {
	if k.issuer, err = t.Key(labelIssuer); err != nil {
		return k, fmt.Errorf("issuer key: %w", err)
	}
	if k.responder, err = t.Key(labelResponder); err != nil {
		return k, fmt.Errorf("responder key: %w", err)
	}
	if k.wrapping, err = t.WrappingKey(labelWrapping); err != nil {
		return k, fmt.Errorf("wrapping key: %w", err)
	}
	return k, nil
}
