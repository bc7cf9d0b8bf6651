package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"govahi/adapters/pki"
	"govahi/adapters/token"
)

const (
	rootYears   = 20
	issuerYears = 10
)

// ceremony makes a CA for development. A real one has witnesses, a root that is
// elsewhere and a hardware token; what it leaves behind has the same shape.
type ceremony struct {
	Dir    string `required:"" type:"path" help:"Directory to make; it must not exist, or be empty."`
	Module string `default:"${module}" help:"PKCS#11 module of SoftHSM."`
}

// Run works in a directory beside the one asked for and renames it at the end:
// who finds the directory finds it whole. What an interrupted ceremony left
// behind was never used, and is removed.
func (c ceremony) Run() error {
	if entries, err := os.ReadDir(c.Dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s exists: a CA's keys are not made twice", c.Dir)
	}
	stage := c.Dir + ".ceremony"
	if err := os.RemoveAll(stage); err != nil {
		return err
	}
	if err := c.stage(stage); err != nil {
		return errors.Join(err, os.RemoveAll(stage))
	}
	if err := token.WriteSoftHSM(stage, c.Dir); err != nil {
		return err
	}
	if err := os.Remove(c.Dir); err != nil && !errors.Is(err, os.ErrNotExist) { // it may be there, empty
		return err
	}
	return os.Rename(stage, c.Dir)
}

func (c ceremony) stage(dir string) error {
	h := home(dir)
	if err := errors.Join(os.MkdirAll(filepath.Dir(dir), 0o755), token.WriteSoftHSM(dir, dir), token.UseSoftHSM(dir)); err != nil {
		return err
	}
	pin, err := token.RandomPIN()
	if err != nil {
		return err
	}
	if err := os.WriteFile(h.pinFile(), []byte(pin+"\n"), 0o600); err != nil {
		return err
	}
	info, err := token.Initialise(c.Module, labelToken, pin)
	if err != nil {
		return err
	}
	t, err := token.Open(token.Config{Module: c.Module, Serial: info.Serial, PIN: pin})
	if err != nil {
		return err
	}
	err = establish(t, h, info)
	return errors.Join(err, t.Close())
}

// establish makes keys and certificates and writes down what it made.
func establish(t *token.Token, h home, info token.Info) error {
	made := map[string]*token.Key{}
	for _, k := range []struct {
		label     string
		algorithm token.Algorithm
	}{{labelRoot, token.P384}, {labelIssuer, token.P256}, {labelResponder, token.P256}} {
		key, err := t.GenerateKey(k.label, k.algorithm)
		if err != nil {
			return err
		}
		made[k.label] = key
	}
	if _, err := t.GenerateWrappingKey(labelWrapping); err != nil {
		return err
	}
	root, issuer, err := certify(made[labelRoot], made[labelIssuer], time.Now())
	if err != nil {
		return err
	}
	if err := errors.Join(writePEM(h.rootFile(), root), writePEM(h.issuerFile(), issuer)); err != nil {
		return err
	}
	return os.WriteFile(h.transcript(), []byte(transcript(info, root, issuer)), 0o644)
}

// certify signs the root with itself, and the issuer with the root.
func certify(rootKey, issuerKey *token.Key, now time.Time) (root, issuer *x509.Certificate, err error) {
	rootTemplate, err := authority("Govahi Development Root CA", now, rootYears)
	if err != nil {
		return nil, nil, err
	}
	if root, err = signed(rootTemplate, rootTemplate, rootKey, rootKey); err != nil {
		return nil, nil, err
	}
	issuerTemplate, err := authority("Govahi Development Petroleum CA", now, issuerYears)
	if err != nil {
		return nil, nil, err
	}
	issuerTemplate.MaxPathLenZero = true // it certifies people, and no further CA
	issuer, err = signed(issuerTemplate, root, issuerKey, rootKey)
	return root, issuer, err
}

// early is how long before its making a certificate becomes valid: clocks differ,
// and are set back.
const early = 24 * time.Hour

func authority(name string, now time.Time, years int) (*x509.Certificate, error) {
	serial := make([]byte, 16)
	if _, err := rand.Read(serial); err != nil {
		return nil, err
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and of full length
	start := now.Add(-early).UTC().Truncate(time.Second)
	return &x509.Certificate{
		SerialNumber:          new(big.Int).SetBytes(serial),
		Subject:               pkix.Name{Country: []string{"IR"}, Organization: []string{"Govahi Development"}, CommonName: name},
		NotBefore:             start,
		NotAfter:              start.AddDate(years, 0, 0).Add(-time.Second),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}, nil
}

func signed(template, parent *x509.Certificate, subject, signer *token.Key) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, subject.Public(), signer)
	if err != nil {
		return nil, err
	}
	if _, err := pki.Lint(der); err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func writePEM(file string, c *x509.Certificate) error {
	return os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o644)
}

func transcript(info token.Info, root, issuer *x509.Certificate) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Key ceremony for development, %s\n\n", root.NotBefore.Format(time.RFC3339))
	fmt.Fprintf(&b, "token    %s, serial %s, %s %s\n", info.Label, info.Serial, info.Manufacturer, info.Model)
	for _, label := range []string{labelRoot, labelIssuer, labelResponder, labelWrapping} {
		fmt.Fprintf(&b, "key      %-10s born on the token\n", label)
	}
	for _, c := range []*x509.Certificate{root, issuer} {
		fmt.Fprintf(&b, "\ncertificate  %s\nissued by    %s\nserial       %x\nvalid        %s to %s\nSHA-256      %x\n",
			c.Subject, c.Issuer, c.SerialNumber, c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339), sha256.Sum256(c.Raw))
	}
	return b.String()
}
