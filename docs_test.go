package govahi_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
)

// updateDocs is the environment variable that, set to 1, lets TestDocs write
// the printed documents.
const updateDocs = "GOVAHI_UPDATE_DOCS"

// TestDocs compares the printed documents with the code.
func TestDocs(t *testing.T) {
	for name, printed := range map[string]string{
		"events.md":   printEvents(t),
		"machines.md": printMachines(t),
	} {
		t.Run(name, func(t *testing.T) { compareDoc(t, filepath.Join("docs", name), printed) })
	}
}

func compareDoc(t *testing.T, path, printed string) {
	t.Helper()
	if os.Getenv(updateDocs) == "1" {
		if err := os.WriteFile(path, []byte(printed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if line := firstDifference(string(written), printed); line > 0 {
		t.Errorf("%s differs from the code at line %d; to print it again, run: %s=1 go test -run TestDocs .", path, line, updateDocs)
	}
}

// firstDifference is the number of the first line that differs, or zero.
func firstDifference(a, b string) int {
	if a == b {
		return 0
	}
	left, right := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(left), len(right)) {
		if left[i] != right[i] {
			return i + 1
		}
	}
	return min(len(left), len(right)) + 1
}

func TestFirstDifference(t *testing.T) {
	for _, c := range []struct {
		a, b string
		line int
	}{{"", "", 0}, {"a\n", "a\n", 0}, {"a\nb\n", "a\nc\n", 2}, {"a\n", "a\nb\n", 2}, {"", "a", 1}} {
		if line := firstDifference(c.a, c.b); line != c.line {
			t.Errorf("%q and %q differ at line %d, expected %d", c.a, c.b, line, c.line)
		}
	}
}

// TestNoCatalogIsForgotten reads the domain's source for stored names and
// expects each in the list that is printed.
func TestNoCatalogIsForgotten(t *testing.T) {
	var listed []string
	for _, k := range kinds {
		for _, entry := range k.catalog.Entries() {
			listed = append(listed, entry.Name)
		}
	}
	sort.Strings(listed)
	written := storedNames(t)
	for _, name := range written {
		if !slices.Contains(listed, name) {
			t.Errorf("%s is in no catalog of docs_events_test.go", name)
		}
	}
	if len(written) != len(listed) {
		t.Errorf("the source lists %d stored names, the documents %d", len(written), len(listed))
	}
}

// TestNoCommandIsForgotten expects each command of the slices whose machines
// are printed among the samples that explore them.
func TestNoCommandIsForgotten(t *testing.T) {
	sampled := map[string]bool{}
	for _, m := range machines() {
		for _, name := range m.commands() {
			sampled[name] = true
		}
	}
	for _, name := range sortedKeys(decided(t)) {
		if !sampled[name] && !slices.Contains(withoutMachine, name) {
			t.Errorf("no machine of docs_samples_test.go tries %s", name)
		}
	}
}

// storedNames are the names of event.Of and event.Was in the domain's source.
func storedNames(t *testing.T) []string {
	var names []string
	for _, file := range sources(t, "domain") {
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && isCatalogEntry(call.Fun) {
				names = append(names, strings.Trim(call.Args[0].(*ast.BasicLit).Value, `"`))
			}
			return true
		})
	}
	sort.Strings(names)
	return names
}

func isCatalogEntry(fun ast.Expr) bool {
	if generic, ok := fun.(*ast.IndexExpr); ok {
		fun = generic.X
	}
	selector, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := selector.X.(*ast.Ident)
	return ok && pkg.Name == "event" && (selector.Sel.Name == "Of" || selector.Sel.Name == "Was")
}

// decided are the types of the domain with a Decide method, as pkg.Type.
func decided(t *testing.T) map[string]bool {
	types := map[string]bool{}
	for _, file := range sources(t, "domain") {
		for _, d := range file.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != "Decide" {
				continue
			}
			types[file.syntax.Name.Name+"."+f.Recv.List[0].Type.(*ast.Ident).Name] = true
		}
	}
	return types
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
