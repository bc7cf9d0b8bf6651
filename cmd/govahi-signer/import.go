package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"govahi/adapters/pki"
	"govahi/adapters/pki/profiles"
	"govahi/adapters/token"
	"govahi/domain/profile"
)

// takeIn takes the certificate in that an outside root made of the ceremony's
// request. Until then there is no issuer, and nothing signs.
type takeIn struct {
	Certificate string `arg:"" type:"path" help:"The certificate, PEM or DER."`
	Root        string `required:"" type:"path" help:"The root's own certificate, PEM or DER."`
	Profiles    string `type:"path" env:"GOVAHI_PROFILES" help:"Directory of certificate profiles; those that come with the program if empty."`
	Issuer      int    `default:"1" help:"Number of the issuer whose request it answers, as the ceremony of a further one named it."`
	reach
}

// Run checks everything before it writes anything. The issuer's certificate is
// written last: who finds it finds the rest.
func (c takeIn) Run() error {
	h := home(c.Dir)
	s := h.seat(c.Issuer)
	if _, err := os.Stat(s.issuerFile()); err == nil {
		return notTakenIn(c.Certificate, profiles.Refusal{
			Fa: "گواهی این مرکز صدور از پیش اینجاست و جایگزین نمی‌شود؛ مرکز دیگر را با --issuer نام ببرید.",
			En: "the issuer's certificate is there already, and is not replaced: name another issuer by --issuer",
		})
	}
	i, tr, err := c.prove(s)
	if err != nil {
		return err
	}
	if err := h.write(&tr); err != nil {
		return err
	}
	if err := writePEM(s.rootFile(), "CERTIFICATE", i.root.Raw); err != nil {
		return err
	}
	if err := writePEM(s.issuerFile(), "CERTIFICATE", i.certificate.Raw); err != nil {
		return err
	}
	tr.announce(os.Stdout, h)
	return nil
}

func (c takeIn) prove(s seat) (imported, transcript, error) {
	tr := transcript{Kind: "import", Number: s.number, At: time.Now().UTC()}
	i, err := c.read(s)
	if err == nil {
		var p succession
		p, err = s.held()
		tr.Witnesses = p.Witnesses
	}
	if err != nil {
		return i, tr, err
	}
	t, err := c.open()
	if err != nil {
		return i, tr, err
	}
	if i.key, err = t.Key(s.label()); err == nil {
		tr.Token, err = tokenOf(c.Module, home(c.Dir))
	}
	if err == nil {
		tr.Checks, err = i.check(tr.At)
	}
	tr.certify(i.root, i.certificate)
	return i, tr, errors.Join(err, t.Close())
}

// held is what the ceremony at which the issuer's key was made was to make.
func (s seat) held() (succession, error) {
	if s.number > 1 {
		return readSuccession(s.planFile())
	}
	p, err := readPlan(s.planFile())
	return succession{Mode: p.Mode, Issuer: p.Issuer, Witnesses: p.Witnesses}, err
}

func (c takeIn) read(h seat) (i imported, err error) {
	i.home, i.seat = home(c.Dir), h
	if i.certificate, err = readOne(c.Certificate); err != nil {
		return i, err
	}
	if i.root, err = readOne(c.Root); err != nil {
		return i, err
	}
	text, err := profiles.ReadPath(h.requestFile())
	if err != nil {
		return i, notTakenIn(c.Certificate, profiles.Refusal{
			Fa: "درخواستی از اینجا بیرون نرفته است؛ نخست آیین کلید را با mode: intermediate برگزار کنید.",
			En: "no request went out from here: hold a ceremony with mode: intermediate first", Cause: err,
		})
	}
	request, err := readRequest(text)
	if err != nil {
		return i, notTakenIn(c.Certificate, profiles.Refusal{
			Fa: "درخواستی که از اینجا بیرون رفت خوانده نمی‌شود؛ پروندهٔ " + h.requestFile() + " را از پشتیبان بازگردانید.",
			En: "the request that went out from here cannot be read: restore " + h.requestFile() + " from a backup", Cause: err,
		})
	}
	i.asked = wanted{request.RawSubject, request.Subject}
	i.profiles, err = profiles.Load(c.Profiles)
	return i, err
}

func readRequest(text []byte) (*x509.CertificateRequest, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM")
	}
	return x509.ParseCertificateRequest(block.Bytes)
}

// readOne is onlyCertificate of a file that is to be taken in.
func readOne(file string) (*x509.Certificate, error) {
	c, err := onlyCertificate(file)
	if err != nil {
		return nil, notTakenIn(file, err)
	}
	return c, nil
}

// onlyCertificate reads exactly one certificate: of two, nobody would know which one
// was checked.
func onlyCertificate(file string) (*x509.Certificate, error) {
	text, err := profiles.ReadPath(file)
	if err != nil {
		return nil, err
	}
	if block, rest := pem.Decode(text); block != nil {
		if err := onlyOne(text, block, rest); err != nil {
			return nil, err
		}
		text = block.Bytes
	}
	c, err := x509.ParseCertificate(text)
	if err != nil {
		return nil, profiles.Refusal{
			Fa: "این گواهی X.509 نیست (یا پس از آن بایت‌هایی مانده است)؛ همان پرونده‌ای را بدهید که ریشه فرستاده است.",
			En: "it is no certificate, or bytes follow it: give the file that the root sent", Cause: err,
		}
	}
	return c, nil
}

