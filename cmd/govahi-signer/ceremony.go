package main

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"govahi/adapters/pki"
	"govahi/adapters/token"
	"govahi/domain/fault"
)

// ceremony makes a CA's keys, before witnesses, and takes an outside root's
// certificate in.
type ceremony struct {
	Hold   hold   `cmd:"" default:"withargs" help:"Make the keys, and a development CA or the request to an outside root."`
	Import takeIn `cmd:"" help:"Take in the certificate that the outside root made of the request."`

	Succeed succeed `cmd:"" help:"Make a further intermediate beside the present one."`
}

var errNoRequest = fault.Remark("--csr-out", "تنها برای mode: intermediate است، که درخواستی به ریشهٔ بیرونی می‌فرستد؛ آن را بردارید.",
	"it is for mode: intermediate, from which a request goes to an outside root: leave it out")

// hold holds a ceremony.
type hold struct {
	File   string `arg:"" optional:"" type:"path" help:"What to make, as YAML; a CA for development if empty (docs/operations.md)."`
	Dir    string `required:"" type:"path" help:"Directory to make; it must not exist, or be empty."`
	Module string `default:"${module}" env:"GOVAHI_PKCS11_MODULE" help:"PKCS#11 module."`
	CSROut string `name:"csr-out" type:"path" help:"Where to write the request to the outside root, PEM; beside issuer.csr in the directory."`
}

// Run works in a directory beside the one asked for and renames it at the end:
// who finds the directory finds it whole. What an interrupted ceremony left
// behind was never used, and is removed. Keys on a hardware token stay: its
// vendor's tools empty it.
func (c hold) Run() error {
	p, err := readPlan(c.File)
	if err != nil {
		return err
	}
	if c.CSROut != "" && p.Mode != intermediate {
		return cannotBeHeld(c.File, errNoRequest)
	}
	stage := c.Dir + ".ceremony"
	if err := c.room(stage); err != nil {
		return cannotBeHeld(c.File, err)
	}
	if err := os.RemoveAll(stage); err != nil {
		return err
	}
	written, err := c.stage(stage, p)
	if err != nil {
		return errors.Join(err, os.RemoveAll(stage))
	}
	if err := c.unveil(stage, p); err != nil {
		return err
	}
	written.announce(os.Stdout, home(c.Dir))
	return handOut(home(c.Dir), c.CSROut)
}

// unveil makes the stage the CA's directory.
func (c hold) unveil(stage string, p plan) error {
	if p.Token.Software {
		if err := token.WriteSoftHSM(stage, c.Dir); err != nil {
			return err
		}
	}
	// The directory may be there, empty. What else came there meanwhile stays, for
	// nothing is renamed over a file, and a link is no directory.
	if info, err := os.Lstat(c.Dir); err == nil && info.IsDir() {
		if err := os.Remove(c.Dir); err != nil {
			return err
		}
	}
	if err := os.Remove(filepath.Join(stage, unfinished)); err != nil {
		return err
	}
	return os.Rename(stage, c.Dir)
}

func (c hold) stage(dir string, p plan) (transcript, error) {
	if err := errors.Join(os.MkdirAll(filepath.Dir(dir), 0o755), os.MkdirAll(dir, 0o700),
		os.WriteFile(filepath.Join(dir, unfinished), nil, 0o600)); err != nil {
		return transcript{}, err
	}
	if err := writeWhole(home(dir).planFile(), p.text); err != nil {
		return transcript{}, err
	}
	t, info, err := c.open(home(dir), p.Token)
	if err != nil {
		return transcript{}, err
	}
	tr := transcript{Kind: string(p.Mode), At: time.Now().UTC(), Token: info, Witnesses: p.Witnesses}
	err = establish(t, home(dir), p, &tr)
	if err == nil {
		err = home(dir).write(&tr)
	}
	return tr, errors.Join(err, t.Close())
}

// open makes a software token, or opens a hardware one and keeps how.
func (c hold) open(h home, o onToken) (*token.Token, token.Info, error) {
	if !o.Software {
		return c.openHardware(h, o)
	}
	if err := errors.Join(token.WriteSoftHSM(string(h), string(h)), token.UseSoftHSM(string(h))); err != nil {
		return nil, token.Info{}, err
	}
	pin, err := token.RandomPIN()
	if err != nil {
		return nil, token.Info{}, err
	}
	if err := os.WriteFile(h.pinFile(), []byte(pin+"\n"), 0o600); err != nil {
		return nil, token.Info{}, err
	}
	info, err := token.Initialise(c.Module, labelToken, pin)
	if err != nil {
		return nil, info, err
	}
	t, err := token.Open(token.Config{Module: c.Module, Serial: info.Serial, PIN: pin})
	return t, info, err
}

