package govahi_test

import (
	"go/ast"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// TestGlossary expects every name of the glossary to exist, and every term to
// stand there once.
func TestGlossary(t *testing.T) {
	names := declared(t)
	for _, name := range storedNames(t) {
		names[name] = true
	}
	text, err := os.ReadFile("docs/glossary.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, complaint := range judgeGlossary(string(text), names) {
		t.Error(complaint)
	}
}

var quoted = regexp.MustCompile("`([^`]+)`")

// judgeGlossary says what is wrong with the tables of a glossary.
func judgeGlossary(text string, names map[string]bool) []string {
	var wrong []string
	seen := map[string]bool{}
	for _, line := range strings.Split(text, "\n") {
		cells := strings.Split(strings.Trim(line, "|"), " | ")
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| Persian") {
			continue
		}
		if len(cells) != 3 {
			wrong = append(wrong, "not three columns: "+line)
			continue
		}
		wrong = append(wrong, judgeTerm(cells, seen, names)...)
	}
	if len(seen) == 0 {
		wrong = append(wrong, "no terms")
	}
	return wrong
}

func judgeTerm(cells []string, seen, names map[string]bool) (wrong []string) {
	persian, code := strings.TrimSpace(cells[0]), strings.TrimSpace(cells[2])
	if !strings.ContainsFunc(persian, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) {
		wrong = append(wrong, "no Persian term: "+persian)
	}
	if seen[persian] {
		wrong = append(wrong, "stands twice: "+persian)
	}
	seen[persian] = true
	found := quoted.FindAllStringSubmatch(code, -1)
	if found == nil && code != "–" {
		wrong = append(wrong, "names nothing in the code: "+persian)
	}
	for _, name := range found {
		if !names[name[1]] {
			wrong = append(wrong, "there is no "+name[1])
		}
	}
	return wrong
}

// declared are the exported names of the rooms that speak the domain's words,
// as pkg.Name, and the fields and methods of types, as pkg.Type.Name.
func declared(t *testing.T) map[string]bool {
	names := map[string]bool{}
	for _, part := range []string{"domain", "commands", "adapters/pki"} {
		for _, file := range sources(t, part) {
			for _, d := range file.syntax.Decls {
				declare(names, file.syntax.Name.Name+".", d)
			}
		}
	}
	return names
}

func declare(names map[string]bool, pkg string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		name := d.Name.Name
		if d.Recv != nil {
			name = receiver(d.Recv.List[0].Type) + "." + name
		}
		names[pkg+name] = true
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			declareSpec(names, pkg, spec)
		}
	}
}

func declareSpec(names map[string]bool, pkg string, spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range spec.Names {
			names[pkg+name.Name] = true
		}
	case *ast.TypeSpec:
		names[pkg+spec.Name.Name] = true
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			return
		}
		for _, f := range fields.Fields.List {
			for _, name := range f.Names {
				names[pkg+spec.Name.Name+"."+name.Name] = true
			}
		}
	}
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

func TestAWrongGlossaryIsFound(t *testing.T) {
	names := map[string]bool{"token.Token": true}
	for line, want := range map[string]int{
		"| توکن | token | `token.Token` |":                                   0,
		"| مبدأ | origin | – |":                                              0,
		"| توکن | token | `token.Gone` |":                                    1,
		"| توکن | token | `token.Token`, `token.Gone` |":                     1,
		"| توکن | token | token.Token |":                                     1,
		"| token | token | `token.Token` |":                                  1,
		"| توکن | `token.Token` |":                                           2, // and so there are no terms
		"| توکن | token | `token.Token` |\n| توکن | token | `token.Token` |": 1,
		"": 1,
	} {
		if wrong := judgeGlossary(line, names); len(wrong) != want {
			t.Errorf("%q: %q", line, wrong)
		}
	}
}
