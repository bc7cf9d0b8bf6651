package govahi_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// source is a parsed Go file, test files excepted.
type source struct {
	path   string // slashes, from the root
	syntax *ast.File
}

func (s source) dir() string { return path.Dir(s.path) }

func (s source) imports() []string {
	var paths []string
	for _, spec := range s.syntax.Imports {
		if p, err := strconv.Unquote(spec.Path.Value); err == nil {
			paths = append(paths, p)
		}
	}
	return paths
}

// sources reads a part of the house in-process, so that Go's test cache knows
// which files the answer depends on.
func sources(t *testing.T, room string) []source {
	t.Helper()
	files, err := parse(os.DirFS("."), room)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no Go files in %s", room)
	}
	return files
}

func parse(house fs.FS, room string) ([]source, error) {
	var files []source
	err := fs.WalkDir(house, room, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && p != "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(house, p)
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), p, text, parser.SkipObjectResolution)
		files = append(files, source{p, syntax})
		return err
	})
	return files, err
}

// module is the name of this house in import paths.
const module = "govahi/"

// room is a part of the house and what it may import beside the standard
// library: rooms of ours by their path, modules of others by theirs. A star is
// one element of a path; alone it is any module of others.
type room struct {
	path string
	may  []string
}

var (
	inner = []string{"domain/*", "commands", "commands/kept", "commands/policies", "projections", "queries", "queries/*", "*"}
	doors = append([]string{"adapters/*", "docs"}, inner...)
	whole = append([]string{"commands/*", "adapters/*/*", "cmd/*"}, doors...)
)

// rooms is the table of the architecture; the first line that fits holds.
var rooms = []room{
	{"domain/fault", nil},
	{"domain/fault/faulttest", nil},
	{"domain/event", []string{"domain/fault"}},
	{"domain/event/spec", []string{"domain/event", "domain/fault"}},
	{"domain/iran", []string{"domain/fault", "golang.org/x/text"}},
	{"domain/*", []string{"domain/event", "domain/fault", "domain/iran"}},
	{"commands", []string{"domain/*", "commands/kept"}},
	{"commands/kept", []string{"domain/event"}},
	{"commands/policies", []string{"domain/*", "commands"}},
	{"commands/memlog", []string{"domain/*"}},
	{"commands/logtest", []string{"domain/*"}},
	{"commands/officertest", []string{"domain/*"}},
	{"queries/auditor", []string{"domain/event", "domain/fault"}}, // it must not know who made the facts
	{"projections", []string{"domain/*", "github.com/jackc/pgx/v5"}},
	{"queries", []string{"domain/*", "github.com/jackc/pgx/v5"}},
	{"docs", nil},
	{"adapters/http", doors},
	{"adapters/web", doors},
	{"adapters/*", inner},
	{"adapters/*/*", inner},
	{"cmd/*", whole},
}

// misplaced lists every import that the table does not allow, and every package
// that stands in no room.
func misplaced(files []source) []string {
	var wrong []string
	for _, file := range files {
		r, ok := roomOf(file.dir())
		if !ok {
			wrong = append(wrong, file.path+" stands in no room")
			continue
		}
		for _, imported := range file.imports() {
			if !r.allows(file.dir(), imported) {
				wrong = append(wrong, file.path+" imports "+imported)
			}
		}
	}
	return wrong
}

func roomOf(dir string) (room, bool) {
	for _, r := range rooms {
		if fits(r.path, dir) {
			return r, true
		}
	}
	return room{}, false
}

func (r room) allows(dir, imported string) bool {
	if ours, ok := strings.CutPrefix(imported, module); ok {
		return slices.ContainsFunc(r.may, func(p string) bool { return fits(p, ours) }) || related(dir, ours)
	}
	if head, _, _ := strings.Cut(imported, "/"); !strings.Contains(head, ".") {
		return imported != "C" || fits("adapters/token", dir)
	}
	return slices.ContainsFunc(r.may, func(p string) bool { return p == "*" || within(p, imported) })
}

// fits compares path and pattern element by element.
func fits(pattern, dir string) bool {
	ok, err := path.Match(pattern, dir)
	return ok && err == nil && (pattern != "*" || !strings.Contains(dir, "/"))
}

// within tells a package of a module.
func within(module, imported string) bool {
	return imported == module || strings.HasPrefix(imported, module+"/")
}

// related lets an adapter be split: a package and what stands below it.
func related(dir, ours string) bool {
	return strings.HasPrefix(dir, "adapters/") && (within(dir, ours) || within(ours, dir))
}