func (c hold) openHardware(h home, o onToken) (*token.Token, token.Info, error) {
	pin, err := readPIN(o.PINFile)
	if err != nil {
		return nil, token.Info{}, cannotBeHeld(c.File, err)
	}
	infos, err := token.List(c.Module)
	if err != nil {
		return nil, token.Info{}, err
	}
	for _, info := range infos {
		if info.Serial != o.Serial {
			continue
		}
		if err := errors.Join(os.WriteFile(h.pinFile(), []byte(pin+"\n"), 0o600), os.WriteFile(h.serialFile(), []byte(info.Serial+"\n"), 0o644)); err != nil {
			return nil, info, err
		}
		text, _, err := h.pin()
		if err != nil {
			return nil, info, err
		}
		t, err := token.Open(token.Config{Module: c.Module, Serial: info.Serial, PIN: text})
		return t, info, err
	}
	return nil, token.Info{}, cannotBeHeld(c.File, fault.Remark("token.serial",
		"توکنی با شمارهٔ سریال %q دیده نمی‌شود؛ آن را همان‌گونه که ابزار سازنده نشان می‌دهد، در نقل‌قول، بنویسید.",
		"the module sees no token %q; write it as the vendor's tools show it, in quotes", o.Serial))
}

// establish makes keys, proves them, and certifies them or asks for it.
func establish(t *token.Token, h home, p plan, tr *transcript) error {
	issuer, err := born(t, labelIssuer, p.Issuer.Algorithm, tr)
	if err != nil {
		return err
	}
	if _, err := born(t, labelResponder, p.Responder.Algorithm, tr); err != nil {
		return err
	}
	if err := bornWrapping(t, tr); err != nil {
		return err
	}
	if p.Mode == intermediate {
		return ask(h, p, issuer, tr)
	}
	rootKey, err := born(t, labelRoot, p.Root.Algorithm, tr)
	if err != nil {
		return err
	}
	root, certificate, err := certify(p, rootKey, issuer, tr.At)
	if err != nil {
		return err
	}
	tr.certify(root, certificate)
	return errors.Join(writePEM(h.rootFile(), "CERTIFICATE", root.Raw), writePEM(h.issuerFile(), "CERTIFICATE", certificate.Raw))
}

// born makes a key and reads back what the token says of it.
func born(t *token.Token, label string, a token.Algorithm, tr *transcript) (*token.Key, error) {
	k, err := t.GenerateKey(label, a)
	if err != nil {
		return nil, fmt.Errorf("%s key: %w", label, err)
	}
	if err := proved(label, k); err != nil {
		return nil, err
	}
	return k, tr.born(label, string(a), k.Public())
}

func bornWrapping(t *token.Token, tr *transcript) error {
	k, err := t.GenerateWrappingKey(labelWrapping)
	if err != nil {
		return fmt.Errorf("%s key: %w", labelWrapping, err)
	}
	if err := proved(labelWrapping, k); err != nil {
		return err
	}
	return tr.born(labelWrapping, "aes-256", nil)
}

// proved refuses a key that may have come from elsewhere or may go there,
// whatever was asked for: the token's own word counts.
func proved(label string, k interface {
	Protection() (token.Protection, error)
},
) error {
	p, err := k.Protection()
	if err != nil {
		return err
	}
	if !p.Sound() {
		return fmt.Errorf("the token says of the %s key: %+v; a CA's key is born on the token, sensitive, never extractable and not modifiable: use another token", label, p)
	}
	return nil
}

