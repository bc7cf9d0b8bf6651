package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"govahi/commands"
	"govahi/domain/fault/faulttest"
)

// TestBackupUnderTraffic makes a backup while requests arrive, kills everything,
// and restores it elsewhere: all that was acknowledged before the backup began is
// there, in the same bytes; the views are built from it; the same keys are
// answered alike; and another certificate can be issued.
func TestBackupUnderTraffic(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t), "GOVAHI_LIMITS=off")
	before := &tape{}
	i.storyTold(t, "before", before)
	f := newTraffic(t, i, 1)
	end := f.flow()
	f.drainFirst(t)
	acknowledged := i.lines(t)
	kept := filepath.Join(filepath.Dir(i.dir), "backup")
	said, err := i.govahi(t, "", "backup", kept)
	must(t, err)
	t.Log(strings.TrimSpace(said))
	end()
	f.stop()
	f.running.Wait()
	original := i.lines(t)
	i.killEverything(t)

	next := &instance{dir: filepath.Join(filepath.Dir(i.dir), "restored"), listen: i.listen}
	_, err = next.govahi(t, "", "restore", kept)
	must(t, err)
	next.ended = make(chan error, 1)
	next.again(t, "GOVAHI_LIMITS=off")
	t.Cleanup(func() { _ = next.stop() })
	m, err := readManifest(kept)
	must(t, err)
	if int(m.Events) < len(acknowledged) {
		t.Errorf("%d events in the backup, %d were acknowledged before", m.Events, len(acknowledged))
	}
	restored := next.lines(t)
	if diff := cmp.Diff(original[:m.Events], restored[:m.Events]); diff != "" {
		t.Errorf("the restored log differs (-original +restored):\n%s", diff)
	}
	next.sameViews(t)
	next.repeatsNothing(t, before)
	s := telling(t, next, "after")
	must(t, s.whole(t.Context(), 7))
	if out, err := next.govahi(t, "", "log", "verify"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	sealedOnly(t, kept)
}

// lines is the log as exported, each event as it was, without where it stood
// among those exported.
func (i *instance) lines(t *testing.T) (lines []string) {
	t.Helper()
	out, err := i.govahi(t, "", "log", "export")
	must(t, err)
	for text := range bytes.Lines([]byte(out)) {
		var l line
		must(t, json.Unmarshal(text, &l))
		lines = append(lines, fmt.Sprint(l.Position, l.Stream, l.Revision, l.ID, l.Type, string(l.Data), string(l.Meta)))
	}
	return lines
}

// drainFirst waits until the traffic was answered a few times.
func (f *traffic) drainFirst(t *testing.T) {
	t.Helper()
	await(t, "answers under the traffic", func() bool {
		f.ledger.mu.Lock()
		defer f.ledger.mu.Unlock()
		return len(f.acknowledged) > 20
	})
}

// killEverything is what a machine does that breaks.
func (i *instance) killEverything(t *testing.T) {
	t.Helper()
	_ = i.cmd.Process.Kill()
	for _, p := range processes(i.dir) {
		pid, _, _ := strings.Cut(p, " ")
		n, err := strconv.Atoi(pid)
		must(t, err)
		_ = syscall.Kill(n, syscall.SIGKILL)
	}
	_ = i.over(t)
	await(t, "the end of every process", func() bool { return len(processes(i.dir)) == 0 })
}

// sealedOnly looks for the traffic's people in every file of a backup.
func sealedOnly(t *testing.T, dir string) {
	t.Helper()
	secrets := newSearch(written([]commands.FormInput{applicantForm("applicant")}...)...)
	all := logValues(t, filepath.Join(dir, "log"))
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		all = append(all, text...)
		return err
	}))
	secrets.only(t, "the backup", all, officeName)
}

