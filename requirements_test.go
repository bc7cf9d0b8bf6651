package govahi_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// requirement is a row of docs/requirements.md.
type requirement struct {
	row, what string
	by        []string // operations, policies, commands of a program
	shown     []shown
}

// shown is a test.
type shown struct{ pkg, name string }

// TestRequirements reads the table and holds it against the code, then runs the
// tests that it names: a row that nothing shows any more is found here.
func TestRequirements(t *testing.T) {
	rows := requirements(t)
	wantRows(t, rows)
	known := existing(t)
	tests := map[shown]bool{}
	for _, r := range rows {
		if r.what == "" || len(r.by) == 0 || len(r.shown) == 0 {
			t.Errorf("%s: what, by and shown by are all needed", r.row)
		}
		for _, name := range r.by {
			if !known[name] {
				t.Errorf("%s: there is no operation, policy or command %s", r.row, name)
			}
		}
		for _, s := range r.shown {
			tests[s] = true
			if !declares(t, s) {
				t.Errorf("%s: there is no test %s in %s", r.row, s.name, s.pkg)
			}
		}
	}
	if !t.Failed() {
		runs(t, tests)
	}
}

func requirements(t *testing.T) []requirement {
	t.Helper()
	text, err := os.ReadFile("docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []requirement
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 6 || strings.HasPrefix(cells[1], "--") || strings.TrimSpace(cells[1]) == "row" {
			continue
		}
		r := requirement{row: strings.TrimSpace(cells[1]), what: strings.TrimSpace(cells[2])}
		for _, m := range quoted.FindAllStringSubmatch(cells[3], -1) {
			r.by = append(r.by, m[1])
		}
		for _, m := range quoted.FindAllStringSubmatch(cells[4], -1) {
			pkg, name, ok := strings.Cut(m[1], " ")
			if !ok {
				t.Errorf("%s: %q is no package and test", r.row, m[1])
			}
			r.shown = append(r.shown, shown{pkg, name})
		}
		rows = append(rows, r)
	}
	return rows
}

// wantRows: every requirement of the source document has its row, once.
func wantRows(t *testing.T, rows []requirement) {
	t.Helper()
	var want, got []string
	for n := 2; n <= 38; n++ {
		want = append(want, fmt.Sprintf("S1.%d", n))
	}
	for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 19, 20, 21} {
		want = append(want, fmt.Sprintf("I%d", n))
	}
	for n := range 13 {
		want = append(want, fmt.Sprintf("L%d", n+1))
	}
	for _, r := range rows {
		got = append(got, r.row)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the rows are\n%q, expected\n%q", got, want)
	}
}

// existing are the operations, of a list that a test of adapters/http holds
// against the OpenAPI document, the policies, and the commands of the programs.
func existing(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	file, err := os.Open("docs/permissions.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines[1:] {
		known[line[0]] = true
	}
	policies, err := filepath.Glob("commands/policies/*_on_*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range policies {
		name := strings.TrimSuffix(filepath.Base(path), ".go")
		known["policy:"+strings.ReplaceAll(name, "_", "-")] = true
	}
	for _, file := range sources(t, "cmd") {
		for _, verb := range verbs(file.syntax) {
			known[filepath.Base(file.dir())+" "+verb] = true
		}
	}
	return known
}

// verbs are the commands that a file declares for kong.
func verbs(file *ast.File) (all []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && f.Tag != nil && strings.Contains(f.Tag.Value, `cmd:"`) && len(f.Names) == 1 {
			all = append(all, strings.ToLower(f.Names[0].Name))
		}
		return true
	})
	return all
}

// declares reads the package's tests in-process, so that Go's test cache knows
// them.
func declares(t *testing.T, s shown) bool {
	t.Helper()
	if s.pkg == "" || s.pkg == "." || !regexp.MustCompile(`^Test[A-Z]\w*$`).MatchString(s.name) {
		return false // a test of this package would run itself
	}
	files, err := filepath.Glob(s.pkg + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range syntax.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == s.name {
				return true
			}
		}
	}
	return false
}

// runs runs each test once, all packages abreast, and believes what Go says of
// each by name. The sources are read here, too: this test's own answer is cached
// no longer than they stay as they are.
func runs(t *testing.T, tests map[shown]bool) {
	t.Helper()
	for _, room := range []string{"domain", "commands", "projections", "queries", "adapters"} {
		sources(t, room)
	}
	var packages, names []string
	for s := range tests {
		packages, names = append(packages, "./"+s.pkg), append(names, s.name)
	}
	slices.Sort(packages)
	slices.Sort(names)
	packages, names = slices.Compact(packages), slices.Compact(names)
	ctx := t.Context()
	if end, bounded := t.Deadline(); bounded { // they may have to be built first, beside all else
		before, cancel := context.WithDeadline(ctx, end.Add(-10*time.Second))
		defer cancel()
		ctx = before
	}
	args := append([]string{"test", "-json", "-run", "^(" + strings.Join(names, "|") + ")$"}, packages...)
	cmd := exec.CommandContext(ctx, "go", args...)
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	err := cmd.Run()
	said := outcomes(t, &out)
	for s := range tests {
		if how := said[shown{module + s.pkg, s.name}]; how != "pass" {
			t.Errorf("%s %s: %q", s.pkg, s.name, how)
		}
	}
	if err != nil {
		t.Errorf("%v: %s", err, &trouble)
	}
}

// outcomes is how each test ended. One with a part that was skipped was skipped.
func outcomes(t *testing.T, out *bytes.Buffer) map[shown]string {
	t.Helper()
	said := map[shown]string{}
	for d := json.NewDecoder(out); d.More(); {
		var e struct{ Action, Package, Test string }
		if err := d.Decode(&e); err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(e.Test, "/")
		s := shown{e.Package, name}
		switch {
		case e.Test == "" || said[s] == "skip":
		case e.Action == "skip", e.Action == "fail" && name == e.Test, e.Action == "pass" && name == e.Test:
			said[s] = e.Action
		}
	}
	return said
}

func TestOutcomesKnowWhatWasSkipped(t *testing.T) {
	said := outcomes(t, bytes.NewBufferString(`{"Action":"pass","Package":"p","Test":"TestA/part"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"skip","Package":"p","Test":"TestB/part"}
{"Action":"pass","Package":"p","Test":"TestB"}
{"Action":"fail","Package":"p","Test":"TestC"}
{"Action":"run","Package":"p","Test":"TestD"}`))
	for name, want := range map[string]string{"TestA": "pass", "TestB": "skip", "TestC": "fail", "TestD": "", "TestE": ""} {
		if got := said[shown{"p", name}]; got != want {
			t.Errorf("%s: %q, expected %q", name, got, want)
		}
	}
}
