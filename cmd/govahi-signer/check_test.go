package main_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// inPEM is a certificate as its file holds it.
func inPEM(c *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
}

// TestCheckWantsWhatTheImportWants of the certificate that lies there: whoever has
// the root make another one of the same key, or lays something beside it, is found.
func TestCheckWantsWhatTheImportWants(t *testing.T) {
	c, q := asked(t)
	root := newRoot(t, asIssued)
	right := root.certified(t, q, asIssued)
	run(t, "ceremony", "import", pemFile(t, "issuer.crt", right), "--root", pemFile(t, "root.crt", root.certificate), "--dir", c.dir)
	made := func(change func(*x509.Certificate)) string { return inPEM(root.certified(t, q, change)) }
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}))
	for says, text := range map[string]string{
		"path length 0, critical": made(func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero = false, false }),
		"CA true, path length -1": made(func(c *x509.Certificate) { c.MaxPathLenZero = false }),
		"revocation lists":        made(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }),
		"not among them, which":   made(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }),
		"ends after the root":     made(func(c *x509.Certificate) { c.NotAfter = c.NotAfter.AddDate(11, 0, 0) }),
		"asked for was": made(func(c *x509.Certificate) {
			c.RawSubject, c.Subject = nil, pkix.Name{Country: []string{"IR"}, CommonName: "Another CA"}
		}),
		"none has its SHA-256":   made(func(c *x509.Certificate) { c.NotBefore = c.NotBefore.Add(time.Minute) }),
		"a chain":                inPEM(right) + inPEM(root.certificate),
		"there is a private key": inPEM(right) + key,
	} {
		must(t, os.WriteFile(filepath.Join(c.dir, "issuer.pem"), []byte(text), 0o644))
		if out, code := try(t, "check", "--dir", c.dir); code != 2 || !strings.Contains(out, says) || bilingual(out) != nil {
			t.Errorf("no %q: %d %v\n%s", says, code, bilingual(out), out)
		}
	}
	must(t, os.WriteFile(filepath.Join(c.dir, "issuer.pem"), []byte(inPEM(right)), 0o644))
	run(t, "check", "--dir", c.dir)
}