// TestBackupOfProduction leaves the CA's token out unless it is asked for, and
// the restored instance runs once the operator has put it there.
func TestBackupOfProduction(t *testing.T) {
	t.Parallel()
	dir := dataDir(t)
	out, err := exec.Command(beside("govahi-signer"), "ceremony", "--dir", filepath.Join(dir, "ca")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	further := filepath.Join(dir, "ca", "issuers", "2") // whose request is out
	must(t, os.MkdirAll(further, 0o755))
	must(t, os.WriteFile(filepath.Join(further, "issuer.csr"), []byte("asked"), 0o644))
	i := begin(t, dir, production...)
	i.warnsOfItsCA(t)
	parent := filepath.Dir(dir)
	for name, with := range map[string]bool{"without": false, "with": true} {
		args := []string{"backup", filepath.Join(parent, name)}
		if with {
			args = append(args, "--token")
		}
		said, err := i.govahi(t, "", args...)
		must(t, err)
		_, err = os.Stat(filepath.Join(parent, name, "ca", "pin"))
		if there := err == nil; there != with || strings.Contains(said, "token is not in it") == with {
			t.Errorf("%s the token: %v; it says %s", name, err, said)
		}
	}
	i.signal(t, syscall.SIGTERM)
	next := &instance{dir: filepath.Join(parent, "restored"), listen: i.listen, ended: make(chan error, 1)}
	restoring := exec.Command(beside("govahi"), "restore", filepath.Join(parent, "without"))
	restoring.Env = append(os.Environ(), next.env()...)
	said, err := restoring.CombinedOutput()
	if err != nil || !bytes.Contains(said, []byte("token is not in this backup")) || !regexp.MustCompile(`(?m)^  restoring +\d+ bytes in`).Match(said) {
		t.Errorf("%v, it says %s", err, said) // not “412 of 420 bytes”: the vault is counted, too
	}
	for _, name := range []string{"ceremony.yaml", "issuers/2/issuer.csr", "transcripts/SHA256SUMS"} {
		left, err := os.ReadFile(filepath.Join(dir, "ca", name))
		must(t, err)
		if back, err := os.ReadFile(filepath.Join(next.dir, "ca", name)); err != nil || !bytes.Equal(left, back) {
			t.Errorf("%s: %v", name, err)
		}
	}
	refusedUp(t, next.dir, i.listen, production, "چنین پرونده‌ای نیست", "there is no such file", "امضاکننده پاسخ نمی‌دهد", "the signer does not answer", "write the right one into its file")
	for _, name := range []string{"pin", "softhsm2.conf"} { // SoftHSM finds its tokens where they were
		text, err := os.ReadFile(filepath.Join(dir, "ca", name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(next.dir, "ca", name), text, 0o600))
	}
	next.again(t, production...)
	t.Cleanup(func() { _ = next.stop() })
	next.settled(t)
}

// warnsOfItsCA: it was made by development's ceremony, and people are real here.
func (i *instance) warnsOfItsCA(t *testing.T) {
	t.Helper()
	await(t, "the warning that the CA is development's", func() bool {
		said := fmt.Sprint(i.cmd.Stdout)
		return faulttest.Translated(said, "a CA for development") == nil && strings.Contains(said, "with a file of mode: intermediate")
	})
	logged, err := os.ReadFile(filepath.Join(i.dir, "govahi.log"))
	if err != nil || !bytes.Contains(logged, []byte(`level=WARN msg="a CA for development`)) {
		t.Errorf("%v, it logs %s", err, logged)
	}
}

// TestBackupsThatAreNone: one that was cut off, one that was altered, one whose
// place is taken; and a restore that was cut off.
func TestBackupsThatAreNone(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	telling(t, i, "sown")
	parent := filepath.Dir(i.dir)
	kept := filepath.Join(parent, "backup")
	_, err := i.govahi(t, "", "backup", kept)
	must(t, err)
	i.signal(t, syscall.SIGTERM)
	wantRefused := func(t *testing.T, into, from string, words ...string) {
		t.Helper()
		_, err := govahi(t, "", []string{"GOVAHI_DATA=" + into}, "restore", from)
		for _, word := range words {
			if err == nil || !strings.Contains(err.Error(), word) {
				t.Errorf("restoring %s does not say %q: %v", from, word, err)
			}
		}
	}
	t.Run("taken", func(t *testing.T) { // which is known before anything is read
		file := filepath.Join(kept, vaultFile)
		must(t, os.Rename(file, file+".away"))
		wantRefused(t, i.dir, kept, "not empty", i.dir)
		must(t, os.Rename(file+".away", file))
	})
	t.Run("not running", func(t *testing.T) {
		if _, err := i.govahi(t, "", "backup", kept+"2"); err == nil || !strings.Contains(err.Error(), "no instance is running") {
			t.Error(err)
		}
	})
	t.Run("cut off", func(t *testing.T) {
		must(t, os.Rename(filepath.Join(kept, manifestFile), filepath.Join(kept, "away")))
		wantRefused(t, filepath.Join(parent, "a"), kept, "no backup", manifestFile)
		must(t, os.Rename(filepath.Join(kept, "away"), filepath.Join(kept, manifestFile)))
	})
	t.Run("altered", func(t *testing.T) {
		into := filepath.Join(parent, "b")
		for _, name := range []string{vaultFile, "log/synced", "ca/issuer.pem"} {
			text, err := os.ReadFile(filepath.Join(kept, name))
			must(t, err)
			changed := bytes.Clone(text)
			changed[len(changed)/2] ^= 1
			must(t, os.WriteFile(filepath.Join(kept, name), changed, 0o600))
			wantRefused(t, into, kept, name, "another backup")
			must(t, os.WriteFile(filepath.Join(kept, name), text, 0o600))
		}
		if _, err := os.Stat(into); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("something of an altered backup was put in place: %v", err)
		}
	})
	t.Run("restore killed", func(t *testing.T) { restoreKilled(t, i, filepath.Join(parent, "c"), kept) })
}

// restoreKilled kills restores at several moments: up refuses what they leave,
// and the next restore does not mind it.
func restoreKilled(t *testing.T, i *instance, into, kept string) {
	env := append(os.Environ(), "GOVAHI_DATA="+into)
	unfinished := 0
	for n := range 6 {
		cmd := exec.Command(beside("govahi"), "restore", kept)
		cmd.Env = env
		must(t, cmd.Start())
		await(t, "the mark of a restore", func() bool { _, err := os.Stat(filepath.Join(into, restoringFile)); return err == nil })
		time.Sleep(time.Duration(n) * 60 * time.Millisecond) // the moment is the matter here; nothing waits for it
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if _, err := os.Stat(filepath.Join(into, restoringFile)); err != nil {
			break // it was quicker
		}
		unfinished++
		refusedUp(t, into, i.listen, nil, "govahi restore again")
	}
	if unfinished == 0 {
		t.Error("no restore was cut off")
	}
	if _, err := os.Stat(filepath.Join(into, restoringFile)); err == nil {
		_, err := govahi(t, "", []string{"GOVAHI_DATA=" + into}, "restore", kept)
		must(t, err)
	}
	next := &instance{dir: into, listen: i.listen, ended: make(chan error, 1)}
	next.again(t)
	t.Cleanup(func() { _ = next.stop() })
	next.sameViews(t)
}
