package main

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"os"
	"slices"
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

// Unwrap is why.
func (e exit) Unwrap() error { return e.error }

// The codes of check beside 0, all is sound, and 1, it could not be asked.
const (
	exitUnsound = 2
	exitNoToken = 3 // not reached: what could be checked without it was not
)

var errUnsound = exit{errors.New("همه چیز درست نیست؛ ردیف‌های «نادرست» می‌گویند چه باید کرد.\nnot everything is sound: the rows that are WRONG say what to do"), exitUnsound}

// Run prints what it found and fails if anything of it is not so.
func (c check) Run() error {
	t, err := c.open()
	if err != nil {
		return exit{fmt.Errorf("به توکن نرسیدیم و چیزی بررسی نشد؛ اتصال توکن، پروندهٔ PIN و ماژول PKCS#11 را ببینید:\n"+
			"the token was not reached, and nothing was checked: see its connection, the PIN's file and the PKCS#11 module:\n%w", err), exitNoToken}
	}
	r := report{}
	seats, err := home(c.Dir).seats()
	if err != nil {
		return errors.Join(err, t.Close())
	}
	set, profilesErr := profiles.Load(c.Profiles)
	kept, transcriptsErr := home(c.Dir).transcripts()
	for _, s := range seats {
		certificates(&r, t, home(c.Dir), s, set, kept)
	}
	c.profiles(&r, t, set, profilesErr)
	attributes(&r, t, seats)
	r.line(transcriptsRow, home(c.Dir).path(transcriptsDir), transcriptsErr, fault.Text{
		Fa: fmt.Sprintf("%d، چنان که آیین‌ها به جا گذاشتند", len(kept)), En: fmt.Sprintf("%d, as the ceremonies left them", len(kept)),
	})
	if err := errors.Join(r.print(os.Stdout, c.JSON), t.Close()); err != nil {
		return err
	}
	if !r.Sound {
		return errUnsound
	}
	return nil
}

// The rows of check.
var (
	rootRow = row{
		fault.Text{Fa: "گواهی ریشه", En: "root certificate"},
		fault.Text{Fa: "این پرونده را از پشتیبان پوشهٔ مرکز بازگردانید.", En: "put the file back from a backup of the CA's directory"},
	}
	issuerRow = row{
		fault.Text{Fa: "گواهی مرکز صدور", En: "issuer certificate"},
		fault.Text{
			Fa: "این پرونده را از پشتیبان پوشهٔ مرکز بازگردانید، یا گواهی‌ای را که ریشهٔ بیرونی داده است با govahi-signer ceremony import وارد کنید.",
			En: "put the file back from a backup of the CA's directory, or take in what the outside root certified (govahi-signer ceremony import)",
		},
	}
	chainRow = row{
		fault.Text{Fa: "زنجیره", En: "chain"},
		fault.Text{Fa: "گواهی مرکز صدور از این ریشه نیست؛ گواهی‌های همان آیین را از پشتیبان بازگردانید.", En: "put back root and issuer of the same ceremony"},
	}
	endRow = row{
		fault.Text{Fa: "پایان", En: "end"},
		fault.Text{Fa: "پایان این مرکز صدور را با govahi-signer end از نو بنویسید.", En: "write the end anew with govahi-signer end"},
	}
	datesRow = row{
		fault.Text{Fa: "تاریخ‌ها", En: "dates"},
		fault.Text{
			Fa: "گواهی مرکز صدور اکنون معتبر نیست؛ ساعت این رایانه را ببینید، وگرنه مرکز صدور میانی تازه‌ای بسازید (govahi-signer ceremony succeed).",
			En: "see to this computer's clock, or make a further intermediate (govahi-signer ceremony succeed)",
		},
	}
	lintRow = row{
		fault.Text{Fa: "بررسی استاندارد", En: "lint"},
		fault.Text{Fa: "گواهی مرکز صدور برخلاف استاندارد است؛ گواهی دیگری از ریشه بخواهید.", En: "have the root certify the issuer anew"},
	}
	belongsRow = row{
		fault.Text{Fa: "کلید گواهی", En: "key of the certificate"},
		fault.Text{
			Fa: "کلید گواهی مرکز صدور روی این توکن نیست؛ توکن خود این مرکز را وصل کنید، یا گواهی آن را از پشتیبان بازگردانید.",
			En: "connect the CA's own token, or put its certificate back from a backup",
		},
	}
	certifiedRow = row{
		fault.Text{Fa: "چنان که باید", En: "as it was to be"},
		fault.Text{
			Fa: "این گواهی آن نیست که آیین ساخت یا ceremony import پذیرفت؛ همان را از پشتیبان پوشهٔ مرکز بازگردانید و بجویید که چه کسی آن را جایگزین کرده است.",
			En: "it is not what the ceremony made or the import took in: put that back from a backup of the CA's directory, and find out who replaced it",
		},
	}
	profilesRow = row{
		fault.Text{Fa: "نمایه‌ها", En: "profiles"},
		fault.Text{Fa: "پرونده‌های نام‌برده را درست کنید.", En: "mend the files that are named"},
	}
	responderRow = row{
		fault.Text{Fa: "نمایهٔ پاسخ‌گو", En: "responder's profile"},
		fault.Text{
			Fa: "نمایهٔ پاسخ‌گوی OCSP کلید روی توکن را نمی‌پذیرد؛ نوع آن کلید را به keys در نمایه بیفزایید.",
			En: "add the kind of the key on the token to the profile's keys",
		},
	}
	transcriptsRow = row{
		fault.Text{Fa: "صورت‌جلسه‌ها", En: "transcripts"},
		fault.Text{Fa: "صورت‌جلسه‌ها چنان نیستند که آیین به جا گذاشت؛ آن‌ها را از پشتیبان بازگردانید.", En: "put back what the witnesses signed from a backup"},
	}
)

