package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"govahi/domain/fault/faulttest"
)

// TestACeremonyDestroysNothingInItsWay: each refusal comes before anything is made.
func TestACeremonyDestroysNothingInItsWay(t *testing.T) {
	plan := write(t, "ca.yaml", intermediateFile)
	keep := func(file string) error { return os.WriteFile(file, []byte("keep"), 0o644) }
	for name, c := range map[string]struct {
		field string
		lay   func(base string) error
	}{
		"a file as the directory": {"--dir", func(base string) error { return keep(base + "/ca") }},
		"a link as the directory": {"--dir", func(base string) error {
			return errors.Join(os.Mkdir(base+"/real", 0o755), os.Symlink(base+"/real", base+"/ca"))
		}},
		"a link to nothing": {"--dir", func(base string) error { return os.Symlink(base+"/none", base+"/ca") }},
		"another's stage": {"--dir", func(base string) error {
			return errors.Join(os.Mkdir(base+"/ca.ceremony", 0o755), keep(base+"/ca.ceremony/thesis"))
		}},
		"a CA of the stage's name": {"--dir", func(base string) error {
			return errors.Join(os.MkdirAll(base+"/ca.ceremony/transcripts", 0o755), keep(base+"/ca.ceremony/issuer.pem"))
		}},
		"a link as the stage": {"--dir", func(base string) error {
			return errors.Join(os.Mkdir(base+"/real", 0o755), os.Symlink(base+"/real", base+"/ca.ceremony"))
		}},
		"a file as the stage":       {"--dir", func(base string) error { return keep(base + "/ca.ceremony") }},
		"a file as the request":     {"--csr-out", func(base string) error { return errors.Join(os.Mkdir(base+"/out", 0o755), keep(base+"/out/q.csr")) }},
		"nowhere to write requests": {"--csr-out", func(string) error { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			base := t.TempDir()
			must(t, c.lay(base))
			if c.field == "--dir" {
				must(t, os.Mkdir(base+"/out", 0o755))
			}
			before := listing(t, base)
			out, code := try(t, "ceremony", plan, "--dir", base+"/ca", "--csr-out", base+"/out/q.csr")
			if code == 0 || faulttest.Remarked(out, c.field) != nil || !strings.Contains(out, "nothing was made") {
				t.Errorf("%d %v", code, faulttest.Remarked(out, c.field))
			}
			if after := listing(t, base); after != before {
				t.Errorf("changed from\n%s to\n%s", before, after)
			}
		})
	}
}

// TestASuccessionOverwritesNothing either.
func TestASuccessionOverwritesNothing(t *testing.T) {
	c := newCA(t)
	before, mine := listing(t, c.dir), write(t, "mine.txt", "keep")
	for _, to := range []string{mine, filepath.Join(t.TempDir(), "none", "q.csr")} {
		out, code := try(t, "ceremony", "succeed", write(t, "further.yaml", furtherFile), "--dir", c.dir, "--csr-out", to)
		if code == 0 || faulttest.Remarked(out, "--csr-out") != nil || listing(t, c.dir) != before || read(t, mine) != "keep" {
			t.Errorf("%s: %d %s", to, code, out)
		}
	}
}

// TestAStageThatWasNearlyDoneIsStartedAnew by its mark.
func TestAStageThatWasNearlyDoneIsStartedAnew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "signer")
	run(t, "ceremony", "--dir", dir)
	must(t, os.WriteFile(dir+"/.unfinished", nil, 0o600))
	must(t, os.Rename(dir, dir+".ceremony"))
	run(t, "ceremony", "--dir", dir)
	run(t, "check", "--dir", dir)
	if left, _ := filepath.Glob(dir + "*/.unfinished"); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}
