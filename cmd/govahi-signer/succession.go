package main

import (
	"crypto/x509"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"govahi/adapters/pki/profiles"
	"govahi/adapters/token"
	"govahi/domain/fault"
	"govahi/domain/issuer"
)

// succession is a further intermediate, as its file says it; token, responder and
// wrapping key are those that the CA has.
type succession struct {
	Mode      mode      `yaml:"mode"`
	Issuer    planned   `yaml:"issuer"`
	Witnesses []witness `yaml:"witnesses"`

	text []byte // as it was read
}

//go:embed succession.yaml
var developmentSuccession []byte

// readSuccession reads and checks the file; without one it is development's.
func readSuccession(file string) (p succession, err error) {
	if p.text = developmentSuccession; file != "" {
		p.text, err = profiles.ReadPath(file)
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
	return p, nil
}

func (p succession) check() error {
	w := &fault.Remarks{}
	p.Mode.check(w)
	checkCertified(w, p.Mode, p.Issuer.Years, p.Witnesses)
	if p.Mode != intermediate {
		checkYears(w, "issuer.years", p.Issuer.Years)
	}
	p.Issuer.check(w, "issuer")
	checkWitnesses(w, p.Witnesses)
	return w.Err()
}

// succeed makes a further intermediate beside those that are there. They go on:
// what they issued is answered for until the last of it is over.
type succeed struct {
	File   string `arg:"" optional:"" type:"path" help:"What to make, as YAML; for development if empty (docs/operations.md, succession)."`
	CSROut string `name:"csr-out" type:"path" help:"Where to write the request to the outside root, PEM; beside issuer.csr in the issuer's directory."`
	reach
}

// Run makes the key on the CA's token, in a directory of its own beside; who finds
// the directory finds it whole.
func (c succeed) Run() error {
	p, err := readSuccession(c.File)
	if err != nil {
		return err
	}
	if c.CSROut != "" && p.Mode != intermediate {
		return cannotBeHeld(c.File, errNoRequest)
	}
	if err := roomForRequest(c.CSROut); err != nil {
		return cannotBeHeld(c.File, err)
	}
	h := home(c.Dir)
	if err := h.distinct(p.Issuer.Name); err != nil {
		return cannotBeHeld(c.File, err)
	}
	t, err := c.open()
	if err != nil {
		return err
	}
	made, tr, err := c.make(h, t, p)
	if err := errors.Join(err, t.Close()); err != nil {
		return err
	}
	tr.announce(os.Stdout, h)
	fmt.Printf("issuer      number %d, in %s\n", made.number, made.home)
	return handOut(made.home, c.CSROut)
}

// make makes everything in a stage, and renames it at the end. The number of a
// ceremony that was interrupted after its key was made is not used again: nobody
// may take that key for the new one.
func (c succeed) make(h home, t *token.Token, p succession) (seat, transcript, error) {
	tr := transcript{Kind: "succession", At: time.Now().UTC(), Witnesses: p.Witnesses}
	number, err := h.nextNumber(t)
	if err != nil {
		return seat{}, tr, err
	}
	made := h.further(number)
	tr.Number = number
	stage := seat{home(h.path("issuers", "."+strconv.Itoa(number)+".ceremony")), number}
	if err := errors.Join(os.RemoveAll(string(stage.home)), os.MkdirAll(string(stage.home), 0o700)); err != nil {
		return made, tr, err
	}
	if err := writeWhole(stage.planFile(), p.text); err != nil {
		return made, tr, err
	}
	if tr.Token, err = tokenOf(c.Module, h); err != nil {
		return made, tr, err
	}
	if err := c.establish(h, stage, t, p, &tr); err != nil {
		return made, tr, errors.Join(err, os.RemoveAll(string(stage.home)))
	}
	if err := h.write(&tr); err != nil {
		return made, tr, err
	}
	return made, tr, os.Rename(string(stage.home), string(made.home))
}

// nextNumber has neither a directory nor a key yet.
func (h home) nextNumber(t *token.Token) (int, error) {
	for n := 2; ; n++ {
		s := h.further(n)
		if _, err := os.Stat(string(s.home)); err == nil {
			continue
		}
		switch _, err := t.Key(s.label()); {
		case errors.Is(err, token.ErrNoKey):
			return n, nil
		case err != nil:
			return 0, err
		}
	}
}

func (c succeed) establish(h home, s seat, t *token.Token, p succession, tr *transcript) error {
	if p.Mode == intermediate {
		key, err := born(t, s.label(), p.Issuer.Algorithm, tr)
		if err != nil {
			return err
		}
		return ask(s.home, plan{Issuer: p.Issuer}, key, tr)
	}
	root, err := h.certificate(h.rootFile())
	if err != nil {
		return err
	}
	rootKey, err := t.Key(labelRoot)
	if err != nil {
		return cannotBeHeld(c.File, errors.Join(fault.Remark("mode", "ریشه روی این توکن نیست (گواهی مرکز نخست را ریشهٔ بیرونی امضا کرده است)؛ بنویسید intermediate.",
			"the root is not on this token (its CA's was certified outside): say intermediate"), err))
	}
	template, err := underRoot(p.Issuer, root, tr.At)
	if err != nil {
		return cannotBeHeld(c.File, err)
	}
	key, err := born(t, s.label(), p.Issuer.Algorithm, tr)
	if err != nil {
		return err
	}
	certificate, err := signed(template, root, key.Public(), rootKey)
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	tr.certify(root, certificate)
	return errors.Join(writePEM(s.rootFile(), "CERTIFICATE", root.Raw), writePEM(s.issuerFile(), "CERTIFICATE", certificate.Raw))
}

// underRoot is what the root is to certify, no longer than itself; whether it can
// is known before any key is made.
func underRoot(p planned, root *x509.Certificate, now time.Time) (*x509.Certificate, error) {
	template, err := authority(p.Name, now, p.Years)
	if err != nil {
		return nil, err
	}
	if template.NotBefore.Before(root.NotBefore) {
		template.NotBefore = root.NotBefore
	}
	if template.NotAfter.After(root.NotAfter) {
		return nil, fault.Remark("issuer.years", "%d سال از آنچه برای ریشه مانده است (تا %s) بیشتر است؛ کمتر بنویسید.",
			"%d years are more than the root has left, until %s", p.Years, root.NotAfter.Format(time.DateOnly))
	}
	template.MaxPathLenZero = true
	return template, nil
}

// end writes into the CA's directory that an issuer signs no certificates any
// more: the signer keeps to it also where the log, restored from a backup, does
// not know it yet.
type end struct {
	Ending string `arg:"" enum:"retirement,compromise" help:"How it ends: retirement or compromise."`
	Dir    string `required:"" type:"path" help:"Directory that the ceremony made."`
	Issuer int    `default:"1" help:"Number of the issuer, as check lists it."`
}

// Run writes it, over one that cannot be read, too. A compromise is never taken back,
// nor refused for want of a successor.
func (c end) Run() error {
	s := home(c.Dir).seat(c.Issuer)
	if _, err := os.Stat(s.issuerFile()); err != nil {
		return notEnded(fault.Remark("--issuer", "مرکز صدور شمارهٔ %d نیست (%v)؛ شماره را از فهرست govahi-signer check بردارید.",
			"there is no issuer %d (%v): take the number from what govahi-signer check lists", c.Issuer, err))
	}
	present, err := s.ended()
	if err != nil && !errors.Is(err, errNoEnding) {
		return notEnded(err)
	}
	if present == issuer.Compromise && issuer.Ending(c.Ending) != present {
		return notEnded(fault.Remark("--issuer", "کلید مرکز صدور شمارهٔ %d افشا شده است و این برگشت‌پذیر نیست؛ کاری لازم نیست.",
			"issuer %d is compromised, for good: nothing is left to do", c.Issuer))
	}
	if issuer.Ending(c.Ending) == issuer.Retirement && present == "" {
		if err := home(c.Dir).succeeded(s); err != nil {
			return notEnded(err)
		}
	}
	if err := writeWhole(s.endedFile(), []byte(c.Ending+"\n")); err != nil {
		return err
	}
	fmt.Printf("مرکز صدور شمارهٔ %[1]d از آغاز بعدی امضاکننده دیگر گواهی امضا نمی‌کند (%[2]s)؛ آن را در دفتر رویدادها نیز اعلام کنید (docs/operations.md).\n"+
		"issuer %[1]d signs no certificates any more (%[2]s), from the signer's next start; declare it in the log, too (docs/operations.md)\n", c.Issuer, c.Ending)
	return nil
}

// succeeded wants another issuer that goes on: one that is valid and has not ended.
func (h home) succeeded(elder seat) error {
	seats, err := h.seats()
	if err != nil {
		return err
	}
	for _, s := range seats {
		if s.number != elder.number && s.issues(time.Now()) {
			return nil
		}
	}
	return fault.Remark("--issuer", "پس از مرکز صدور شمارهٔ %d هیچ مرکزی گواهی صادر نمی‌کرد؛ نخست مرکز صدور میانی تازه‌ای بسازید (govahi-signer ceremony succeed)، یا اگر کلید افشا شده است compromise بنویسید.",
		"after issuer %d nobody would issue certificates: make a further intermediate first (govahi-signer ceremony succeed), or say compromise if its key is", elder.number)
}

// issues tells whether the issuer goes on; of one whose files cannot be read nobody
// knows.
func (s seat) issues(now time.Time) bool {
	c, err := s.certificate(s.issuerFile())
	if err != nil || valid(c, now) != nil {
		return false
	}
	ended, err := s.ended()
	return err == nil && ended == ""
}

// notEnded says why an issuer is left as it is.
func notEnded(err error) error {
	return fmt.Errorf("چیزی نوشته نشد:\nnothing was written:\n%w", err)
}

// seat is the place of the issuer of a number.
func (h home) seat(n int) seat {
	if n == 1 {
		return h.first()
	}
	return h.further(n)
}

// tokenOf is what the module says of the CA's token.
func tokenOf(module string, h home) (token.Info, error) {
	infos, err := token.List(module)
	for _, info := range infos {
		if serial := h.serial(); info.Serial == serial || serial == "" && info.Label == labelToken {
			return info, err
		}
	}
	return token.Info{}, err
}
