package web_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"govahi/adapters/web"
)

// longNames are of 64 characters each, some without a place to break a line.
func longNames() web.SheetData {
	d := sheet()
	d.NameFa, d.NameLatin = strings.Repeat("ملی\u200cآئةک", 8)+" "+strings.Repeat("ک", 64), strings.Repeat("W", 28)+" "+strings.Repeat("W", 28)
	d.Organization, d.Post = strings.Repeat("شرکت نفت ", 7)+"ک", strings.Repeat("ی", 64)
	d.Email = strings.Repeat("m", 64) + "@" + strings.Repeat("e", 60) + ".example.ir"
	return d
}

// TestTheFormPrintsOnA4 in a real browser, under the pages' own policy: nothing
// of it is refused, right-to-left holds, and it fits two sheets.
func TestTheFormPrintsOnA4(t *testing.T) {
	for name, page := range map[string]func(io.Writer) error{"filled": formPage(long(filled())), "empty": formPage(long(blank())), "sheet": sheetPage, "sheet of long names": func(w io.Writer) error { return web.Sheet(w, longNames()) }} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.Header().Set("Content-Security-Policy", web.Policy)
				if r.URL.Path != "/" {
					w.WriteHeader(http.StatusNotFound)
					return
				}
				if err := page(w); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			pdf := printed(t, server.URL)
			if pages := len(regexp.MustCompile(`/Type /Page\b[^s]`).FindAll(pdf, -1)); pages < 1 || pages > 2 {
				t.Errorf("%d pages", pages)
			}
			if box := regexp.MustCompile(`/MediaBox \[0 0 (\d+)[.\d]* (\d+)[.\d]*\]`).FindSubmatch(pdf); box == nil || !near(t, string(box[1]), 595) || !near(t, string(box[2]), 842) {
				t.Errorf("the paper is %q, not A4", box)
			}
		})
	}
}

// long has as many lines as the real form.
func long(d web.FormData) web.FormData {
	for range 13 {
		d.Groups[0].Fields = append(d.Groups[0].Fields, web.FormField{Label: "نشانی محل سکونت", Value: d.Groups[0].Fields[0].Value})
	}
	d.Originals = append(d.Originals, web.Sight{Label: "شناسنامه"}, web.Sight{Label: "کارت شناسهٔ ملی"}, web.Sight{Label: "معرفی‌نامه"})
	return d
}

// near allows for a browser's rounding of millimetres to points.
func near(t *testing.T, got string, want int) bool {
	t.Helper()
	n := number(t, got)
	return n >= want-1 && n <= want+1
}

// printed is a page as Chromium prints it.
func printed(t *testing.T, url string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	dir := t.TempDir()
	file := filepath.Join(dir, "page.pdf")
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--no-pdf-header-footer",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--print-to-pdf="+file, url)
	cmd.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("chromium: %v: %s", err, &said)
	}
	if strings.Contains(said.String(), "Content Security Policy") {
		t.Errorf("the policy refuses a part of the page: %s", &said)
	}
	pdf, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: %s", err, &said)
	}
	return pdf
}
