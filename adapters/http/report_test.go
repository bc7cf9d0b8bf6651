package http

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"govahi/domain/iran"
)

// TestAnybodyReportsWithoutATokenAndSeldom tries the page as a browser does.
func TestAnybodyReportsWithoutATokenAndSeldom(t *testing.T) {
	p := prepare(t)
	p.back("accepted")
	p.Limits.Reports.Max, p.Limits.Reports.Within, p.Limits.Reports.Clock = 3, time.Hour, time.Now
	page := p.get("", "/report?serial="+p.serial)
	key := regexp.MustCompile(`name="key" value="([0-9a-f]{32})"`).FindStringSubmatch(string(page.body))
	if page.StatusCode != 200 || key == nil || !strings.Contains(string(page.body), p.serial) {
		t.Fatalf("%d %s", page.StatusCode, page.body)
	}
	send := func(key, serial, statement string) answer {
		form := url.Values{"key": {key}, "serial": {serial}, "statement": {statement}}
		return p.ask("POST", "/report", form.Encode(), "Content-Type", formType)
	}
	first := send(key[1], p.serial, "کارمند آنجا نیست")
	if again := send(key[1], p.serial, "کارمند آنجا نیست"); first.StatusCode != 200 || string(again.body) != string(first.body) ||
		!strings.Contains(string(first.body), "گزارش ثبت شد") {
		t.Errorf("%d %s; again %d %s", first.StatusCode, first.body, again.StatusCode, again.body)
	}
	for name, body := range map[string]string{
		"no key":        "serial=67ff&statement=x",
		"a short key":   "key=ab&serial=67ff&statement=x",
		"another field": "key=" + key[1] + "&serial=67ff&statement=x&name=" + canary,
		"a field twice": "key=" + key[1] + "&serial=67ff&statement=x&statement=" + canary,
		"too long":      "key=" + key[1] + "&serial=67ff&statement=" + strings.Repeat("x", 4001),
		"not UTF-8":     "key=" + key[1] + "&serial=67ff&statement=%ff",
		"not a form":    "%zz",
	} {
		before := p.head()
		if a := p.ask("POST", "/report", body, "Content-Type", formType); a.StatusCode != 400 || strings.Contains(string(a.body), canary) || p.head() != before {
			t.Errorf("%s: %d %s", name, a.StatusCode, a.body)
		}
	}
	if a := send(randomKey(), "67ff", "x"); a.StatusCode != 404 {
		t.Errorf("an unknown serial: %d", a.StatusCode)
	}
	if a := send(randomKey(), p.serial, "باز هم"); a.StatusCode != 200 {
		t.Errorf("the third: %d", a.StatusCode)
	}
	before := p.head()
	if a := send(randomKey(), p.serial, "و باز"); a.StatusCode != 429 || p.head() != before {
		t.Errorf("the fourth in an hour: %d", a.StatusCode)
	}
}

// TestASerialIsUnderstoodAsPeopleWriteIt: in groups as on the sheet, with colons
// as browsers show it, or in Persian digits; it is shown in the one way.
func TestASerialIsUnderstoodAsPeopleWriteIt(t *testing.T) {
	p := prepare(t)
	p.back("accepted")
	shown := inGroups(strings.ToUpper(p.serial), 4, " ")
	for name, written := range map[string]string{
		"as stored":       p.serial,
		"as on the sheet": shown,
		"with colons":     inGroups(p.serial, 2, ":"),
		"with dashes":     inGroups(p.serial, 4, "-"),
		"in Persian":      iran.PersianDigits(shown),
		"in Arabic":       strings.ReplaceAll(p.serial, "6", "٦"),
	} {
		page := string(p.get("", "/verify?serial="+url.QueryEscape(written)).body)
		for _, want := range []string{"standing valid", ">" + shown + "<", `href="/report?serial=` + p.serial + `"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%s, %s: /verify lacks %s in\n%s", name, written, want, page)
			}
		}
		form := url.Values{"key": {randomKey()}, "serial": {written}, "statement": {"کارمند آنجا نیست"}}
		if a := p.ask("POST", "/report", form.Encode(), "Content-Type", formType); a.StatusCode != 200 {
			t.Errorf("%s, %s: /report says %d %s", name, written, a.StatusCode, a.body)
		}
	}
}

// inGroups parts a text.
func inGroups(text string, size int, by string) string {
	var parts []string
	for part := range slices.Chunk([]byte(text), size) {
		parts = append(parts, string(part))
	}
	return strings.Join(parts, by)
}
