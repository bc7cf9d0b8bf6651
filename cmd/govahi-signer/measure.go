package main

import (
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"govahi/adapters/pki"
	"govahi/adapters/token"
)

// measure is the ceiling of `govahi bench`: how fast this machine lints
// certificates and has the issuer's key sign them, with nothing before, between
// or after. No signature leaves it, and it refuses a CA that anybody might trust:
// what that signs, the log holds first (pki.md §5.3).
type measure struct{ reach }

var errNotDevelopment = errors.New("this is not a CA for development on a software token: only what the log holds is signed with its key")

// measured is one round.
type measured struct {
	Certificates [][]byte `json:"certificates"` // DER: their to-be-signed parts are signed again
	Workers      int      `json:"workers"`
}

// took answers a round.
type took struct {
	Seconds float64 `json:"seconds"`
}

// Run answers rounds, JSON each, until standard input ends. The token is not
// closed at the end, see serve.
func (m measure) Run() error {
	debug.SetGCPercent(garbagePercent)
	p, err := readPlan(home(m.Dir).planFile())
	if err != nil {
		return err
	}
	if p.Mode != development || !p.Token.Software {
		return errNotDevelopment
	}
	t, err := m.open()
	if err != nil {
		return err
	}
	key, err := t.Key(labelIssuer)
	if err != nil {
		return err
	}
	return rounds(os.Stdin, os.Stdout, key)
}

func rounds(in io.Reader, out io.Writer, key *token.Key) error {
	lint, err := pki.Relint()
	if err != nil {
		return err
	}
	asked, answers := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var q measured
		if err := asked.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		began := time.Now()
		err := q.abreast(func(der []byte) error { return lintAndSign(lint, key, der) })
		if err != nil {
			return err
		}
		if err := answers.Encode(took{time.Since(began).Seconds()}); err != nil {
			return err
		}
	}
}

func (q measured) abreast(do func(der []byte) error) error {
	var all errgroup.Group
	all.SetLimit(max(1, q.Workers))
	for _, der := range q.Certificates {
		all.Go(func() error { return do(der) })
	}
	return all.Wait()
}

func lintAndSign(lint func(string, *x509.Certificate) ([]string, error), key *token.Key, der []byte) error {
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	if broken, err := lint("", c); err != nil || len(broken) > 0 {
		return errors.Join(err, fmt.Errorf("the lint refuses: %v", broken))
	}
	digest := sha256.Sum256(c.RawTBSCertificate)
	_, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	return err
}
