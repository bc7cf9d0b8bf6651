package main

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"govahi/adapters/pki/profiles"
	"govahi/adapters/token"
	"govahi/domain/fault"
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
		p.text, err = profiles.ReadPath(file)
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

// cannotBeHeld names the file of a ceremony and all that is wrong with it.
func cannotBeHeld(file string, err error) error {
	return fmt.Errorf("آیین کلید با این پرونده برگزار نمی‌شود و چیزی ساخته نشد؛ خانه و علت:\n%s cannot be held, and nothing was made:\n%w", file, err)
}

// certifying are the kinds of keys that a CA's may be; answers and signatures
// under each are read by everybody.
var certifying = []token.Algorithm{token.RSA2048, token.RSA3072, token.P256, token.P384}

func (p plan) check() error {
	w := &fault.Remarks{}
	p.Mode.check(w)
	p.Token.check(w)
	switch {
	case p.Mode == development:
		w.Need(p.Root != nil, "root", "در mode: development ریشه ساخته می‌شود؛ algorithm و name و years آن را بنویسید.",
			"development makes a root: say its algorithm, name and years")
	case p.Mode == intermediate:
		w.Need(p.Root == nil, "root", "ریشهٔ بیرونی گواهی مرکز صدور را امضا می‌کند؛ این خانه را بردارید، یا بنویسید mode: development.",
			"an outside root certifies the issuer: leave it out, or say mode: development")
	}
	checkCertified(w, p.Mode, p.Issuer.Years, p.Witnesses)
	if p.Root != nil {
		p.Root.check(w, "root")
		checkYears(w, "root.years", p.Root.Years)
		w.Need(p.Issuer.Years >= 1 && p.Issuer.Years <= p.Root.Years, "issuer.years", "%d پذیرفته نیست؛ عددی از 1 تا %d بنویسید که سال‌های ریشه است.",
			"%d is not from 1 to the root's %d", p.Issuer.Years, p.Root.Years)
		w.Need(!alikeNames(p.Issuer.Name.subject(), p.Root.Name.subject()), "issuer.name", "این نام ریشه است؛ دو مرکز صدور دو نام دارند.", "it is the root's: two CAs have two names")
	}
	p.Issuer.check(w, "issuer")
	checkAlgorithm(w, "responder.algorithm", p.Responder.Algorithm)
	w.Need(p.Wrapping.Algorithm == "aes-256", "wrapping.algorithm", "%q پذیرفته نیست؛ بنویسید aes-256.", "%q cannot be: aes-256", p.Wrapping.Algorithm)
	checkWitnesses(w, p.Witnesses)
	return w.Err()
}

func (m mode) check(w *fault.Remarks) {
	w.Need(m == development || m == intermediate, "mode", "%q پذیرفته نیست؛ development یا intermediate بنویسید.",
		"%q is neither development nor intermediate", m)
}

// checkCertified is about a certificate that an outside root makes.
func checkCertified(w *fault.Remarks, m mode, years int, witnesses []witness) {
	if m != intermediate {
		return
	}
	w.Need(years == 0, "issuer.years", "مدت را ریشهٔ بیرونی تعیین می‌کند؛ این خانه را بردارید.", "the outside root decides how long: leave it out")
	w.Need(len(witnesses) > 0, "witnesses", "کسی صورت‌جلسه را امضا نمی‌کند؛ دست‌کم یک سمت را با fa و en بنویسید.",
		"nobody would sign the transcript: name at least one role, as fa and en")
}

func checkYears(w *fault.Remarks, field string, years int) {
	w.Need(years >= 1 && years <= 30, field, "%d پذیرفته نیست؛ عددی از 1 تا 30 بنویسید.", "%d is not from 1 to 30", years)
}

func checkAlgorithm(w *fault.Remarks, field string, a token.Algorithm) {
	w.Need(slices.Contains(certifying, a), field, "%q پذیرفته نیست؛ یکی از این‌ها را بنویسید: %v.", "%q is none of %v", a, certifying)
}

func checkWitnesses(w *fault.Remarks, all []witness) {
	for i, by := range all {
		w.Need(isLine(by.Fa), fmt.Sprintf("witnesses[%d].fa", i), "سمت شاهد به فارسی نیامده یا بلندتر از ۶۴ نویسه است؛ آن را در یک سطر بنویسید.",
			"the role in Persian is missing, or longer than 64 characters")
		w.Need(isLine(by.En), fmt.Sprintf("witnesses[%d].en", i), "سمت شاهد به انگلیسی نیامده یا بلندتر از ۶۴ نویسه است؛ آن را در یک سطر بنویسید.",
			"the role in English is missing, or longer than 64 characters")
	}
}

func (t onToken) check(w *fault.Remarks) {
	if t.Software {
		w.Need(t.Serial == "", "token.serial", "توکن نرم‌افزاری از نو ساخته می‌شود؛ این خانه را بردارید، یا بنویسید software: false.",
			"a software token is made anew: leave it out, or software: false")
		w.Need(t.PINFile == "", "token.pinFile", "رمز توکن نرم‌افزاری به تصادف ساخته می‌شود؛ این خانه را بردارید، یا بنویسید software: false.",
			"a software token's PIN is drawn: leave it out, or software: false")
		return
	}
	w.Need(isLine(t.Serial), "token.serial", "کدام توکن سخت‌افزاری؟ شمارهٔ سریالی را که ابزار سازنده نشان می‌دهد بنویسید، یا software: true.",
		"which hardware token? Name the serial that its vendor's tools show, or say software: true")
	w.Need(t.PINFile != "", "token.pinFile", "پرونده‌ای را که رمز کاربر توکن در آن است نام ببرید.", "name the file with the token's user PIN")
}

func (c planned) check(w *fault.Remarks, section string) {
	checkAlgorithm(w, section+".algorithm", c.Algorithm)
	const fa, en = "نیامده یا بلندتر از ۶۴ نویسه است؛ آن را در یک سطر بنویسید.", "missing, or longer than 64 characters"
	w.Need(isLine(c.Name.Organization), section+".name.organization", fa, en)
	w.Need(c.Name.Unit == "" || isLine(c.Name.Unit), section+".name.unit", "بلندتر از ۶۴ نویسه است یا نویسه‌ای دارد که دیده نمی‌شود؛ آن را ساده و کوتاه بنویسید.",
		"longer than 64 characters, or holds what cannot be seen")
	w.Need(isLine(c.Name.CommonName), section+".name.commonName", fa, en)
}

// isLine is a text that can stand in a name (RFC 5280 Appendix A.1).
func isLine(text string) bool {
	return text != "" && utf8.RuneCountInString(text) <= 64 && strings.TrimSpace(text) == text &&
		!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) && r != '\u200c' })
}