// certify signs the root with itself, and the issuer with the root, each after
// its twin under a throwaway key was linted.
func certify(p plan, rootKey, issuerKey *token.Key, now time.Time) (root, issuer *x509.Certificate, err error) {
	rootTemplate, err := authority(p.Root.Name, now, p.Root.Years)
	if err != nil {
		return nil, nil, err
	}
	if root, err = signed(rootTemplate, rootTemplate, rootKey.Public(), rootKey); err != nil {
		return nil, nil, fmt.Errorf("root: %w", err)
	}
	issuerTemplate, err := authority(p.Issuer.Name, now, p.Issuer.Years)
	if err != nil {
		return nil, nil, err
	}
	issuerTemplate.MaxPathLenZero = true // it certifies people, and no further CA
	if issuer, err = signed(issuerTemplate, root, issuerKey.Public(), rootKey); err != nil {
		return nil, nil, fmt.Errorf("issuer: %w", err)
	}
	return root, issuer, nil
}

// early is how long before its making a certificate becomes valid: clocks differ,
// and are set back.
const early = 24 * time.Hour

func authority(name called, now time.Time, years int) (*x509.Certificate, error) {
	serial := make([]byte, 16)
	if _, err := rand.Read(serial); err != nil {
		return nil, err
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and of full length
	start := now.Add(-early).UTC().Truncate(time.Second)
	return &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(serial),
		Subject:               name.subject(),
		NotBefore:             start,
		NotAfter:              start.AddDate(years, 0, 0).Add(-time.Second),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}, nil
}

func (n called) subject() pkix.Name {
	name := pkix.Name{Country: []string{"IR"}, Organization: []string{n.Organization}, CommonName: n.CommonName}
	if n.Unit != "" {
		name.OrganizationalUnit = []string{n.Unit}
	}
	return name
}

// signed lints what a throwaway key of the same kind makes of the template, and
// only then lets the token sign.
func signed(template, parent *x509.Certificate, subject crypto.PublicKey, signer crypto.Signer) (*x509.Certificate, error) {
	if err := rehearse(template, parent, subject, signer.Public()); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, subject, signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func rehearse(template, parent *x509.Certificate, subject, signer crypto.PublicKey) error {
	throwaway, err := pki.KeyLike(signer)
	if err != nil {
		return err
	}
	twin := *parent
	twin.PublicKey = throwaway.Public()
	if template == parent { // a root: its subject's key is the signer's
		subject = throwaway.Public()
	}
	der, err := x509.CreateCertificate(rand.Reader, template, &twin, subject, throwaway)
	if err == nil {
		_, err = pki.Lint(der)
	}
	return err
}

var (
	oidBasicConstraints = asn1.ObjectIdentifier{2, 5, 29, 19}
	oidKeyUsage         = asn1.ObjectIdentifier{2, 5, 29, 15}
)

// ask makes the request to the outside root (RFC 2986), after a certificate as
// it should be was linted.
func ask(h home, p plan, issuer *token.Key, tr *transcript) error {
	wish, err := authority(p.Issuer.Name, tr.At, 1)
	if err != nil {
		return err
	}
	wish.MaxPathLenZero = true
	root, err := authority(called{Organization: "Rehearsal", CommonName: "Rehearsal"}, tr.At, 1)
	if err != nil {
		return err
	}
	root.SubjectKeyId = []byte{1}
	if err := rehearse(wish, root, issuer.Public(), issuer.Public()); err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	extensions, err := wished()
	if err != nil {
		return err
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: wish.Subject, ExtraExtensions: extensions}, issuer)
	if err != nil {
		return err
	}
	tr.asks(p.Issuer.Name.subject(), csr)
	return writePEM(h.requestFile(), "CERTIFICATE REQUEST", csr)
}

// wished is what the certificate should say: a CA that certifies no further one.
func wished() ([]pkix.Extension, error) {
	constraints, err := asn1.Marshal(struct {
		CA         bool
		MaxPathLen int
	}{true, 0})
	if err != nil {
		return nil, err
	}
	usage, err := asn1.Marshal(asn1.BitString{Bytes: []byte{0x06}, BitLength: 7}) // keyCertSign, cRLSign
	return []pkix.Extension{
		{Id: oidBasicConstraints, Critical: true, Value: constraints}, {Id: oidKeyUsage, Critical: true, Value: usage},
	}, err
}

func writePEM(file, kind string, der []byte) error {
	return writeWhole(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// writeWhole leaves the file whole, or not at all.
func writeWhole(file string, data []byte) error {
	next := filepath.Join(filepath.Dir(file), "."+filepath.Base(file)+".next")
	if err := os.WriteFile(next, data, 0o644); err != nil {
		return err
	}
	return os.Rename(next, file)
}