func notTakenIn(file string, err error) error {
	return fmt.Errorf("%s وارد نشد و چیزی تغییر نکرد:\n%s is not taken in, and nothing was changed:\n%w", file, file, err)
}

// onlyOne refuses what stands beside a certificate, and above all a private key:
// it has no business outside its token.
func onlyOne(text []byte, first *pem.Block, rest []byte) error {
	second, _ := pem.Decode(rest)
	switch {
	case bytes.Contains(text, []byte("PRIVATE KEY-----")):
		return profiles.Refusal{
			Fa: "در پرونده کلید خصوصی هست؛ آن را از اینجا بردارید، لو رفته بدانید، و تنها گواهی را بدهید.",
			En: "there is a private key in the file: take it away from here, hold it for compromised, and give the certificate alone",
		}
	case first.Type != "CERTIFICATE":
		return profiles.Refusal{
			Fa: "پرونده چیز دیگری جز یک گواهی در بر دارد؛ گواهی را بدهید، نه درخواست یا کلید را.",
			En: "it holds something else than one certificate: give the certificate, not a request or a key",
		}
	case second != nil:
		return profiles.Refusal{
			Fa: "پرونده بیش از یک گواهی در بر دارد؛ گواهی صدور را جدا و گواهی ریشه را با --root بدهید.",
			En: "it holds something else than one certificate, a chain: give the issuer's alone, and the root's by --root",
		}
	case len(bytes.TrimSpace(rest)) > 0:
		return profiles.Refusal{
			Fa: "پس از گواهی چیز دیگری در پرونده مانده است؛ تنها خود گواهی را بدهید.",
			En: "it holds something else than one certificate: something follows it; give the certificate alone",
		}
	}
	return nil
}

// imported is a certificate on its way in, or that is there, and what it is checked
// against.
type imported struct {
	certificate, root *x509.Certificate
	asked             wanted
	home              home // of the CA
	seat              seat
	key               *token.Key
	profiles          profile.Set
}

// wanted is the name that a ceremony wrote into its request, or certified itself.
type wanted struct {
	der  []byte
	name pkix.Name
}

// verdict is what came of one check. Some have a row of their own where check asks
// once more.
type verdict struct {
	fa, en string
	err    error
	row    bool
}

// verdicts are of everything that is wanted of an issuer's certificate, on its way
// in as ever after.
func (i imported) verdicts(now time.Time) []verdict {
	c := i.certificate
	return []verdict{
		{"کلید گواهی کلید صدور همین توکن است", "its key is the issuer key on this token", i.sameKey(), true},
		{"کلید روی توکن زاده شده و بیرون‌رفتنی نیست", "that key was born on the token and never leaves it", i.proved(), true},
		{
			"نام همان است که در درخواست آمد، بایت به بایت", "its name is the request's, byte for byte",
			ensure(bytes.Equal(c.RawSubject, i.asked.der), "it names %s; asked for was %s", c.Subject, i.asked.name), false,
		},
		{"این نام از آن مرکز صدور دیگری نیست", "no other CA here has its name", i.lone(), false},
		{"ریشه گواهی یک مرکز صدور با امضای خود است", "the root is a CA's, signed by itself", i.rootStands(), false},
		{"کلید ریشه بسنده نیرومند است", "the root's key is strong enough", i.rootStrong(), false},
		{
			"ریشه مرکز دیگری زیر خود را روا می‌دارد", "the root allows a CA under it",
			ensure(i.root.MaxPathLen != 0, "its path length is 0: nobody would trust a certificate of this issuer"), false,
		},
		{"ریشه آن را امضا کرده است", "the root signed it", c.CheckSignatureFrom(i.root), true},
		{"افزونهٔ بحرانی ناشناخته‌ای ندارند", "no critical extension that nobody knows", i.understood(), false},
		{
			"شناسهٔ کلید صادرکننده از آن ریشه است", "its authority key identifier is the root's",
			ensure(len(c.AuthorityKeyId) > 0 && bytes.Equal(c.AuthorityKeyId, i.root.SubjectKeyId), "the root's is %x, it has %x", i.root.SubjectKeyId, c.AuthorityKeyId), false,
		},
		{"شناسهٔ کلید خود را دارد", "it has an identifier of its own key", ensure(len(c.SubjectKeyId) > 0, "there is none; certificates under it would have none of their issuer's"), false},
		{"خود و ریشه اکنون معتبرند", "it is valid now, and so is the root", i.dates(now), true},
		{
			"پس از ریشه پایان نمی‌یابد", "it is valid no longer than the root",
			ensure(!c.NotAfter.After(i.root.NotAfter), "it ends after the root, %s", i.root.NotAfter.Format(time.DateOnly)), false,
		},
		{"گواهی مرکز صدور است و مرکز دیگری زیر آن نمی‌آید", "basic constraints: a CA, path length 0, critical", i.constraints(), false},
		{"کاربرد کلید امضای گواهی و فهرست ابطال است", "key usage: certificates and revocation lists, critical", i.usage(), false},
		{"کاربردهای گسترده همهٔ نمایه‌ها را در بر دارد", "extended key usage: none, or all that the profiles need", i.purposes(), false},
		{"با استانداردها می‌خواند", "it keeps the standards (lint)", linted(c), true},
	}
}

