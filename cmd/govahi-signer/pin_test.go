package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"govahi/domain/fault/faulttest"
)

// TestAPINIsInAFile of the usual kind and of some length: what has no end, or never
// begins, is not read.
func TestAPINIsInAFile(t *testing.T) {
	c := newCA(t)
	right := c.rightPIN(t)
	text := strings.Replace(strings.ReplaceAll(developmentFile, "ALGORITHM", "p-256"), "software: true", "software: false, serial: '1', pinFile: FILE", 1)
	for name, lay := range map[string]func(string) error{
		"a device":  func(file string) error { return os.Symlink("/dev/zero", file) },
		"a pipe":    func(file string) error { return syscall.Mkfifo(file, 0o600) },
		"empty":     func(file string) error { return os.WriteFile(file, nil, 0o600) },
		"blank":     func(file string) error { return os.WriteFile(file, []byte(" \n"), 0o600) },
		"missing":   func(string) error { return nil },
		"very long": func(file string) error { return os.WriteFile(file, make([]byte, 65<<10), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			file, pin := laid(t, lay), filepath.Join(c.dir, "pin")
			plan := write(t, "ca.yaml", strings.Replace(text, "FILE", file, 1))
			out, code := try(t, "ceremony", plan, "--dir", filepath.Join(t.TempDir(), "ca"))
			if code == 0 || !strings.Contains(out, file) || faulttest.Remarked(out, "token.pinFile") != nil {
				t.Errorf("ceremony: %d %s", code, out)
			}
			must(t, os.Remove(pin))
			must(t, lay(pin))
			if out, code := try(t, "check", "--dir", c.dir); code != 3 || faulttest.Remarked(out, "token.pinFile") != nil {
				t.Errorf("check: %d %s", code, out)
			}
			_ = os.Remove(pin)
			must(t, os.WriteFile(pin, right, 0o600))
		})
	}
	run(t, "check", "--dir", c.dir)
}

// TestAMissingPINIsWaitedFor, and told once while it is missing: after a restore it
// has to be put back.
func TestAMissingPINIsWaitedFor(t *testing.T) {
	t.Parallel()
	c := newCA(t).certify(t)
	pin := c.rightPIN(t)
	must(t, os.Remove(filepath.Join(c.dir, "pin")))
	p, _ := c.launch(t, nil)
	c.wantRefusedPIN(t, p)
	time.Sleep(2 * time.Second) // in which it looks several times
	c.mendPIN(t, p.Client, pin)
	p.stop(t)
	if said := p.stderr.String(); strings.Count(said, "there is no such file") != 1 || !strings.Contains(said, "چنین پرونده‌ای نیست") {
		t.Errorf("it says %s", said)
	}
}

// TestFilesOfACAAreRegular also those beside its PIN.
func TestFilesOfACAAreRegular(t *testing.T) {
	c := newCA(t)
	for _, name := range []string{"ended", "transcripts/SHA256SUMS", "pin.refused", "serial"} {
		file := filepath.Join(c.dir, name)
		saved, err := os.ReadFile(file)
		_ = os.Remove(file)
		must(t, syscall.Mkfifo(file, 0o600))
		began := time.Now()
		if out, code := try(t, "check", "--dir", c.dir); code != 0 && code != 2 && code != 1 && code != 3 || time.Since(began) > soon {
			t.Errorf("%s: %d %s", name, code, out)
		}
		must(t, os.Remove(file))
		if err == nil {
			must(t, os.WriteFile(file, saved, 0o644))
		}
	}
}

// TestWhatTheTokenRefusesIsSaidInTwoLanguages by every command that opens it.
func TestWhatTheTokenRefusesIsSaidInTwoLanguages(t *testing.T) {
	c := newCA(t)
	wants := func(says string, code int, args ...string) {
		t.Helper()
		out, got := try(t, append(args, "--dir", c.dir)...)
		if got != code || faulttest.Translated(out, says) != nil {
			t.Errorf("%v: %d %v", args, got, faulttest.Translated(out, says))
		}
	}
	wants("is not seen", 3, "check", "--serial", "0000")
	wants("is not seen", 1, "ceremony", "succeed", "--serial", "0000")
	must(t, os.WriteFile(filepath.Join(c.dir, "pin"), []byte("0000\n"), 0o600))
	wants("its PIN is wrong or locked", 3, "check")
	wants("its PIN is wrong or locked", 1, "ceremony", "succeed") // the same one is not tried again
}
