package main_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"govahi/adapters/cms"
	"govahi/adapters/pki"
	"govahi/adapters/signer/signertest"
	"govahi/adapters/token"
	"govahi/domain/fault/faulttest"
	"govahi/domain/issuer"
)

// furtherFile asks an outside root for a further intermediate.
const furtherFile = `mode: intermediate
issuer:
  algorithm: p-384
  name: {organization: Sample Petroleum, commonName: Sample Petroleum CA 2}
witnesses:
  - {fa: بازرس, en: Auditor}
`

// beside is the authority of a further issuer.
func (c *ca) beside(t *testing.T, n string) *pki.Authority {
	t.Helper()
	dir := filepath.Join(c.dir, "issuers", n)
	a, err := pki.Open([]byte(read(t, dir+"/issuer.pem")), []byte(read(t, dir+"/root.pem")), pki.Under("http://ca.example.ir"))
	must(t, err)
	return a
}

// TestAFurtherIntermediateComesBesideTheFirst on the real token: both sign, and
// once the first is ended, the next one alone.
func TestAFurtherIntermediateComesBesideTheFirst(t *testing.T) {
	c := newCA(t).certify(t)
	run(t, "ceremony", "succeed", "--dir", c.dir)
	next := c.beside(t, "2")
	out, err := exec.Command("openssl", "verify", "-x509_strict", "-CAfile", c.dir+"/root.pem", c.dir+"/issuers/2/issuer.pem").CombinedOutput()
	if err != nil {
		t.Errorf("openssl: %s", out)
	}
	if table := run(t, "check", "--dir", c.dir); strings.Contains(table, "WRONG") || strings.Count(table, "2: ") != 7 ||
		!strings.Contains(table, "issuer-2 key") || !strings.Contains(table, "2, as the ceremonies") {
		t.Errorf("check says:\n%s", table)
	}
	p := c.start(t, nil)
	for _, a := range []*pki.Authority{c.Authority, next} {
		stream, revision, tbs := signertest.Intend(t, c.log, a, c.by, asIs)
		der, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
		must(t, err)
		_, err = a.CheckIssued(der, tbs)
		must(t, err)
		list, at, listTBS := signertest.IntendCRL(t, c.log, a, 1)
		der, _, err = p.SignCRL(t.Context(), list, at, listTBS)
		must(t, err)
		_, err = a.CheckCRL(der, listTBS)
		must(t, err)
	}
	p.stop(t)
	run(t, "end", "retirement", "--dir", c.dir)
	p = c.start(t, nil)
	stream, revision, tbs := signertest.Intend(t, c.log, c.Authority, c.by, asIs)
	if _, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER); !errors.Is(err, issuer.ErrEnded) {
		t.Errorf("a retired issuer: %v", err)
	}
	stream, revision, tbs = signertest.Intend(t, c.log, next, c.by, asIs)
	_, _, err = p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
	must(t, err)
	list, at, listTBS := signertest.IntendCRL(t, c.log, c.Authority, 2)
	_, _, err = p.SignCRL(t.Context(), list, at, listTBS)
	must(t, err)
	p.stop(t)
}

// TestAnOutsideRootCertifiesTheFurtherIntermediate as it did the first.
func TestAnOutsideRootCertifiesTheFurtherIntermediate(t *testing.T) {
	c := newCA(t)
	csr := filepath.Join(t.TempDir(), "out.csr")
	out := run(t, "ceremony", "succeed", write(t, "further.yaml", furtherFile), "--dir", c.dir, "--csr-out", csr)
	if !strings.Contains(out, "number 2") {
		t.Errorf("says no number:\n%s", out)
	}
	block, _ := pem.Decode([]byte(read(t, csr)))
	q, err := x509.ParseCertificateRequest(block.Bytes)
	must(t, err)
	root := newRoot(t, asIssued)
	certificate, its := pemFile(t, "issuer.crt", root.certified(t, q, asIssued)), pemFile(t, "root.crt", root.certificate)
	if out, code := try(t, "ceremony", "import", certificate, "--root", its, "--dir", c.dir); code == 0 || faulttest.Translated(out, "is not replaced") != nil {
		t.Errorf("taken for the first: %s", out)
	}
	if out, code := try(t, "ceremony", "import", certificate, "--root", its, "--dir", c.dir, "--issuer", "3"); code == 0 || faulttest.Translated(out, "no request went out") != nil {
		t.Errorf("taken for one that nobody asked for: %s", out)
	}
	run(t, "check", "--dir", c.dir) // until then there is one issuer
	run(t, "ceremony", "import", certificate, "--root", its, "--dir", c.dir, "--issuer", "2")
	if table := run(t, "check", "--dir", c.dir); strings.Contains(table, "WRONG") || strings.Count(table, "2: ") != 7 {
		t.Errorf("check says:\n%s", table)
	}
	next := c.beside(t, "2")
	p := c.start(t, nil)
	by := signertest.Certify(t, c.log, next, p.SignCertificate, cms.Sign)
	stream, revision, tbs := signertest.Intend(t, c.log, next, by, asIs)
	_, _, err = p.SignCertificate(t.Context(), stream, revision, tbs, by.DER)
	must(t, err)
	p.stop(t)
}

