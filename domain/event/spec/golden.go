package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"govahi/domain/event"
)

// UpdateGolden is the environment variable that, set to 1, lets Golden write
// files that do not exist yet.
const UpdateGolden = "GOVAHI_UPDATE_GOLDEN"

// Golden proves that what was ever stored can still be read. Every stored name
// of the catalog has a file dir/NAME.json that is never edited: today's names
// are stored exactly as their file says, given the sample of that name, and all
// files, old names' too, decode to an event of today. A golden file whose name
// the catalog has lost fails as well.
func Golden(t testing.TB, catalog event.Catalog, dir string, samples map[string]event.Event) {
	t.Helper()
	g := golden{
		kind: event.Kind[struct{}]{Category: strings.TrimSuffix(catalog.Prefix(), "."), Catalog: catalog},
		dir:  dir,
	}
	listed := map[string]bool{}
	for _, entry := range catalog.Entries() {
		listed[entry.Name] = true
		g.check(t, entry, samples[entry.Name])
	}
	for name := range samples {
		if !listed[name] {
			t.Errorf("%s: there is a sample, but the catalog does not list the name", name)
		}
	}
	g.checkStrays(t, listed)
}

type golden struct {
	kind event.Kind[struct{}]
	dir  string
}

func (g golden) path(name string) string { return filepath.Join(g.dir, name+".json") }

func (g golden) check(t testing.TB, entry event.Entry, sample event.Event) {
	t.Helper()
	switch {
	case entry.Old && sample != nil:
		t.Errorf("%s: an old name is never written again and needs no sample", entry.Name)
	case !entry.Old && sample == nil:
		t.Errorf("%s: needs a sample", entry.Name)
	case !entry.Old:
		g.checkWriting(t, entry.Name, sample)
	}
	g.checkReading(t, entry)
}

func (g golden) checkWriting(t testing.TB, name string, sample event.Event) {
	t.Helper()
	r, err := store(g.kind, NewKeeper(), sample)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if r.name != name {
		t.Errorf("%s: the sample is stored as %s", name, r.name)
		return
	}
	now := indent(r.data)
	was, err := os.ReadFile(g.path(name))
	if errors.Is(err, fs.ErrNotExist) && os.Getenv(UpdateGolden) == "1" {
		was, err = now, writeNew(g.path(name), now)
	}
	if err == nil && !bytes.Equal(was, now) {
		t.Errorf("%s is stored otherwise than before; a new shape needs a new version (- golden, + now):\n%s",
			name, diff(string(was), string(now)))
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) { // a missing file is told once, on reading
		t.Errorf("%s: %v", name, err)
	}
}

func (g golden) checkReading(t testing.TB, entry event.Entry) {
	t.Helper()
	data, err := os.ReadFile(g.path(entry.Name))
	switch {
	case errors.Is(err, fs.ErrNotExist) && entry.Old:
		t.Errorf("%s: %s is missing; bring it back from the history, it is what logs hold", entry.Name, g.path(entry.Name))
		return
	case errors.Is(err, fs.ErrNotExist):
		t.Errorf("%s: %s is missing; to create it, run: %s=1 go test", entry.Name, g.path(entry.Name), UpdateGolden)
		return
	case err != nil:
		t.Errorf("%s: %v", entry.Name, err)
		return
	}
	e, err := g.kind.Catalog.Open(event.Recorded{Stream: g.kind.Stream("spec"), Type: entry.Name, Data: data})
	if err == nil {
		_, err = g.kind.Catalog.Name(e)
	}
	if err != nil {
		t.Errorf("%s can no longer be read: %v", entry.Name, err)
	}
}

// checkStrays finds names that were stored once and that the catalog forgot.
func (g golden) checkStrays(t testing.TB, listed map[string]bool) {
	t.Helper()
	paths, err := filepath.Glob(g.path(g.kind.Catalog.Prefix() + "*"))
	if err != nil {
		t.Errorf("%s: %v", g.dir, err)
	}
	for _, path := range paths {
		if name := strings.TrimSuffix(filepath.Base(path), ".json"); !listed[name] {
			t.Errorf("%s was stored once, but the catalog no longer lists it", name)
		}
	}
}

func writeNew(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// indent lays stored JSON out for reviewers, keeping the order of its fields.
func indent(data []byte) []byte {
	var out bytes.Buffer
	if err := json.Indent(&out, data, "", "  "); err != nil {
		panic(err) // json.Marshal wrote it
	}
	out.WriteByte('\n')
	return out.Bytes()
}