// hardware are the modules that need cgo; who reaches them is bound to a token.
var (
	hardware = []string{"C", "github.com/ThalesIgnite/crypto11", "github.com/miekg/pkcs11"}
	bound    = []string{"adapters/token", "cmd/govahi-signer", "cmd/govahi-token"}
)

// reachesHardware lists the packages that need cgo, directly or through others
// of ours, and may not.
func reachesHardware(files []source) []string {
	imports := map[string][]string{}
	for _, file := range files {
		imports[file.dir()] = append(imports[file.dir()], file.imports()...)
	}
	var wrong []string
	for _, dir := range sortedKeys(imports) {
		allowed := slices.ContainsFunc(bound, func(b string) bool { return within(b, dir) })
		if chain := pathToHardware(imports, dir, map[string]bool{}); chain != nil && !allowed {
			wrong = append(wrong, strings.Join(chain, " imports "))
		}
	}
	return wrong
}

func pathToHardware(imports map[string][]string, dir string, seen map[string]bool) []string {
	seen[dir] = true
	for _, imported := range imports[dir] {
		if slices.ContainsFunc(hardware, func(m string) bool { return within(m, imported) }) {
			return []string{dir, imported}
		}
		ours, ok := strings.CutPrefix(imported, module)
		if !ok || seen[ours] {
			continue
		}
		if rest := pathToHardware(imports, ours, seen); rest != nil {
			return append([]string{dir}, rest...)
		}
	}
	return nil
}

// kept are the libraries that do the work outside what Govahi exists for, and
// where each is used.
var kept = map[string]string{
	"github.com/EventStore/EventStore-Client-Go/v4": "adapters/eventstore",
	"github.com/cockroachdb/pebble/v2":              "adapters/eventnode",
	"google.golang.org/grpc":                        "adapters/eventnode",
	"github.com/nats-io/nats.go":                    "adapters/nats",
	"github.com/nats-io/nats-server/v2":             "adapters/nats",
	"github.com/jackc/pgx/v5":                       "projections",
	"github.com/gofiber/fiber/v2":                   "adapters/http",
	"github.com/danielgtaylor/huma/v2":              "adapters/http",
	"github.com/ThalesIgnite/crypto11":              "adapters/token",
	"github.com/zmap/zlint/v3":                      "adapters/pki",
	"golang.org/x/crypto":                           "adapters/pki",
	"golang.org/x/text":                             "domain/iran",
	"github.com/coreos/go-oidc/v3":                  "adapters/sso",
	"github.com/go-jose/go-jose/v4":                 "adapters/sso",
	"github.com/alecthomas/kong":                    "cmd/govahi",
	"github.com/goccy/go-yaml":                      "adapters/pki/profiles",
	"github.com/skip2/go-qrcode":                    "adapters/web",
	"github.com/prometheus/client_golang":           "cmd/govahi",
}

// unused lists the kept libraries that their room does without.
func unused(files []source, kept map[string]string) []string {
	var missing []string
	for _, library := range sortedKeys(kept) {
		use := func(s source) bool {
			return s.dir() == kept[library] &&
				slices.ContainsFunc(s.imports(), func(p string) bool { return within(library, p) })
		}
		if !slices.ContainsFunc(files, use) {
			missing = append(missing, kept[library]+" does not import "+library)
		}
	}
	return missing
}

func house(t *testing.T) []source {
	var files []source
	for _, part := range []string{"domain", "commands", "projections", "queries", "docs", "adapters", "cmd"} {
		files = append(files, sources(t, part)...)
	}
	return files
}

func TestRoomsKeepApart(t *testing.T) {
	for _, wrong := range misplaced(house(t)) {
		t.Error(wrong)
	}
}

func TestTheHouseHasNoOtherRooms(t *testing.T) {
	known := house(t)
	if all := sources(t, "."); len(all) != len(known) {
		t.Errorf("%d Go files, but %d in the rooms", len(all), len(known))
	}
}

func TestOnlyTheTokenNeedsCgo(t *testing.T) {
	for _, wrong := range reachesHardware(house(t)) {
		t.Error(wrong)
	}
}

func TestKeptLibrariesAreUsed(t *testing.T) {
	for _, missing := range unused(house(t), kept) {
		t.Error(missing)
	}
}

