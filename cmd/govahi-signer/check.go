package main

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"govahi/adapters/pki"
	"govahi/adapters/token"
)

// check proves that what serve needs is there and sound.
type check struct{ reach }

var errUnsound = errors.New("not everything is sound")

// Run prints a table and fails if a line of it is not so.
func (c check) Run() error {
	t, err := c.open()
	if err != nil {
		return err
	}
	r := report{to: tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)}
	c.certificates(&r, t)
	attributes(&r, t)
	if err := errors.Join(r.to.Flush(), t.Close()); err != nil {
		return err
	}
	if r.unsound {
		return errUnsound
	}
	return nil
}

type report struct {
	to interface {
		io.Writer
		Flush() error
	}
	unsound bool
}

func (r *report) line(what string, err error, detail string) {
	verdict := "ok"
	if err != nil {
		verdict, r.unsound, detail = "WRONG", true, err.Error()
	}
	_, _ = fmt.Fprintf(r.to, "%s\t%s\t%s\n", what, verdict, detail)
}

func (c check) certificates(r *report, t *token.Token) {
	h := home(c.Dir)
	root, rootErr := h.certificate(h.rootFile())
	r.line("root certificate", rootErr, name(root))
	issuer, issuerErr := h.certificate(h.issuerFile())
	r.line("issuer certificate", issuerErr, name(issuer))
	if rootErr != nil || issuerErr != nil {
		return
	}
	r.line("chain", issuer.CheckSignatureFrom(root), "the issuer stands on the root")
	r.line("dates", valid(issuer, time.Now()), "until "+issuer.NotAfter.Format(time.DateOnly))
	verdict, err := pki.Lint(issuer.Raw)
	r.line("lint", err, fmt.Sprintf("%s: %d passed, warnings %v", verdict.Linter, verdict.Passed, verdict.Warnings))
	r.line("key of the certificate", belongs(t, issuer), "the issuer key on the token")
}

func name(c *x509.Certificate) string {
	if c == nil {
		return ""
	}
	return c.Subject.CommonName
}

func valid(c *x509.Certificate, now time.Time) error {
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return fmt.Errorf("valid from %s to %s", c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// belongs compares public keys: the CA key signs nothing for a check.
func belongs(t *token.Token, c *x509.Certificate) error {
	k, err := t.Key(labelIssuer)
	if err != nil {
		return err
	}
	if p, ok := k.Public().(interface{ Equal(crypto.PublicKey) bool }); !ok || !p.Equal(c.PublicKey) {
		return token.ErrOtherKey
	}
	return nil
}

func attributes(r *report, t *token.Token) {
	for _, label := range []string{labelIssuer, labelResponder} {
		k, err := t.Key(label)
		if err != nil {
			r.line(label+" key", err, "")
			continue
		}
		sound(r, label, k)
	}
	w, err := t.WrappingKey(labelWrapping)
	if err != nil {
		r.line(labelWrapping+" key", err, "")
		return
	}
	sound(r, labelWrapping, w)
}

func sound(r *report, label string, k interface {
	Protection() (token.Protection, error)
},
) {
	p, err := k.Protection()
	if err == nil && !p.Sound() {
		err = fmt.Errorf("%+v", p)
	}
	r.line(label+" key", err, "born on the token, sensitive, not extractable, not modifiable")
}
