package docs_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"govahi/docs"
)

// published are the texts that were in effect. A line is added for each version,
// and none is ever changed.
var published = map[string]string{
	"cp-0.1":  "bd03706d3043d52a6aabcb4a4234aefee925d66c3a69d7397dce776598eb6203",
	"cps-0.1": "1a5ac2b626d7cf4385f90795bc04fcb26c0dc4425a11438ee37c83ca9c481bbd",
	"cps-0.2": "bea6f669a0d282a6728c5266b7e9530826deb94089d3cc0f83aba7c01f9622af",
}

func TestWhatWasPublishedIsNeverChanged(t *testing.T) {
	files, err := os.ReadDir("policy")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(docs.Documents) || len(published) != len(docs.Documents) {
		t.Errorf("%d files, %d documents, %d published", len(files), len(docs.Documents), len(published))
	}
	newer := map[string]docs.Document{}
	for _, d := range docs.Documents {
		if want := published[d.ID()]; d.SHA256() != want {
			t.Errorf("%s %s is %s, and was published as %s: make another version", d.Name, d.Version, d.SHA256(), want)
		}
		if _, err := time.Parse(time.DateOnly, d.Date); err != nil {
			t.Errorf("%s %s is in effect from %q", d.Name, d.Version, d.Date)
		}
		if n, ok := newer[d.Name]; ok && (n.Date < d.Date || n.Version <= d.Version) {
			t.Errorf("%s %s stands after %s", d.Name, d.Version, n.Version)
		}
		newer[d.Name] = d
	}
}

// TestADocumentHasTheHeadingsOfRFC3647 §4, Persian first and right to left.
func TestADocumentHasTheHeadingsOfRFC3647(t *testing.T) {
	for _, d := range docs.Documents {
		page := string(d.Body)
		persian, english, _ := strings.Cut(page, `<article lang="en" dir="ltr">`)
		if !strings.Contains(persian, `<html lang="fa" dir="rtl">`) || strings.Contains(page, "<script") || strings.Contains(page, "<style") {
			t.Errorf("%s %s is not Persian first, or more than text", d.Name, d.Version)
		}
		for n := 1; n <= 9; n++ {
			if !strings.Contains(persian, fmt.Sprintf("<h2>%c ", '۰'+rune(n))) || !strings.Contains(english, fmt.Sprintf("<h2>%d ", n)) {
				t.Errorf("%s %s has no section %d in both languages", d.Name, d.Version, n)
			}
		}
	}
}
