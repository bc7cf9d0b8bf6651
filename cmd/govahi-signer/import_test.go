package main_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/adapters/signer/signertest"
	"govahi/domain/fault/faulttest"
)

// outside is a root that stands elsewhere.
type outside struct {
	key         crypto.Signer
	certificate *x509.Certificate
}

func newRoot(t *testing.T, change func(*x509.Certificate)) outside {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	return rootBy(t, key, change)
}

func rootBy(t *testing.T, key crypto.Signer, change func(*x509.Certificate)) outside {
	t.Helper()
	template := caOf(pkix.Name{Country: []string{"IR"}, Organization: []string{"Root"}, CommonName: "Outside Root"}, 20)
	change(template)
	return outside{key, signedBy(t, template, template, key.Public(), key)}
}

func caOf(name pkix.Name, years int) *x509.Certificate {
	now := time.Now().UTC().Truncate(time.Second)
	return &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: name, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(years, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, IsCA: true, BasicConstraintsValid: true,
	}
}

func signedBy(t *testing.T, template, parent *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c
}

func pemFile(t *testing.T, name string, c *x509.Certificate) string {
	t.Helper()
	return write(t, name, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})))
}

// asked is an intermediate whose request is out.
func asked(t *testing.T) (*ca, *x509.CertificateRequest) {
	t.Helper()
	base, err := os.MkdirTemp("", "ca")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	c := &ca{dir: filepath.Join(base, "signer"), socket: filepath.Join(base, "s"), node: filepath.Join(base, "n")}
	out := filepath.Join(base, "out.csr")
	run(t, "ceremony", write(t, "ca.yaml", intermediateFile), "--dir", c.dir, "--csr-out", out)
	text, err := os.ReadFile(out)
	must(t, err)
	block, _ := pem.Decode(text)
	request, err := x509.ParseCertificateRequest(block.Bytes)
	must(t, err)
	must(t, request.CheckSignature())
	if text, err := exec.Command("openssl", "req", "-verify", "-noout", "-text", "-in", out).CombinedOutput(); err != nil ||
		!strings.Contains(string(text), "pathlen:0") || !strings.Contains(string(text), "Certificate Sign, CRL Sign") {
		t.Errorf("openssl: %v: %s", err, text)
	}
	return c, request
}

// certified is what the root makes of a request.
func (o outside) certified(t *testing.T, q *x509.CertificateRequest, change func(*x509.Certificate)) *x509.Certificate {
	t.Helper()
	template := caOf(q.Subject, 10)
	template.RawSubject, template.MaxPathLenZero, template.PublicKey = q.RawSubject, true, q.PublicKey
	change(template)
	return signedBy(t, template, o.certificate, template.PublicKey, o.key)
}

func asIssued(*x509.Certificate) {}

// TestAnOutsideRootsCertificateIsTakenIn and then the CA signs.
func TestAnOutsideRootsCertificateIsTakenIn(t *testing.T) {
	c, q := asked(t)
	if out, code := try(t, "check", "--dir", c.dir); code != 2 || !strings.Contains(out, "issuer certificate   WRONG") {
		t.Errorf("without a certificate: %d\n%s", code, out)
	}
	root := newRoot(t, asIssued)
	certificate := pemFile(t, "issuer.crt", root.certified(t, q, asIssued))
	out := run(t, "ceremony", "import", certificate, "--root", pemFile(t, "root.crt", root.certificate), "--dir", c.dir)
	if !strings.Contains(out, "SHA-256") {
		t.Errorf("says nothing to the witnesses:\n%s", out)
	}
	if table := run(t, "check", "--dir", c.dir); strings.Contains(table, "WRONG") || !strings.Contains(table, "2, as the ceremonies") {
		t.Errorf("check says:\n%s", table)
	}
	files, err := filepath.Glob(c.dir + "/transcripts/*-import.html")
	must(t, err)
	text, err := os.ReadFile(files[0])
	must(t, err)
	for _, word := range []string{"بازرس", "Auditor", "Outside Root", "path length 0"} {
		if !strings.Contains(string(text), word) {
			t.Errorf("the transcript lacks %q", word)
		}
	}
	if out, code := try(t, "ceremony", "import", certificate, "--root", certificate, "--dir", c.dir); code == 0 || faulttest.Translated(out, "is not replaced") != nil {
		t.Errorf("taken in twice: %s", out)
	}
	if out, code := try(t, "ceremony", "succeed", "--dir", c.dir); code == 0 || faulttest.Remarked(out, "mode") != nil {
		t.Errorf("certified by a root that is not here: %s", out)
	}
	c.openAuthority(t)
	c.openLog(t, c.node+"-log")
	p := c.certify(t).start(t, nil)
	stream, revision, tbs := signertest.Intend(t, c.log, c, c.by, asIs)
	_, _, err = p.SignCertificate(t.Context(), stream, revision, tbs, c.by.DER)
	must(t, err)
	p.stop(t)
}

