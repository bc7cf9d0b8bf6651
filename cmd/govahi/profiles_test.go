package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// ownProfiles is a directory with the files of the program.
func ownProfiles(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files, err := filepath.Glob("../../adapters/pki/profiles/*.yaml")
	must(t, err)
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, filepath.Base(f)), text, 0o644))
	}
	return dir
}

// reword changes a file's text.
func reword(t *testing.T, from, to string, change ...string) {
	t.Helper()
	text, err := os.ReadFile(from)
	must(t, err)
	must(t, os.WriteFile(to, []byte(strings.NewReplacer(change...).Replace(string(text))), 0o644))
}

// TestProfilesOfOnesOwn: a wrong one keeps the house from starting before
// anything is touched, one that was used is never changed, and a new version is
// welcome; house and signer read the same directory.
func TestProfilesOfOnesOwn(t *testing.T) {
	t.Parallel()
	dir, own := dataDir(t), ownProfiles(t)
	free, err := freeAddress()
	must(t, err)
	setting := []string{"GOVAHI_PROFILES=" + own}
	file := filepath.Join(own, "cpmis-signature@2.yaml")

	reword(t, file, file, "use: signing", "use: everything")
	refusedUp(t, dir, free, setting, "GOVAHI_PROFILES", file, "use", "signing, authentication, encryption")
	if _, err := os.Stat(dir); err == nil {
		t.Error("a refused start left a data directory")
	}
	reword(t, file, file, "use: everything", "use: signing")
	i := begin(t, dir, setting...)
	i.signal(t, syscall.SIGTERM)

	reword(t, file, file, "validity: {years: 1}", "validity: {years: 2}")
	refusedUp(t, dir, free, setting, file, "never changed once it was used", "another version")
	wantNoProcess(t, dir)
	reword(t, file, filepath.Join(own, "cpmis-signature@3.yaml"), "version: 2", "version: 3")
	reword(t, file, file, "validity: {years: 2}", "validity: {years: 1}")
	i = begin(t, dir, setting...)
	i.settled(t) // the responder's certificate was issued by both
}

// TestCeremoniesAreRecorded: the transcript's hash is a stream of the log after
// the first start, and a transcript that was changed is noticed at the next.
func TestCeremoniesAreRecorded(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	i.settled(t)
	sums, err := os.ReadFile(filepath.Join(i.dir, "ca", "transcripts", "SHA256SUMS"))
	must(t, err)
	hash, name, _ := strings.Cut(strings.TrimSpace(string(sums)), "  ")
	out, err := i.govahi(t, "", "log", "export")
	must(t, err)
	if !strings.Contains(out, `"ceremony-`+hash+`"`) || !strings.Contains(out, "ceremony.recorded.v1") {
		t.Error("the log does not know the ceremony")
	}
	listen := i.listen
	i.signal(t, syscall.SIGTERM)
	file := filepath.Join(i.dir, "ca", "transcripts", name)
	reword(t, file, file, "Witnesses", "Nobody")
	refusedUp(t, i.dir, listen, nil, file, "was changed since the key ceremony", hash)
	reword(t, file, file, "Nobody", "Witnesses")
	i.again(t)
}
