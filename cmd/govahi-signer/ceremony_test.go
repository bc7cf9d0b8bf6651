package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCeremonyLeavesASoundCA(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "signer")
	run(t, "ceremony", "--dir", dir)
	out, err := exec.Command("openssl", "verify", "-x509_strict", "-CAfile", dir+"/root.pem", dir+"/issuer.pem").CombinedOutput()
	if err != nil {
		t.Errorf("openssl: %s", out)
	}
	for name, mode := range map[string]os.FileMode{".": 0o700, "pin": 0o600, "softhsm2.conf": 0o600, "tokens": 0o700} {
		info, err := os.Stat(filepath.Join(dir, name))
		must(t, err)
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	table := run(t, "check", "--dir", dir)
	if strings.Count(table, " ok ") != 13 || strings.Contains(table, "WRONG") {
		t.Errorf("check says:\n%s", table)
	}
	transcript := theTranscript(t, dir)
	pin, err := os.ReadFile(filepath.Join(dir, "pin"))
	must(t, err)
	if !strings.Contains(transcript, "Govahi Development Root CA") || strings.Contains(transcript, strings.TrimSpace(string(pin))) {
		t.Errorf("transcript:\n%s", transcript)
	}
}

// theTranscript is the only one of a ceremony, which must be as its hash says.
func theTranscript(t *testing.T, dir string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "transcripts", "*.html"))
	if err != nil || len(files) != 1 {
		t.Fatalf("transcripts %v, %v", files, err)
	}
	cmd := exec.Command("sha256sum", "--strict", "-c", "SHA256SUMS")
	cmd.Dir = filepath.Join(dir, "transcripts")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %s", out)
	}
	text, err := os.ReadFile(files[0])
	must(t, err)
	return string(text)
}

func TestCeremonyIsNotHeldTwice(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "signer")
	run(t, "ceremony", "--dir", dir)
	before, err := os.ReadFile(dir + "/issuer.pem")
	must(t, err)
	if out, code := try(t, "ceremony", "--dir", dir); code == 0 || !strings.Contains(out, "not made twice") {
		t.Errorf("%d %s", code, out)
	}
	after, err := os.ReadFile(dir + "/issuer.pem")
	must(t, err)
	if string(before) != string(after) {
		t.Error("the issuer changed")
	}
}

func TestInterruptedCeremonyIsStartedAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "signer")
	half := dir + ".ceremony"
	must(t, os.MkdirAll(half+"/tokens/half-made", 0o700))
	must(t, os.WriteFile(half+"/pin", []byte("old"), 0o600))
	must(t, os.Mkdir(dir, 0o700)) // made by the caller, empty
	run(t, "ceremony", "--dir", dir)
	run(t, "check", "--dir", dir)
	if _, err := os.Stat(half); !os.IsNotExist(err) {
		t.Errorf("left behind: %v", err)
	}
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	base := t.TempDir()
	one, two := filepath.Join(base, "one"), filepath.Join(base, "two")
	run(t, "ceremony", "--dir", one)
	run(t, "ceremony", "--dir", two)
	other, err := os.ReadFile(two + "/issuer.pem")
	must(t, err)
	must(t, os.WriteFile(one+"/issuer.pem", other, 0o600))
	out, code := try(t, "check", "--dir", one)
	for _, line := range []string{"chain                   WRONG", "key of the certificate  WRONG"} {
		if code == 0 || !strings.Contains(out, line) {
			t.Errorf("%d, no %q:\n%s", code, line, out)
		}
	}
	must(t, os.WriteFile(two+"/pin", []byte("0000\n"), 0o600))
	if out, code := try(t, "check", "--dir", two); code == 0 || !strings.Contains(out, "PIN") {
		t.Errorf("wrong PIN: %d %s", code, out)
	}
}
