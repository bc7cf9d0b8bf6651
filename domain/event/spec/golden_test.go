package spec_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

type (
	lit   struct{ Watts int }
	litV1 struct{ Power string }
	sold  struct{ Buyer *event.Personal[owner] }
)

func (s sold) Personal() []event.Sealable { return []event.Sealable{s.Buyer} }

func (v litV1) upcast() event.Event { return lit{len(v.Power)} }

var (
	bulbs = event.NewCatalog(
		event.Was("bulb.lit.v1", litV1.upcast),
		event.Of[lit]("bulb.lit.v2"),
		event.Of[sold]("bulb.sold.v1"),
	)
	samples = map[string]event.Event{
		"bulb.lit.v2":  lit{60},
		"bulb.sold.v1": sold{event.About("s1", owner{"Sara"})},
	}
)

// dirWith is a directory with the golden files of bulbs, some of them altered.
// An empty text removes the file.
func dirWith(t *testing.T, altered map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
		t.Fatal(err)
	}
	for name, text := range altered {
		path, err := filepath.Join(dir, name+".json"), error(nil)
		if text == "" {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, []byte(text), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestGolden(t *testing.T) { spec.Golden(t, bulbs, "testdata", samples) }

func TestGoldenNotices(t *testing.T) {
	t.Setenv(spec.UpdateGolden, "")
	personal, err := os.ReadFile("testdata/bulb.sold.v1.json")
	if err != nil {
		t.Fatal(err)
	}
	wrongName := map[string]event.Event{"bulb.lit.v2": samples["bulb.sold.v1"], "bulb.sold.v1": samples["bulb.sold.v1"]}
	with := func(name string, e event.Event) map[string]event.Event {
		return map[string]event.Event{"bulb.lit.v2": lit{60}, "bulb.sold.v1": samples["bulb.sold.v1"], name: e}
	}
	for name, c := range map[string]struct {
		altered map[string]string
		samples map[string]event.Event
		says    string
	}{
		"another shape":      {map[string]string{"bulb.lit.v2": "{\n  \"Watt\": 60\n}\n"}, samples, `+   "Watts": 60`},
		"another layout":     {map[string]string{"bulb.lit.v2": `{"Watts":60}`}, samples, "otherwise than before"},
		"missing":            {map[string]string{"bulb.lit.v2": ""}, samples, "bulb.lit.v2.json is missing; to create it, run: GOVAHI_UPDATE_GOLDEN=1"},
		"old missing":        {map[string]string{"bulb.lit.v1": ""}, samples, "bring it back from the history"},
		"old unreadable":     {map[string]string{"bulb.lit.v1": `{"Power":60}`}, samples, "bulb.lit.v1 can no longer be read"},
		"moved personal":     {map[string]string{"bulb.sold.v1": strings.Replace(string(personal), "bulb-spec", "bulb-else", 1)}, samples, "out of place"},
		"a name forgotten":   {map[string]string{"bulb.bought.v1": "{}"}, samples, "bulb.bought.v1 was stored once"},
		"no sample":          {nil, map[string]event.Event{"bulb.lit.v2": lit{60}}, "bulb.sold.v1: needs a sample"},
		"unknown sample":     {nil, with("bulb.lit.v3", lit{60}), "bulb.lit.v3: there is a sample"},
		"sample of old name": {nil, with("bulb.lit.v1", litV1{"x"}), "bulb.lit.v1: an old name"},
		"sample unlisted":    {nil, with("bulb.lit.v2", unlisted{}), "not in the catalog"},
		"sample misnamed":    {nil, wrongName, "bulb.lit.v2: the sample is stored as bulb.sold.v1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := dirWith(t, c.altered)
			said := fails(t, func(t testing.TB) { spec.Golden(t, bulbs, dir, c.samples) })
			mentions(t, said, c.says)
		})
	}
}

func TestGoldenLeavesOtherCatalogsAlone(t *testing.T) {
	dir := dirWith(t, map[string]string{"lamp.given.v1": "{}"})
	spec.Golden(t, bulbs, dir, samples)
}

// TestGoldenIsWrittenOnce also shows that the files do not depend on the run.
func TestGoldenIsWrittenOnce(t *testing.T) {
	t.Setenv(spec.UpdateGolden, "1")
	edited := "{\n  \"Watts\": 61\n}\n"
	dir := dirWith(t, map[string]string{"bulb.sold.v1": "", "bulb.lit.v2": edited})
	said := fails(t, func(t testing.TB) { spec.Golden(t, bulbs, dir, samples) })
	mentions(t, said, "bulb.lit.v2 is stored otherwise")
	for name, path := range map[string]string{"bulb.sold.v1": "testdata/bulb.sold.v1.json", "bulb.lit.v2": ""} {
		want := []byte(edited)
		if path != "" {
			want, _ = os.ReadFile(path)
		}
		if got, err := os.ReadFile(filepath.Join(dir, name+".json")); err != nil || string(got) != string(want) {
			t.Errorf("%s now holds %s, %v", name, got, err)
		}
	}
	old := dirWith(t, map[string]string{"bulb.lit.v1": ""})
	mentions(t, fails(t, func(t testing.TB) { spec.Golden(t, bulbs, old, samples) }), "bulb.lit.v1")
}
