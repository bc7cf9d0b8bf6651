package main_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"govahi/domain/fault/faulttest"
)

// TestTwoIssuersHaveTwoNames also while the request of one is still out, and by how
// verifiers compare names.
func TestTwoIssuersHaveTwoNames(t *testing.T) {
	c := newCA(t)
	run(t, "ceremony", "succeed", write(t, "further.yaml", furtherFile), "--dir", c.dir)
	for _, name := range []string{"Sample Petroleum CA 2", "sample petroleum ca 2", "Sample  Petroleum CA 2", "GOVAHI Development Petroleum CA"} {
		text := strings.Replace(furtherFile, "Sample Petroleum CA 2", name, 1)
		if strings.HasPrefix(name, "GOVAHI") {
			text = strings.Replace(text, "Sample Petroleum", "govahi  development", 1)
		}
		out, code := try(t, "ceremony", "succeed", write(t, "further.yaml", text), "--dir", c.dir)
		if code == 0 || !strings.Contains(out, "two CAs have two names") || faulttest.Remarked(out, "issuer.name") != nil {
			t.Errorf("%s: %d %s", name, code, out)
		}
	}
	own := strings.ReplaceAll(developmentFile, "ALGORITHM", "p-256")
	own = strings.Replace(own, "unit: نمونه, commonName: Sample CA", "commonName: sample  ROOT", 1)
	if out, code := try(t, "ceremony", write(t, "ca.yaml", own), "--dir", c.dir+"2"); code == 0 || faulttest.Remarked(out, "issuer.name") != nil {
		t.Errorf("of its own root: %d %s", code, out)
	}
}

// TestOfTwoRequestsWithOneNameOneIsTakenIn: those of a program that still made them.
func TestOfTwoRequestsWithOneNameOneIsTakenIn(t *testing.T) {
	c := newCA(t)
	var certificates []string
	root := newRoot(t, asIssued)
	for _, n := range []string{"2", "3"} {
		run(t, "ceremony", "succeed", write(t, "further.yaml", furtherFile), "--dir", c.dir)
		block, _ := pem.Decode([]byte(read(t, filepath.Join(c.dir, "issuers", n, "issuer.csr"))))
		q, err := x509.ParseCertificateRequest(block.Bytes)
		must(t, err)
		certificates = append(certificates, pemFile(t, "issuer.crt", root.certified(t, q, asIssued)))
		must(t, os.Rename(filepath.Join(c.dir, "issuers", n), filepath.Join(c.dir, "hidden"+n)))
	}
	for _, n := range []string{"2", "3"} {
		must(t, errors.Join(os.MkdirAll(filepath.Join(c.dir, "issuers"), 0o700), os.Rename(filepath.Join(c.dir, "hidden"+n), filepath.Join(c.dir, "issuers", n))))
	}
	its := pemFile(t, "root.crt", root.certificate)
	run(t, "ceremony", "import", certificates[0], "--root", its, "--dir", c.dir, "--issuer", "2")
	out, code := try(t, "ceremony", "import", certificates[1], "--root", its, "--dir", c.dir, "--issuer", "3")
	if code == 0 || faulttest.Translated(out, "no other CA here has its name") != nil {
		t.Errorf("%d %s", code, out)
	}
}