// tree is a small house: path to imports.
func tree(t *testing.T, packages map[string]string) []source {
	t.Helper()
	house := fstest.MapFS{}
	for file, imports := range packages {
		text := "package p\n"
		for _, p := range strings.Fields(imports) {
			text += "import " + strconv.Quote(p) + "\n"
		}
		house[file] = &fstest.MapFile{Data: []byte(text)}
	}
	files, err := parse(house, ".")
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestAWrongImportIsFound(t *testing.T) {
	for file, imported := range map[string]string{
		"domain/token/a.go":             "govahi/domain/certificate",
		"domain/fee/a.go":               "govahi/commands",
		"queries/auditor/a.go":          "govahi/domain/certificate",
		"domain/office/a.go":            "govahi/domain/event/spec",
		"domain/tariff/a.go":            "golang.org/x/text/unicode/norm",
		"domain/event/a.go":             "govahi/domain/iran",
		"domain/fault/a.go":             "govahi/domain/event",
		"domain/event/spec/a.go":        "govahi/domain/token",
		"commands/a.go":                 "github.com/jackc/pgx/v5",
		"commands/b.go":                 "govahi/projections",
		"commands/policies/a.go":        "govahi/queries",
		"commands/memlog/a.go":          "govahi/commands",
		"projections/a.go":              "govahi/queries",
		"queries/a.go":                  "govahi/commands",
		"queries/b.go":                  "github.com/jackc/pgx/v4",
		"adapters/nats/a.go":            "govahi/adapters/eventstore",
		"adapters/postgres/pgtest/a.go": "govahi/adapters/vault",
		"adapters/http/a.go":            "govahi/cmd/govahi",
		"adapters/pki/a.go":             "C",
		"util/a.go":                     "fmt",
	} {
		if wrong := misplaced(tree(t, map[string]string{file: imported})); len(wrong) != 1 {
			t.Errorf("%s importing %s: %v", file, imported, wrong)
		}
	}
}

func TestARightImportIsLeftAlone(t *testing.T) {
	right := tree(t, map[string]string{
		"domain/token/a.go":             "time govahi/domain/event govahi/domain/fault govahi/domain/iran",
		"domain/token/a_test.go":        "govahi/domain/event/spec github.com/google/go-cmp/cmp",
		"domain/iran/a.go":              "golang.org/x/text/unicode/norm",
		"commands/a.go":                 "context govahi/domain/token",
		"commands/policies/a.go":        "govahi/commands",
		"projections/a.go":              "github.com/jackc/pgx/v5/pgxpool encoding/json",
		"adapters/postgres/pgtest/a.go": "govahi/adapters/postgres",
		"adapters/postgres/a.go":        "github.com/jackc/pgx/v5",
		"adapters/http/a.go":            "govahi/adapters/web github.com/gofiber/fiber/v2",
		"cmd/govahi/a.go":               "govahi/adapters/http govahi/commands/policies",
	})
	if wrong := misplaced(right); wrong != nil {
		t.Error(wrong)
	}
}

func TestHardwareIsFoundBehindOtherPackages(t *testing.T) {
	files := tree(t, map[string]string{
		"adapters/token/a.go":    "github.com/ThalesIgnite/crypto11",
		"adapters/pki/a.go":      "govahi/adapters/token",
		"adapters/http/a.go":     "govahi/adapters/pki fmt",
		"adapters/vault/a.go":    "github.com/miekg/pkcs11/p11",
		"adapters/web/a.go":      "html/template",
		"cmd/govahi-signer/a.go": "govahi/adapters/token",
		"cmd/govahi/a.go":        "govahi/adapters/web",
	})
	want := []string{
		"adapters/http imports adapters/pki imports adapters/token imports github.com/ThalesIgnite/crypto11",
		"adapters/pki imports adapters/token imports github.com/ThalesIgnite/crypto11",
		"adapters/vault imports github.com/miekg/pkcs11/p11",
	}
	if diff := cmp.Diff(want, reachesHardware(files)); diff != "" {
		t.Error(diff)
	}
}

func TestAnUnusedLibraryIsFound(t *testing.T) {
	files := tree(t, map[string]string{"adapters/nats/a.go": "github.com/nats-io/nats.go/jetstream", "adapters/pki/a.go": "fmt"})
	kept := map[string]string{"github.com/nats-io/nats.go": "adapters/nats", "github.com/zmap/zlint/v3": "adapters/pki"}
	if diff := cmp.Diff([]string{"adapters/pki does not import github.com/zmap/zlint/v3"}, unused(files, kept)); diff != "" {
		t.Error(diff)
	}
}