// keyRow is that of a key on the token.
func keyRow(label string) row {
	return row{
		fault.Text{Fa: "کلید " + label, En: label + " key"},
		fault.Text{
			Fa: "کلید باید روی همین توکن زاده شده و بیرون‌نرفتنی باشد؛ توکن خود این مرکز را وصل کنید، وگرنه این کلید را به کار نبرید.",
			En: "connect the CA's own token; a key that was not born there, or may leave it, is not to be used",
		},
	}
}

// certificates are those of one issuer.
func certificates(r *report, t *token.Token, h home, s seat, set profile.Set, kept []keptTranscript) {
	line := func(w row, where string, err error, detail fault.Text) { r.line(w.of(s), where, err, detail) }
	root, rootErr := s.certificate(s.rootFile())
	line(rootRow, s.rootFile(), rootErr, alike(name(root)))
	issuer, issuerErr := s.certificate(s.issuerFile())
	line(issuerRow, s.issuerFile(), issuerErr, alike(name(issuer)))
	if rootErr != nil || issuerErr != nil {
		return
	}
	line(chainRow, s.issuerFile(), issuer.CheckSignatureFrom(root), fault.Text{Fa: "مرکز صدور بر این ریشه استوار است", En: "the issuer stands on the root"})
	if ended, err := s.ended(); err != nil || ended != "" {
		line(endRow, s.endedFile(), err, fault.Text{Fa: string(ended) + ": دیگر گواهی امضا نمی‌کند", En: string(ended) + ": it signs no certificates any more"})
	} else {
		until := issuer.NotAfter.Format(time.DateOnly)
		line(datesRow, s.issuerFile(), imported{certificate: issuer, root: root}.dates(time.Now()), fault.Text{Fa: "تا " + until, En: "until " + until})
	}
	verdict, err := pki.Lint(issuer.Raw)
	line(lintRow, s.issuerFile(), err, fault.Text{
		Fa: fmt.Sprintf("%s: %d قاعده برآورده شد، هشدارها %v", verdict.Linter, verdict.Passed, verdict.Warnings),
		En: fmt.Sprintf("%s: %d passed, warnings %v", verdict.Linter, verdict.Passed, verdict.Warnings),
	})
	key, err := s.key(t)
	at := fault.Text{Fa: "کلید " + s.label() + " روی توکن", En: "the " + s.label() + " key on the token"}
	if err == nil && key == nil {
		at = destroyed
	} else if err == nil {
		err = belongs(key, issuer)
	}
	line(belongsRow, s.issuerFile(), err, at)
	line(certifiedRow, s.issuerFile(), s.certified(t, imported{home: h, seat: s, certificate: issuer, root: root, profiles: set}, kept),
		fault.Text{Fa: "با درخواست و با صورت‌جلسه یکی است", En: "it is what was asked for, and what the transcript names"})
}