// TestASuccessionThatCannotBeHeldChangesNothing names field and remedy.
func TestASuccessionThatCannotBeHeldChangesNothing(t *testing.T) {
	c := newCA(t)
	for says, wrong := range map[string]struct{ field, from, to string }{
		"two CAs have two names":          {"issuer.name", "CA 2", "CA"},
		"more than the root has left":     {"issuer.years", "years: 10", "years: 25"},
		"is not from 1 to 30":             {"issuer.years", "years: 10", "years: 31"},
		"is neither development":          {"mode", "mode: development", "mode: x"},
		"the outside root decides":        {"issuer.years", "mode: development", "mode: intermediate"},
		"nobody would sign":               {"witnesses", "mode: development", "mode: intermediate"},
		"is none of [rsa-2048":            {"issuer.algorithm", "p-256", "ed25519"},
		"issuer.name.commonName: missing": {"issuer.name.commonName", "commonName: Govahi Development Petroleum CA 2", "commonName: ''"},
		"unknown field":                   {`خانه‌ای به نام "root"`, "witnesses: []", "root: {}"},
	} {
		text := strings.Replace(developmentFurther, wrong.from, wrong.to, 1)
		out, code := try(t, "ceremony", "succeed", write(t, "further.yaml", text), "--dir", c.dir)
		if code == 0 || !strings.Contains(out, says) || !strings.Contains(out, "چیزی ساخته نشد") || faulttest.Remarked(out, wrong.field) != nil {
			t.Errorf("no %q: %d %s", says, code, out)
		}
		if entries, _ := filepath.Glob(c.dir + "/issuers/*"); len(entries) > 0 {
			t.Errorf("%q left %v", says, entries)
		}
	}
	theTranscript(t, c.dir)
	if out, code := try(t, "end", "retirement", "--dir", c.dir, "--issuer", "2"); code == 0 || !strings.Contains(out, "there is no issuer 2") || faulttest.Remarked(out, "--issuer") != nil {
		t.Errorf("ended nobody: %s", out)
	}
	run(t, "end", "compromise", "--dir", c.dir)
	if out, code := try(t, "end", "retirement", "--dir", c.dir); code == 0 || !strings.Contains(out, "for good") || faulttest.Remarked(out, "--issuer") != nil {
		t.Errorf("took a compromise back: %s", out)
	}
	run(t, "ceremony", "succeed", "--dir", c.dir)
	if _, err := os.Stat(filepath.Join(c.dir, "issuers", "2")); err != nil {
		t.Errorf("what was refused left a key: %v", err)
	}
}

const developmentFurther = `mode: development
issuer:
  algorithm: p-256
  name: {organization: Govahi Development, commonName: Govahi Development Petroleum CA 2}
  years: 10
witnesses: []
`

// TestAnInterruptedSuccessionIsNotContinued: its key is nobody's.
func TestAnInterruptedSuccessionIsNotContinued(t *testing.T) {
	c := newCA(t)
	run(t, "ceremony", "succeed", "--dir", c.dir)
	must(t, os.RemoveAll(filepath.Join(c.dir, "issuers", "2"))) // as if it had stopped before the end
	run(t, "ceremony", "succeed", "--dir", c.dir)
	if _, err := os.Stat(filepath.Join(c.dir, "issuers", "3", "issuer.pem")); err != nil {
		t.Error(err)
	}
	if table := run(t, "check", "--dir", c.dir); strings.Contains(table, "WRONG") {
		t.Errorf("check says:\n%s", table)
	}
}

