package main

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"govahi/adapters/pki/profiles"
	"govahi/adapters/token"
)

// plan is what a ceremony makes, as its file says it.
type plan struct {
	Mode      mode      `yaml:"mode"`
	Token     onToken   `yaml:"token"`
	Root      *planned  `yaml:"root"`
	Issuer    planned   `yaml:"issuer"`
	Responder kept      `yaml:"responder"`
	Wrapping  kept      `yaml:"wrapping"`
	Witnesses []witness `yaml:"witnesses"`

	text []byte // as it was read
}

type mode string

const (
	development  mode = "development"  // a root of one's own, on the same token
	intermediate mode = "intermediate" // an outside root certifies the issuer: its request goes out
)

// onToken is a software token that the ceremony makes, or a hardware token that
// its vendor's tools have initialised.
type onToken struct {
	Software bool   `yaml:"software"`
	Serial   string `yaml:"serial"`
	PINFile  string `yaml:"pinFile"`
}

// planned is a CA certificate to be made, or asked for.
type planned struct {
	Algorithm token.Algorithm `yaml:"algorithm"`
	Name      called          `yaml:"name"`
	Years     int             `yaml:"years"`
}

// called is a CA's name; its country is Iran.
type called struct {
	Organization string `yaml:"organization"`
	Unit         string `yaml:"unit"`
	CommonName   string `yaml:"commonName"`
}

// kept is a key that has no certificate of its own yet.
type kept struct {
	Algorithm token.Algorithm `yaml:"algorithm"`
}

// witness is somebody who signs the transcript, by what he does there. His name
// he writes by hand: it stands in no file.
type witness struct {
	Fa string `yaml:"fa"`
	En string `yaml:"en"`
}

//go:embed development.yaml
var developmentPlan []byte

// readPlan reads and checks a ceremony's file; without one it is development's.
func readPlan(file string) (p plan, err error) {
	dir := ""
	if p.text = developmentPlan; file != "" {
		p.text, err = whole(file)
		dir = filepath.Dir(file)
	}
	if err == nil {
		err = profiles.Decode(p.text, &p)
	}
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return p, cannotBeHeld(file, err)
	}
	if p.Token.PINFile != "" && !filepath.IsAbs(p.Token.PINFile) {
		p.Token.PINFile = filepath.Join(dir, p.Token.PINFile)
	}
	return p, nil
}

// largest is far above any file of a ceremony or any certificate.
const largest = 64 << 10

// whole is a file that somebody names: all of it, unless it is none of these.
func whole(file string) ([]byte, error) {
	return profiles.ReadFile(os.DirFS(filepath.Dir(file)), filepath.Base(file), largest)
}

// cannotBeHeld names the file of a ceremony and all that is wrong with it.
func cannotBeHeld(file string, err error) error {
	return fmt.Errorf("آیین کلید با این پرونده برگزار نمی‌شود و چیزی ساخته نشد؛ خانه و علت:\n%s cannot be held, and nothing was made:\n%w", file, err)
}

// mistakes are those of a plan, each with its field and what may stand there.
type mistakes struct{ all []error }

func (w *mistakes) need(ok bool, field, allowed string, args ...any) {
	if !ok {
		w.all = append(w.all, fmt.Errorf("  %s: %s", field, fmt.Sprintf(allowed, args...)))
	}
}

// certifying are the kinds of keys that a CA's may be; answers and signatures
// under each are read by everybody.
var certifying = []token.Algorithm{token.RSA2048, token.RSA3072, token.P256, token.P384}

func (p plan) check() error {
	w := &mistakes{}
	w.need(p.Mode == development || p.Mode == intermediate, "mode", "%q is neither development nor intermediate", p.Mode)
	p.Token.check(w)
	switch {
	case p.Mode == development:
		w.need(p.Root != nil, "root", "development makes a root: say its algorithm, name and years")
	case p.Mode == intermediate:
		w.need(p.Root == nil, "root", "an outside root certifies the issuer: leave it out, or say mode: development")
		w.need(p.Issuer.Years == 0, "issuer.years", "the outside root decides how long: leave it out")
		w.need(len(p.Witnesses) > 0, "witnesses", "nobody would sign the transcript: name at least one role, as fa and en")
	}
	if p.Root != nil {
		p.Root.check(w, "root")
		w.need(p.Root.Years >= 1 && p.Root.Years <= 30, "root.years", "%d is not from 1 to 30", p.Root.Years)
		w.need(p.Issuer.Years >= 1 && p.Issuer.Years <= p.Root.Years, "issuer.years", "%d is not from 1 to the root's %d", p.Issuer.Years, p.Root.Years)
		w.need(p.Issuer.Name != p.Root.Name, "issuer.name", "it is the root's: two CAs have two names")
	}
	p.Issuer.check(w, "issuer")
	w.need(slices.Contains(certifying, p.Responder.Algorithm), "responder.algorithm", "%q is none of %v", p.Responder.Algorithm, certifying)
	w.need(p.Wrapping.Algorithm == "aes-256", "wrapping.algorithm", "%q cannot be: aes-256", p.Wrapping.Algorithm)
	checkWitnesses(w, p.Witnesses)
	return errors.Join(w.all...)
}

func checkWitnesses(w *mistakes, all []witness) {
	for i, by := range all {
		w.need(isLine(by.Fa), fmt.Sprintf("witnesses[%d].fa", i), "the role in Persian is missing, or longer than 64 characters")
		w.need(isLine(by.En), fmt.Sprintf("witnesses[%d].en", i), "the role in English is missing, or longer than 64 characters")
	}
}

func (t onToken) check(w *mistakes) {
	if t.Software {
		w.need(t.Serial == "", "token.serial", "a software token is made anew: leave it out, or software: false")
		w.need(t.PINFile == "", "token.pinFile", "a software token's PIN is drawn: leave it out, or software: false")
		return
	}
	w.need(isLine(t.Serial), "token.serial", "which hardware token? Name the serial that its vendor's tools show, or say software: true")
	w.need(t.PINFile != "", "token.pinFile", "name the file with the token's user PIN")
}

func (c planned) check(w *mistakes, section string) {
	w.need(slices.Contains(certifying, c.Algorithm), section+".algorithm", "%q is none of %v", c.Algorithm, certifying)
	w.need(isLine(c.Name.Organization), section+".name.organization", "missing, or longer than 64 characters")
	w.need(c.Name.Unit == "" || isLine(c.Name.Unit), section+".name.unit", "longer than 64 characters, or holds what cannot be seen")
	w.need(isLine(c.Name.CommonName), section+".name.commonName", "missing, or longer than 64 characters")
}

// isLine is a text that can stand in a name (RFC 5280 Appendix A.1).
func isLine(text string) bool {
	return text != "" && utf8.RuneCountInString(text) <= 64 && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) && r != '\u200c' })
}
