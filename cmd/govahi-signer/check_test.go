package main_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
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

// TestCheckMissesTranscripts that the directory tells of, and says which.
func TestCheckMissesTranscripts(t *testing.T) {
	c, q := asked(t)
	root := newRoot(t, asIssued)
	run(t, "ceremony", "import", pemFile(t, "issuer.crt", root.certified(t, q, asIssued)), "--root", pemFile(t, "root.crt", root.certificate), "--dir", c.dir)
	run(t, "ceremony", "succeed", write(t, "further.yaml", furtherFile), "--dir", c.dir)
	dir := filepath.Join(c.dir, "transcripts")
	sums := filepath.Join(dir, "SHA256SUMS")
	without := func(kind string) func() error {
		return func() error {
			var left strings.Builder
			for line := range strings.Lines(read(t, sums)) {
				if !strings.Contains(line, kind) {
					left.WriteString(line)
				}
			}
			files, err := filepath.Glob(dir + "/*" + kind)
			return errors.Join(err, os.Remove(files[0]), os.WriteFile(sums, []byte(left.String()), 0o644))
		}
	}
	for name, gone := range map[string]struct {
		says string
		take func() error
	}{
		"all":              {"issuer 1 has no transcript of kind intermediate", func() error { return os.RemoveAll(dir) }},
		"the hashes":       {"issuer 1 has no transcript of kind import", func() error { return os.Remove(sums) }},
		"empty":            {"its hash is not in SHA256SUMS", func() error { return os.WriteFile(sums, nil, 0o644) }},
		"of the ceremony":  {"issuer 1 has no transcript of kind intermediate", without("-intermediate.html")},
		"of the import":    {"issuer 1 has no transcript of kind import", without("-import.html")},
		"of the successor": {"issuer 2 has no transcript of kind succession", without("-succession-2.html")},
	} {
		saved := filepath.Join(t.TempDir(), "saved")
		must(t, os.CopyFS(saved, os.DirFS(dir)))
		must(t, gone.take())
		if out, code := try(t, "check", "--dir", c.dir); code != 2 || !strings.Contains(out, gone.says) || bilingual(out) != nil {
			t.Errorf("%s: %d %v\n%s", name, code, bilingual(out), out)
		}
		must(t, errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(saved))))
	}
	run(t, "check", "--dir", c.dir)
}
