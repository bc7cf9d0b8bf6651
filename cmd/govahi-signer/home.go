package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"govahi/adapters/pki/profiles"
	"govahi/adapters/token"
	"govahi/domain/fault"
	"govahi/domain/issuer"
)

// The token and the keys on it, by label.
const (
	labelToken     = "govahi"
	labelRoot      = "root"   // development only: the real root is elsewhere
	labelIssuer    = "issuer" // of the first; further ones have a number behind
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
	c, err := onlyCertificate(file)
	if err != nil {
		return nil, fmt.Errorf("%s:\n%w", file, err)
	}
	return c, nil
}

// seat is the place of one issuer: the first's is the directory itself, and each
// further one has its own beside it (docs/operations.md, succession).
type seat struct {
	home
	number int
}

func (h home) first() seat { return seat{h, 1} }

// further is the seat of the issuer of that number, from 2 on.
func (h home) further(n int) seat { return seat{home(h.path("issuers", strconv.Itoa(n))), n} }

// seats are those of all issuers whose certificate is there, the first first.
func (h home) seats() ([]seat, error) {
	all, err := h.places()
	return slices.DeleteFunc(all, func(s seat) bool {
		_, err := os.Stat(s.issuerFile())
		return err != nil && s.number > 1
	}), err
}

// places are the seats of all issuers, also of those whose request is still out.
func (h home) places() ([]seat, error) {
	all := []seat{h.first()}
	entries, err := os.ReadDir(h.path("issuers"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		n, err := strconv.Atoi(e.Name())
		if err != nil || n < 2 {
			continue // a ceremony that was interrupted
		}
		all = append(all, h.further(n))
	}
	slices.SortFunc(all, func(a, b seat) int { return a.number - b.number })
	return all, nil
}

// label is the key's on the token.
func (s seat) label() string {
	if s.number == 1 {
		return labelIssuer
	}
	return fmt.Sprintf("%s-%d", labelIssuer, s.number)
}

func (s seat) endedFile() string { return s.path("ended") }

// errNoEnding is of a file that is there and says no end that anybody knows: no
// signer starts with it, and it may be written anew.
var errNoEnding = errors.New("no ending")

type unknownEnding struct{ error }

// Is reports errNoEnding, whatever is said of it.
func (unknownEnding) Is(target error) bool { return target == errNoEnding }

// ended is how the issuer ended, as the directory has it; empty if it did not.
func (s seat) ended() (issuer.Ending, error) {
	text, err := profiles.ReadPath(s.endedFile())
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	switch e := issuer.Ending(strings.TrimSpace(string(text))); {
	case err != nil:
		return "", unknownEnding{fmt.Errorf("%s:\n%w", s.endedFile(), err)}
	case e == issuer.Retirement || e == issuer.Compromise:
		return e, nil
	}
	return "", unknownEnding{fault.Remark(s.endedFile(), "نه %s در آن است و نه %s؛ یکی را بنویسید.", "it holds neither %s nor %s: say which", issuer.Retirement, issuer.Compromise)}
}

// key is the issuer's on the token. Nil, and no error, once it was destroyed after
// its compromise: the drill ends with that, and all others sign on.
func (s seat) key(t *token.Token) (*token.Key, error) {
	key, err := t.Key(s.label())
	if errors.Is(err, token.ErrNoKey) {
		if ended, unread := s.ended(); unread == nil && ended == issuer.Compromise {
			return nil, nil
		}
	}
	return key, err
}

// serial is that of the hardware token on which the ceremony was held, or empty.
func (h home) serial() string {
	text, _ := profiles.ReadPath(h.serialFile())
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

// keys are those that serving needs.
type keys struct {
	issuers   []*token.Key // in the order of the seats; nil of one that was destroyed
	responder *token.Key
	wrapping  *token.WrappingKey
}

func find(t *token.Token, h home) (k keys, err error) {
	seats, err := h.seats()
	if err != nil {
		return k, err
	}
	for _, s := range seats {
		key, err := s.key(t)
		if err != nil {
			return k, fmt.Errorf("%s key: %w", s.label(), err)
		}
		k.issuers = append(k.issuers, key)
	}
	if k.responder, err = t.Key(labelResponder); err != nil {
		return k, fmt.Errorf("responder key: %w", err)
	}
	if k.wrapping, err = t.WrappingKey(labelWrapping); err != nil {
		return k, fmt.Errorf("wrapping key: %w", err)
	}
	return k, nil
}
