package main_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "govahi-token")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "govahi-token")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// office is a workstation with its stock of tokens.
type office struct{ dir string }

func (o office) run(t *testing.T, args ...string) string {
	t.Helper()
	out, ok := o.try(args...)
	if !ok {
		t.Fatalf("%v: %s", args, out)
	}
	return strings.TrimSpace(out)
}

func (o office) try(args ...string) (string, bool) {
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), "GOVAHI_TOKENS="+o.dir)
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

func TestTokenFromTheStockToTheHolder(t *testing.T) {
	for _, algorithm := range []string{"rsa-2048", "rsa-3072", "p-256", "p-384"} {
		t.Run(algorithm, func(t *testing.T) {
			o := office{t.TempDir()}
			serial := o.run(t, "init")
			file := filepath.Join(o.dir, "request.pem")
			o.run(t, "key", "--token", serial, "--algorithm", algorithm, "--out", file)
			out, err := exec.Command("openssl", "req", "-verify", "-noout", "-subject", "-in", file).CombinedOutput()
			if text := string(out); err != nil || !strings.Contains(text, "verify OK") || strings.Contains(text, "CN") {
				t.Errorf("openssl: %s", out)
			}
			certificate := certify(t, o, file)
			o.run(t, "write", "--token", serial, "--cert", certificate)
			copied := filepath.Join(o.dir, "back.pem")
			if got, want := o.run(t, "read", "--token", serial, "--out", copied), fingerprint(t, certificate); got != want || fingerprint(t, copied) != want {
				t.Errorf("read back %s, want %s", got, want)
			}
		})
	}
}

func TestTokensAreKeptApart(t *testing.T) {
	o := office{t.TempDir()}
	one, two := o.run(t, "init"), o.run(t, "init")
	if one == two {
		t.Fatalf("both have the serial %s", one)
	}
	first, second := filepath.Join(o.dir, "1"), filepath.Join(o.dir, "2")
	o.run(t, "key", "--token", one, "--algorithm", "p-256", "--out", first)
	o.run(t, "key", "--token", two, "--algorithm", "p-256", "--out", second)
	for want, args := range map[string][]string{
		"another key":             {"write", "--token", one, "--cert", certify(t, o, second)},
		"exists already":          {"key", "--token", one, "--algorithm", "p-256"},
		"no certificate":          {"read", "--token", one},
		"no such file":            {"read", "--token", "0000000000000000"},
		"must be one of":          {"key", "--token", two, "--algorithm", "rsa-1024"},
		"PKCS#11 module":          {"read", "--token", one, "--module", "/nowhere.so"},
		"missing flags: --token=": {"read"},
	} {
		if out, ok := o.try(args...); ok || !strings.Contains(out, want) {
			t.Errorf("%v: %s", args, out)
		}
	}
}

func TestPINIsThatOfTheFile(t *testing.T) {
	o := office{t.TempDir()}
	pin := filepath.Join(o.dir, "chosen")
	must(t, os.WriteFile(pin, []byte("271828\n"), 0o600))
	serial := o.run(t, "init", "--pin-file", pin)
	if _, err := os.Stat(filepath.Join(o.dir, serial+".pin")); !os.IsNotExist(err) {
		t.Errorf("a second copy of the PIN: %v", err)
	}
	o.run(t, "key", "--token", serial, "--algorithm", "p-256", "--pin-file", pin)
	must(t, os.WriteFile(pin, []byte("141421\n"), 0o600))
	if out, ok := o.try("read", "--token", serial, "--pin-file", pin); ok || !strings.Contains(out, "PIN") {
		t.Errorf("wrong PIN: %s", out)
	}
	made := o.run(t, "init")
	info, err := os.Stat(filepath.Join(o.dir, made+".pin"))
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

// certify makes a certificate for the key of a request.
func certify(t *testing.T, o office, request string) string {
	t.Helper()
	data, err := os.ReadFile(request)
	must(t, err)
	block, _ := pem.Decode(data)
	csr, err := x509.ParseCertificateRequest(block.Bytes)
	must(t, err)
	der := sign(t, csr.PublicKey)
	file := filepath.Join(o.dir, "certificate.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return file
}

func sign(t *testing.T, public crypto.PublicKey) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(7), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
	must(t, err)
	return der
}

func fingerprint(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	block, _ := pem.Decode(data)
	sum := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(sum[:])
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