// certified makes the checks of the import once more, but for those that have a row
// of their own, and looks for the certificate in what the witnesses signed.
func (s seat) certified(t *token.Token, i imported, kept []keptTranscript) (err error) {
	if i.key, err = s.key(t); err != nil {
		return err
	}
	p, err := s.held()
	if err != nil {
		return fmt.Errorf("%s:\n%w", s.planFile(), err)
	}
	name := p.Issuer.Name.subject()
	if i.asked.der, err = asn1.Marshal(name.ToRDNSequence()); err != nil {
		return err
	}
	i.asked.name = name
	for _, one := range append(i.verdicts(time.Now()), s.recorded(i.certificate, kept)) {
		if one.err != nil && !one.row {
			err = errors.Join(err, one.failed())
		}
	}
	return err
}

// recorded wants the very certificate in a transcript of this issuer.
func (s seat) recorded(c *x509.Certificate, kept []keptTranscript) verdict {
	hash := hexSum(c.Raw)
	named := slices.ContainsFunc(kept, func(k keptTranscript) bool {
		return k.of(s.number, "development", "succession", "import") && bytes.Contains(k.text, []byte("<code>"+hash+"</code>"))
	})
	return verdict{
		"صورت‌جلسه‌ای آن را نام می‌برد", "a transcript names it",
		ensure(named, "none has its SHA-256, %s", hash), false,
	}
}

// profiles are those that the signer would hold every certificate to; the
// responder's must take the key that is on the token.
func (c check) profiles(r *report, t *token.Token, set profile.Set, err error) {
	r.line(profilesRow, cmp.Or(c.Profiles, "profiles"), err, fault.Text{
		Fa: fmt.Sprintf("%d، برای %d محصول", len(set.All()), len(set.Products())),
		En: fmt.Sprintf("%d, for %d products", len(set.All()), len(set.Products())),
	})
	k, keyErr := t.Key(labelResponder)
	if err != nil || keyErr != nil {
		return
	}
	p, _ := set.Responder() // every set has one
	kind, _ := profile.KeyOf(k.Public())
	if !p.Allows(kind) {
		err = fmt.Errorf("%s certifies %v, and no %s", p.ID(), p.Keys, kind)
	}
	r.line(responderRow, p.ID(), err, alike(p.ID()))
}

// destroyed is said of the key of an issuer that was compromised: it need not be there.
var destroyed = fault.Text{
	Fa: "پس از افشا از توکن برداشته شده است؛ این مرکز دیگر چیزی امضا نمی‌کند",
	En: "destroyed after its compromise: this issuer signs nothing any more",
}

// alike is a name, which is the same in both languages.
func alike(text string) fault.Text { return fault.Text{Fa: text, En: text} }

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
func belongs(k *token.Key, c *x509.Certificate) error {
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
	for _, s := range seats {
		k, err := s.key(t)
		if err == nil && k == nil {
			r.line(keyRow(s.label()), labelToken, nil, destroyed)
			continue
		}
		sound(r, s.label(), k, err)
	}
	k, err := t.Key(labelResponder)
	sound(r, labelResponder, k, err)
	w, err := t.WrappingKey(labelWrapping)
	sound(r, labelWrapping, w, err)
}

// sound asks the token about a key, if that was found.
func sound(r *report, label string, k interface {
	Protection() (token.Protection, error)
}, err error,
) {
	if err == nil {
		err = proved(label, k)
	}
	r.line(keyRow(label), labelToken, err, fault.Text{
		Fa: "زادهٔ توکن، حساس، بیرون‌نرفتنی و تغییرناپذیر", En: "born on the token, sensitive, not extractable, not modifiable",
	})
}