// check makes every check, and says all that are failed.
func (i imported) check(now time.Time) (passed []checked, err error) {
	for _, one := range i.verdicts(now) {
		if one.err != nil {
			err = errors.Join(err, one.failed())
			continue
		}
		passed = append(passed, checked{one.fa, one.en})
	}
	if err != nil {
		return nil, fmt.Errorf("گواهی وارد نشد و چیزی تغییر نکرد؛ این‌ها چنین نیست:\nthe certificate is not taken in, and nothing was changed; not so is:\n%w", err)
	}
	return passed, nil
}

func (v verdict) failed() error { return fmt.Errorf("  %s\n  %s: %w", v.fa, v.en, v.err) }

func ensure(ok bool, format string, args ...any) error {
	if ok {
		return nil
	}
	return fmt.Errorf(format, args...)
}

func (i imported) proved() error {
	if i.key == nil {
		return token.ErrNoKey
	}
	return proved(labelIssuer, i.key)
}

func (i imported) sameKey() error {
	if i.key == nil {
		return token.ErrNoKey
	}
	if !same(i.key.Public(), i.certificate.PublicKey) {
		return token.ErrOtherKey
	}
	return nil
}

func (i imported) rootStands() error {
	r := i.root
	if !r.IsCA || !r.BasicConstraintsValid || r.KeyUsage&x509.KeyUsageCertSign == 0 {
		return errors.New("it may not certify")
	}
	if bytes.Equal(r.Raw, i.certificate.Raw) {
		return errors.New("it is the certificate itself")
	}
	return r.CheckSignatureFrom(r)
}

// rootStrong takes what the standards still take of a CA whose kind of key is not
// ours to choose (RFC 8017 §3.1, RFC 5480 §2.1.1).
func (i imported) rootStrong() error {
	switch k := i.root.PublicKey.(type) {
	case *rsa.PublicKey:
		return ensure(k.N.BitLen() >= 2048 && k.E >= 3 && k.E%2 == 1, "RSA of %d bits; 2048 are the least", k.N.BitLen())
	case *ecdsa.PublicKey:
		return ensure(k.Params().BitSize >= 256, "an elliptic curve of %d bits; 256 are the least", k.Params().BitSize)
	case ed25519.PublicKey:
		return nil
	}
	return errors.New("it is of a kind that nobody here verifies")
}

// understood: whoever does not know a critical extension must refuse the
// certificate (RFC 5280 §4.2), and with it all under it.
func (i imported) understood() error {
	for _, c := range []*x509.Certificate{i.root, i.certificate} {
		if unknown := c.UnhandledCriticalExtensions; len(unknown) > 0 {
			return fmt.Errorf("%s has %v", c.Subject, unknown)
		}
	}
	return nil
}

func (i imported) dates(now time.Time) error {
	if err := valid(i.certificate, now); err != nil {
		return err
	}
	if err := valid(i.root, now); err != nil {
		return fmt.Errorf("the root: %w", err)
	}
	return nil
}

func (i imported) constraints() error {
	c := i.certificate
	return ensure(c.BasicConstraintsValid && c.IsCA && c.MaxPathLenZero && critical(c, oidBasicConstraints.String()),
		"CA %v, path length %d", c.IsCA, c.MaxPathLen)
}

func (i imported) usage() error {
	const needed = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	u := i.certificate.KeyUsage
	return ensure(u&needed == needed && u&^(needed|x509.KeyUsageDigitalSignature) == 0 && critical(i.certificate, oidKeyUsage.String()),
		"it is %09b", u)
}

func critical(c *x509.Certificate, id string) bool {
	for _, e := range c.Extensions {
		if e.Id.String() == id {
			return e.Critical
		}
	}
	return false
}

// purposes: verifiers take a CA's extended key usage for a bound on those of
// its certificates.
func (i imported) purposes() error {
	bound := i.certificate.ExtKeyUsage
	if len(bound) == 0 && len(i.certificate.UnknownExtKeyUsage) == 0 || slices.Contains(bound, x509.ExtKeyUsageAny) {
		return nil
	}
	for _, p := range i.profiles.All() {
		for n, u := range p.ExtKeyUsages() {
			if !slices.Contains(bound, u) {
				return fmt.Errorf("%s is not among them, which %s needs", p.ExtendedKeyUsage[n], p.ID())
			}
		}
	}
	return nil
}

func linted(c *x509.Certificate) error {
	if _, err := pki.Lint(c.Raw); err != nil {
		return errors.New(told(err).En)
	}
	return nil
}
