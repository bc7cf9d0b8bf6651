package web_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"govahi/adapters/web"
)

// narrow is as wide as most telephones, in CSS pixels; Chromium's own window is
// never that narrow, so the page is looked at in a frame.
const narrow = 390

// measuring shows a page in a frame and writes down how wide it is, which of its
// texts leave the frame or the card or sheet that they stand in, and which dates
// are broken. What scrolls in a box of its own may be wider.
const measuring = `<!doctype html><meta charset="utf-8"><body><pre></pre><iframe width="%d" height="9000" src="/page"></iframe><script>
onload = () => {
  const d = document.querySelector("iframe").contentDocument, w = d.documentElement.scrollWidth, said = ["width " + w];
  const texts = d.createTreeWalker(d.querySelector("main"), NodeFilter.SHOW_TEXT);
  for (let n; n = texts.nextNode();) {
    const box = n.parentElement.closest("article, .card") || d.documentElement, s = d.defaultView.getComputedStyle(box), b = box.getBoundingClientRect();
    const left = b.left + parseFloat(s.paddingLeft) - 1, right = b.right - parseFloat(s.paddingRight) + 1, r = d.createRange();
    r.selectNodeContents(n);
    const rows = [...r.getClientRects()].filter(c => c.width > 0);
    if (n.data.trim() && rows.some(c => c.left < left || c.right > right)) said.push("out: " + n.data.trim());
    if (rows.length > 1 && /^\d{4}-\d\d-\d\d$/.test(n.data.trim())) said.push("broken: " + n.data.trim());
    if (rows.length > 5 && n.parentElement.matches(".long .code")) said.push("in " + rows.length + " lines: " + n.data.trim());
  }
  document.querySelector("pre").textContent = said.join("\n");
};
</script>`

// TestPagesFitATelephone in a real browser, with what is long in them.
func TestPagesFitATelephone(t *testing.T) {
	ends := func(w io.Writer) error {
		return web.Dashboard(w, web.DashboardData{
			At: issued, Ends: []web.End{
				{Label: "گواهی دارنده", Of: strings.Repeat("4F2A", 10), Until: issued},
				{Label: "مجوز دفتر یا مرجع", Of: "دفتر ثبت‌نام نمونهٔ یک", Until: issued, Past: true},
			},
			Returns: []web.Return{{TrackingCode: "050000000014", Office: "office-1", State: "در صف صدور", Since: issued, Why: "کلید این درخواست پیش‌تر به کار رفته است.", Code: "public-key-in-use-by-another-request"}},
			Waiting: []web.Waiting{{Label: "آمادهٔ ارسال به مرجع طرف قرارداد", N: 120, Median: 51 * time.Hour, Oldest: 500 * time.Hour}},
			Audit:   web.AuditData{At: issued, Checked: 7, Found: 3, Differences: []web.Difference{{Count: web.Count{Label: "کلید تکراری", N: 3}, Kind: "key-twice"}}},
			States:  []web.Count{{Label: "آمادهٔ ارسال به مرجع طرف قرارداد", N: 50}},
		})
	}
	for name, page := range map[string]func(io.Writer) error{
		"home": homePage, "dashboard": ends, "form": formPage(long(filled())), "empty form": formPage(long(blank())), "receipt": receiptPage(receipt()),
		"sheet": sheetPage, "sheet of long names": func(w io.Writer) error { return web.Sheet(w, longNames()) }, "verify": verifyPage(verdict(web.Valid)),
		"repository": repositoryPage, "tariffs": tariffsPage, "offices": officesPage, "track": trackPage, "refusal": refusalPage,
	} {
		t.Run(name, func(t *testing.T) {
			if said := measured(t, page); said != fmt.Sprintf("width %d", narrow) {
				t.Error(said)
			}
		})
	}
}

func repositoryPage(w io.Writer) error {
	of := web.Published{Name: "Sample CA", Address: "/pki/issuer.cer", PEM: "/pki/issuer.pem", SHA256: print, Date: issued}
	document := web.Published{Name: "سیاست گواهی", Address: "/pki/documents/cp-0.1", SHA256: print, Version: "0.1", Current: "/pki/cp", Date: issued}
	return web.Repository(w, web.RepositoryData{
		Issuers: []web.PublishedIssuer{{Published: of, Status: "در کار صدور", OCSP: "http://pki.example.ir/pki/0123456789ABCDEF/ocsp", List: "/list", Lists: "/lists", Number: 7, ThisUpdate: issued, NextUpdate: issued}},
		Roots:   []web.Published{of}, Documents: []web.Published{document},
	})
}

// measured is what was written down of a page.
func measured(t *testing.T, page func(io.Writer) error) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch r.URL.Path {
		case "/":
			_, _ = fmt.Fprintf(w, measuring, narrow)
		case "/page":
			if err := page(w); err != nil {
				t.Error(err)
			}
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--dump-dom", server.URL)
	cmd.WaitDelay = 10 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v: %s", err, &said)
	}
	pre := regexp.MustCompile(`(?s)<pre>(.*?)</pre>`).FindSubmatch(dom)
	if pre == nil {
		t.Fatalf("nothing was measured: %s", dom)
	}
	return string(pre[1])
}