// laid is a file that a test lays itself.
func laid(t *testing.T, lay func(file string) error) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "laid")
	must(t, lay(file))
	return file
}

// listing is every file of a directory, the software token's objects among them,
// by its hash. What SoftHSM writes at each login is left out: locks, and the file
// in which it keeps whether the last PIN was right.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".lock") || d.Name() == "token.object" {
			return err
		}
		if d.Type() == fs.ModeSymlink {
			target, err := os.Readlink(path)
			fmt.Fprintf(&all, "%s -> %s\n", path, target)
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%x %s\n", sha256.Sum256(text), path)
		return err
	}))
	return all.String()
}

func pemOfKey(t *testing.T, key *ecdsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// TestAWrongCertificateIsNotTakenIn changes one thing at a time: the refusal says
// which check failed, and nothing is written.
func TestAWrongCertificateIsNotTakenIn(t *testing.T) {
	c, q := asked(t)
	root, other := newRoot(t, asIssued), newRoot(t, asIssued)
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	made := func(change func(*x509.Certificate)) string { return pemFile(t, "c.pem", root.certified(t, q, change)) }
	good, its := made(asIssued), pemFile(t, "root.pem", root.certificate)
	two := write(t, "two.pem", read(t, good)+read(t, its))
	leaf := newRoot(t, func(c *x509.Certificate) { c.IsCA, c.KeyUsage = false, x509.KeyUsageDigitalSignature })
	ended := newRoot(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = c.NotBefore.AddDate(-2, 0, 0), c.NotBefore.AddDate(-1, 0, 0)
	})
	must(t, err)
	weakKey, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	weak := rootBy(t, weakKey, asIssued)
	narrow := newRoot(t, func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 0, true })
	critical := func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{1, 3, 6, 1, 4, 1, 32473, 9}, Critical: true, Value: []byte{5, 0}})
	}
	odd := newRoot(t, critical)
	forged := root.certified(t, q, asIssued).Raw
	forged[len(forged)-1] ^= 1
	der, key := root.certified(t, q, asIssued).Raw, pemOfKey(t, stranger)
	before := listing(t, c.dir)
	for name, r := range map[string]struct{ certificate, root, says string }{
		"nothing in it":       {write(t, "x", ""), its, "empty"},
		"no file":             {filepath.Join(t.TempDir(), "away"), its, "cannot be read"},
		"a directory":         {t.TempDir(), its, "no regular file"},
		"a link to itself":    {laid(t, func(file string) error { return os.Symlink(file, file) }), its, "cannot be read"},
		"one that none reads": {laid(t, func(file string) error { return os.Symlink("/proc/self/mem", file) }), its, "cannot be read"},
		"100 MB": {laid(t, func(file string) error {
			return errors.Join(os.WriteFile(file, nil, 0o644), os.Truncate(file, 100<<20))
		}), its, "longer than"},
		"a PEM of nonsense":    {write(t, "x", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"), its, "is no certificate"},
		"DER with more behind": {write(t, "x", string(der)+"x"), its, "bytes follow it"},
		"PEM with more behind": {write(t, "x", read(t, good)+"more"), its, "something follows it"},
		"PEM that hides more":  {pemFile(t, "c.pem", &x509.Certificate{Raw: append(slices.Clone(der), 0)}), its, "bytes follow it"},
		"DER that is cut off":  {write(t, "x", string(der[:len(der)-9])), its, "is no certificate"},
		"with a private key":   {write(t, "x", read(t, good)+key), its, "private key"},
		"a private key first":  {write(t, "x", key+read(t, good)), its, "private key"},
		"a root with its key":  {good, write(t, "x", read(t, its)+key), "private key"},
		"a chain, root first":  {write(t, "x", read(t, its)+read(t, good)), its, "a chain"},
		"one for the other":    {its, good, "its key is the issuer key on this token"},
		"a wrong signature":    {write(t, "x", string(forged)), its, "the root signed it"},
		"a weak root":          {pemFile(t, "c.pem", weak.certified(t, q, asIssued)), pemFile(t, "weak.pem", weak.certificate), "2048 are the least"},
		"a root for no CA":     {pemFile(t, "c.pem", narrow.certified(t, q, asIssued)), pemFile(t, "narrow.pem", narrow.certificate), "the root allows a CA under it"},
		"critical and unknown": {made(critical), its, "no critical extension that nobody knows"},
		"a root with such":     {pemFile(t, "c.pem", odd.certified(t, q, asIssued)), pemFile(t, "odd.pem", odd.certificate), "no critical extension that nobody knows"},
		"for an unknown use": {made(func(c *x509.Certificate) {
			c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 32473, 8}}
		}), its, "which"},
		"no certificate":        {write(t, "x", "hello"), its, "is no certificate"},
		"two at once":           {two, its, "something else than one certificate"},
		"a request":             {filepath.Join(c.dir, "issuer.csr"), its, "something else than one certificate"},
		"no root":               {good, write(t, "x", "hello"), "is no certificate"},
		"another root":          {good, pemFile(t, "other.pem", other.certificate), "the root signed it"},
		"itself as the root":    {good, good, "the root is a CA's"},
		"a root that is none":   {good, pemFile(t, "leaf.pem", leaf.certificate), "may not certify"},
		"a root that has ended": {pemFile(t, "c.pem", ended.certified(t, q, asIssued)), pemFile(t, "ended.pem", ended.certificate), "the root: valid from"},
		"another key":           {made(func(c *x509.Certificate) { c.PublicKey = stranger.Public() }), its, "its key is the issuer key on this token"},
		"another name":          {made(func(c *x509.Certificate) { c.RawSubject, c.Subject.CommonName = nil, "Sample  CA" }), its, "byte for byte"},
		"not yet valid":         {made(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }), its, "valid from"},
		"ended":                 {made(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }), its, "valid from"},
		"outlives the root":     {made(func(c *x509.Certificate) { c.NotAfter = c.NotAfter.AddDate(11, 0, 0) }), its, "ends after the root"},
		"no CA":                 {made(func(c *x509.Certificate) { c.IsCA, c.MaxPathLenZero = false, false }), its, "path length 0"},
		"no path length":        {made(func(c *x509.Certificate) { c.MaxPathLenZero = false }), its, "path length 0"},
		"path length 1":         {made(func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = 1, false }), its, "path length 0"},
		"signs no lists":        {made(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCertSign }), its, "key usage"},
		"enciphers":             {made(func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageKeyEncipherment }), its, "key usage"},
		"for servers only":      {made(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), its, "which"},
	} {
		t.Run(name, func(t *testing.T) {
			out, code := try(t, "ceremony", "import", r.certificate, "--root", r.root, "--dir", c.dir)
			if code == 0 || !strings.Contains(out, r.says) || !strings.Contains(out, "چیزی تغییر نکرد") || !strings.Contains(out, "nothing was changed") {
				t.Errorf("no %q: %d %s", r.says, code, out)
			}
			if err := faulttest.Translated(out, r.says); err != nil {
				t.Error(err)
			}
			if after := listing(t, c.dir); after != before {
				t.Errorf("the directory changed from\n%s to\n%s", before, after)
			}
			for _, file := range []string{"issuer.pem", "root.pem"} {
				if _, err := os.Stat(filepath.Join(c.dir, file)); err == nil {
					t.Errorf("%s was written", file)
				}
			}
			theTranscript(t, c.dir)
		})
	}
	if out, code := try(t, "ceremony", "import", good, "--root", its, "--dir", t.TempDir()); code == 0 || faulttest.Translated(out, "no request went out") != nil {
		t.Errorf("without a ceremony: %s", out)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	return string(text)
}
