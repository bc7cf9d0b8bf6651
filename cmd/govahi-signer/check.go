package main

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"govahi/adapters/pki"
	"govahi/adapters/pki/profiles"
	"govahi/adapters/token"
	"govahi/domain/fault"
	"govahi/domain/profile"
)

// check proves that what serve needs is there and sound.
type check struct {
	reach
	Profiles string `type:"path" env:"GOVAHI_PROFILES" help:"Directory of certificate profiles; those that come with the program if empty."`
	JSON     bool   `name:"json" help:"Print the findings as JSON."`
}

// exit is an error with the code by which scripts tell it.
type exit struct {
	error
	code int
}

// ExitCode is the process's.
func (e exit) ExitCode() int { return e.code }

// The codes of check beside 0, all is sound, and 1, it could not be asked.
const (
	exitUnsound = 2
	exitNoToken = 3 // not reached: what could be checked without it was not
)

var errUnsound = exit{errors.New("not everything is sound"), exitUnsound}

// Run prints what it found and fails if anything of it is not so.
func (c check) Run() error {
	t, err := c.open()
	if err != nil {
		return exit{err, exitNoToken}
	}
	r := report{}
	seats, err := home(c.Dir).seats()
	if err != nil {
		return errors.Join(err, t.Close())
	}
	for _, s := range seats {
		certificates(&r, t, s)
	}
	c.profiles(&r, t)
	attributes(&r, t, seats)
	n, err := home(c.Dir).transcripts()
	r.line("transcripts", err, fmt.Sprintf("%d, as the ceremonies left them", n))
	if err := errors.Join(r.print(os.Stdout, c.JSON), t.Close()); err != nil {
		return err
	}
	if !r.Sound {
		return errUnsound
	}
	return nil
}

// report is every finding, in order.
type report struct {
	Sound    bool      `json:"sound"`
	Findings []finding `json:"findings"`
}

type finding struct {
	What   string `json:"what"`
	Sound  bool   `json:"sound"`
	Detail string `json:"detail"`
}

func (r *report) line(what string, err error, detail string) {
	if err != nil {
		detail = strings.Join(strings.Fields(explained(err).Error()), " ") // one row a finding
	}
	r.Findings = append(r.Findings, finding{what, err == nil, detail})
}

func (r *report) print(to io.Writer, asJSON bool) error {
	r.Sound = true
	for _, f := range r.Findings {
		r.Sound = r.Sound && f.Sound
	}
	if asJSON {
		e := json.NewEncoder(to)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	table := tabwriter.NewWriter(to, 0, 8, 2, ' ', 0)
	for _, f := range r.Findings {
		verdict := "ok"
		if !f.Sound {
			verdict = "WRONG"
		}
		_, _ = fmt.Fprintf(table, "%s\t%s\t%s\n", f.What, verdict, f.Detail)
	}
	return table.Flush()
}

// explained is the text of a fault, whose error is only its code.
func explained(err error) error {
	if f, ok := fault.Of(err); ok {
		return errors.New(f.Text.En)
	}
	return err
}

// certificates are those of one issuer. Of the first nothing is said before a
// finding; of a further one its number.
func certificates(r *report, t *token.Token, s seat) {
	line := func(what string, err error, detail string) { r.line(s.called(what), err, detail) }
	root, rootErr := s.certificate(s.rootFile())
	line("root certificate", rootErr, name(root))
	issuer, issuerErr := s.certificate(s.issuerFile())
	line("issuer certificate", issuerErr, name(issuer))
	if rootErr != nil || issuerErr != nil {
		return
	}
	line("chain", issuer.CheckSignatureFrom(root), "the issuer stands on the root")
	if ended, err := s.ended(); err != nil || ended != "" {
		line("end", err, string(ended)+": it signs no certificates any more")
	} else {
		line("dates", valid(issuer, time.Now()), "until "+issuer.NotAfter.Format(time.DateOnly))
	}
	verdict, err := pki.Lint(issuer.Raw)
	line("lint", err, fmt.Sprintf("%s: %d passed, warnings %v", verdict.Linter, verdict.Passed, verdict.Warnings))
	line("key of the certificate", belongs(t, s.label(), issuer), "the "+s.label()+" key on the token")
}

func (s seat) called(what string) string {
	if s.number == 1 {
		return what
	}
	return fmt.Sprintf("%d: %s", s.number, what)
}

// profiles are those that the signer would hold every certificate to; the
// responder's must take the key that is on the token.
func (c check) profiles(r *report, t *token.Token) {
	set, err := profiles.Load(c.Profiles)
	r.line("profiles", err, fmt.Sprintf("%d, for %d products", len(set.All()), len(set.Products())))
	k, keyErr := t.Key(labelResponder)
	if err != nil || keyErr != nil {
		return
	}
	p, _ := set.Responder() // every set has one
	kind, _ := profile.KeyOf(k.Public())
	if !p.Allows(kind) {
		err = fmt.Errorf("%s certifies %v, and no %s", p.ID(), p.Keys, kind)
	}
	r.line("responder's profile", err, p.ID())
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
func belongs(t *token.Token, label string, c *x509.Certificate) error {
	k, err := t.Key(label)
	if err != nil {
		return err
	}
	if !same(k.Public(), c.PublicKey) {
		return token.ErrOtherKey
	}
	return nil
}

func same(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

func attributes(r *report, t *token.Token, seats []seat) {
	var labels []string
	for _, s := range seats {
		labels = append(labels, s.label())
	}
	for _, label := range append(labels, labelResponder) {
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
	r.line(label+" key", proved(label, k), "born on the token, sensitive, not extractable, not modifiable")
}
