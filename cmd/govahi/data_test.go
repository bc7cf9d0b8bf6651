package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"govahi/adapters/sso"
	"govahi/domain/fault/faulttest"
)

// TestADirectoryIsRefusedInBothLanguages, by its name.
func TestADirectoryIsRefusedInBothLanguages(t *testing.T) {
	write := func(file, text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600) }
	}
	for name, lay := range map[string]func(dir string) error{
		"somebody else's":   write("letters.txt", "hello"),
		"half restored":     write(restoringFile, ""),
		"a newer program's": write("VERSION", "2\n"),
		"of no version":     write("VERSION", "gibberish\n"),
		"of another mode": func(dir string) error {
			return errors.Join(write("VERSION", "1\n")(dir), write("MODE", string(sso.Production))(dir))
		},
		"in use": func(dir string) error {
			d := data{dir: dir}
			t.Cleanup(func() { _ = d.lock.Close() })
			return d.take()
		},
	} {
		dir := t.TempDir()
		must(t, lay(dir))
		d, err := openData(dir, sso.Development)
		if d.lock != nil {
			_ = d.lock.Close()
		}
		if err == nil {
			t.Errorf("%s: taken", name)
		} else if err := errors.Join(faulttest.Remarked(err.Error(), dir), faulttest.Translated(err.Error(), "the data directory cannot be used")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir, none := t.TempDir(), filepath.Join(t.TempDir(), "none")
	must(t, write("letters.txt", "hello")(dir))
	_, noBackup := readManifest(dir)
	_, noLog := data{dir: dir}.rest(t.Context(), "")
	for field, err := range map[string]error{
		"GOVAHI_DATA": data{dir: none}.running(), dir: errors.Join(noBackup, vacant(dir), noLog), "--data": errors.Join(checkLogDir(dir), checkLogDir("")),
	} {
		if err == nil || faulttest.Remarked(err.Error(), field) != nil {
			t.Errorf("%s: %v", field, err)
		}
	}
	if d, err := openData(none, sso.Development); err != nil || d.lock.Close() != nil {
		t.Errorf("a new one: %v", err)
	}
}