// TestAKeyThatWasDestroyedAfterItsCompromise keeps nobody from signing on: the drill
// ends with it. Of any other issuer its key is missed.
func TestAKeyThatWasDestroyedAfterItsCompromise(t *testing.T) {
	c := newCA(t)
	run(t, "ceremony", "succeed", "--dir", c.dir)
	next := c.beside(t, "2")
	c.destroys(t, "issuer")
	for _, ending := range []string{"", "retirement"} {
		if ending != "" {
			run(t, "end", ending, "--dir", c.dir)
		}
		p, _ := c.launch(t, nil)
		if state := p.end(t); state.ExitCode() == 0 || !strings.Contains(p.stderr.String(), "issuer key") {
			t.Errorf("%q: began without its key: %s", ending, p.stderr)
		}
		if out, code := try(t, "check", "--dir", c.dir); code != 2 || bilingual(out) != nil {
			t.Errorf("%q: %d %s", ending, code, out)
		}
	}
	run(t, "end", "compromise", "--dir", c.dir)
	if out := run(t, "check", "--dir", c.dir); strings.Count(out, "destroyed after its compromise") != 2 || strings.Contains(out, "WRONG") || bilingual(out) != nil {
		t.Errorf("check says:\n%s", out)
	}
	p := c.start(t, nil)
	c.by = signertest.Certify(t, c.log, next, p.SignCertificate, cms.Sign)
	stream, revision, tbs := signertest.Intend(t, c.log, next, c.by, asIs)
	_, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
	must(t, err)
	stream, revision, tbs = signertest.Intend(t, c.log, c.Authority, c.by, asIs)
	if _, _, err := p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER); !errors.Is(err, issuer.ErrEnded) {
		t.Errorf("a certificate: %v", err)
	}
	list, at, listTBS := signertest.IntendCRL(t, c.log, c.Authority, 1)
	if _, _, err := p.SignCRL(t.Context(), list, at, listTBS); !errors.Is(err, issuer.ErrKeyGone) {
		t.Errorf("a list: %v", err)
	}
	if events := signertest.Read(t, c.log, list); len(events) != 1 {
		t.Errorf("a signature was begun without a key: %v", events)
	}
	if info, err := p.Info(t.Context()); err != nil || len(info.Issuers) != 2 { // it has the responder's key sign
		t.Errorf("%+v, %v", info, err)
	}
	p.stop(t)
}

// destroys takes a key off the token.
func (c *ca) destroys(t *testing.T, label string) {
	t.Helper()
	for _, kind := range []string{"privkey", "pubkey"} {
		cmd := exec.Command("pkcs11-tool", "--module", token.SoftHSMModule, "--token-label", "govahi", "--login",
			"--pin", strings.TrimSpace(read(t, c.dir+"/pin")), "--delete-object", "--type", kind, "--label", label)
		cmd.Env = append(os.Environ(), "SOFTHSM2_CONF="+c.dir+"/softhsm2.conf")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
}

// TestTheFilesThatAreNamedAreThere after each ceremony.
func TestTheFilesThatAreNamedAreThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	file := write(t, "further.yaml", furtherFile)
	for _, args := range [][]string{{"ceremony", write(t, "ca.yaml", intermediateFile), "--dir", dir}, {"ceremony", "--dir", dir + "2"}, {"ceremony", "succeed", file, "--dir", dir + "2"}} {
		out, named := run(t, args...), 0
		for word := range strings.FieldsSeq(out) {
			if strings.HasPrefix(word, dir) {
				_, err := os.Stat(word)
				must(t, err)
				named++
			}
		}
		if named == 0 {
			t.Errorf("%v names no file:\n%s", args, out)
		}
	}
}

// TestNothingIsRetiredWithoutASuccessor that is valid and goes on; a compromise is.
func TestNothingIsRetiredWithoutASuccessor(t *testing.T) {
	c := newCA(t)
	refused := func(args ...string) {
		t.Helper()
		before := listing(t, c.dir)
		out, code := try(t, append([]string{"end", "retirement", "--dir", c.dir}, args...)...)
		if code == 0 || !strings.Contains(out, "nobody would issue") || faulttest.Remarked(out, "--issuer") != nil || listing(t, c.dir) != before {
			t.Errorf("%v: %d %s", args, code, out)
		}
	}
	refused()
	run(t, "ceremony", "succeed", write(t, "further.yaml", furtherFile), "--dir", c.dir)
	refused() // its request is still out
	run(t, "ceremony", "succeed", "--dir", c.dir)
	run(t, "end", "retirement", "--dir", c.dir)
	run(t, "end", "retirement", "--dir", c.dir) // done once
	refused("--issuer", "3")
	run(t, "end", "compromise", "--dir", c.dir, "--issuer", "3")
}

// TestAnEndThatNobodyCanReadIsWrittenAnew as check advises.
func TestAnEndThatNobodyCanReadIsWrittenAnew(t *testing.T) {
	c := newCA(t)
	for _, garbage := range []string{"hello", ""} {
		must(t, os.WriteFile(c.dir+"/ended", []byte(garbage), 0o644))
		if out, code := try(t, "check", "--dir", c.dir); code != 2 || !strings.Contains(out, "write the end anew") {
			t.Errorf("%q: %d %s", garbage, code, out)
		}
		run(t, "end", "compromise", "--dir", c.dir)
		if out := run(t, "check", "--dir", c.dir); !strings.Contains(out, "compromise: it signs") {
			t.Errorf("%q: %s", garbage, out)
		}
	}
}
