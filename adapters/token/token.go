// Package token is a PKCS#11 token: keys that are born on it and never leave
// it, a key that wraps other keys, and the certificates stored beside them
// (pki.md §1). It is the only package that needs cgo.
package token

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/ThalesIgnite/crypto11"
	"github.com/miekg/pkcs11"
)

const (
	// defaultSessions leaves four sessions for work beside the one that keeps
	// the login. A default of crypto11, 1024, opens a new session for every
	// signature until then, which real tokens refuse (pki.md §1, problem 1).
	defaultSessions = 5
	poolWait        = 5 * time.Second
	gcmNonceSize    = 12 // NIST SP 800-38D §5.2.1.1
)

// Config says which token to open, and how. Exactly one of Label and Serial is
// given: slot numbers change when tokens are initialised or moved.
type Config struct {
	Module      string // path of the PKCS#11 module
	Label       string
	Serial      string
	PIN         string
	MaxSessions int // at least 2: one is kept for the login; zero is 5
}

// Token is an open token, logged in.
type Token struct {
	ctx  *crypto11.Context
	mu   sync.Mutex
	keys map[string]*Key // found once: a search is linear in the token's objects
}

// ErrPIN reports a wrong or locked PIN. Nobody tries again: a token locks itself
// after a few wrong ones.
var ErrPIN = errors.New("token: wrong or locked PIN")

// ErrNoToken reports that no token of this label or serial is there.
var ErrNoToken = errors.New("token: no such token")

// Open logs in to the token.
func Open(c Config) (*Token, error) {
	if _, err := os.Stat(c.Module); err != nil {
		return nil, fmt.Errorf("token: PKCS#11 module: %w", err)
	}
	if c.MaxSessions == 0 {
		c.MaxSessions = defaultSessions
	}
	if err := present(c); err != nil {
		return nil, err
	}
	ctx, err := crypto11.Configure(&crypto11.Config{
		Path: c.Module, TokenLabel: c.Label, TokenSerial: c.Serial, Pin: c.PIN,
		MaxSessions: c.MaxSessions, PoolWaitTimeout: poolWait, GCMIVLength: gcmNonceSize,
	})
	switch code, _ := Code(err); {
	case err == nil:
		return &Token{ctx: ctx, keys: map[string]*Key{}}, nil
	case pinRefused[code]:
		return nil, ErrPIN
	}
	return nil, fmt.Errorf("token: open: %w", err)
}

// pinRefused are the codes that the same PIN would get again.
var pinRefused = map[uint]bool{
	pkcs11.CKR_PIN_INCORRECT:            true,
	pkcs11.CKR_PIN_INVALID:              true,
	pkcs11.CKR_PIN_LEN_RANGE:            true,
	pkcs11.CKR_PIN_EXPIRED:              true,
	pkcs11.CKR_PIN_LOCKED:               true,
	pkcs11.CKR_USER_PIN_NOT_INITIALIZED: true,
}

// present looks before crypto11 does: it finalises the module when it finds no
// token, under the feet of every other token that this process has open, and
// takes the first where two share a label.
func present(c Config) error {
	infos, err := List(c.Module)
	if err != nil {
		return err
	}
	found := 0
	for _, i := range infos {
		if c.Serial != "" && i.Serial == c.Serial || c.Label != "" && i.Label == c.Label {
			found++
		}
	}
	switch found {
	case 0:
		return ErrNoToken
	case 1:
		return nil
	}
	return fmt.Errorf("token: %d tokens carry the label %q: name the serial", found, c.Label)
}

// Close logs out and lets the module go.
func (t *Token) Close() error { return t.ctx.Close() }
