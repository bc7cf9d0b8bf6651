package http

import (
	"net/url"
	"strings"
	"testing"

	"govahi/commands"
	"govahi/queries"
)

// TestThePublicPagesAndTheFormOnPaper: what an applicant reads before he comes,
// what his office announces, the form that he brings, and where it stands.
func TestThePublicPagesAndTheFormOnPaper(t *testing.T) {
	l := tell(t)
	has := func(html string, all ...string) {
		t.Helper()
		for _, want := range all {
			if !strings.Contains(html, want) {
				t.Errorf("no %q in\n%s", want, html)
			}
		}
	}
	for _, persona := range []string{"applicant", "officer-1"} {
		html := l.get(persona, "/requests/"+l.code+"/form.html").page(t, 200)
		has(html, "نمونه‌پور", "خارج از صنعت نفت", commands.LiabilityNotice.Text, "کارت شناسهٔ ملی", "☑ در سامانه ثبت شده", `aria-label="کد رهگیری"`)
		if strings.Contains(html, `class="blank"></span></dd><dt>نام`) {
			t.Errorf("%s sees an empty form", persona)
		}
	}
	blank := l.get("", "/form.html").page(t, 200)
	has(blank, "تعهدنامه", "رؤیت اصل شناسنامه", "☐ داخل صنعت نفت")
	if strings.Contains(blank, "☑") {
		t.Error("an empty form has a mark")
	}
	has(l.get("", "/guide.html").page(t, 200), "مرجع طرف قرارداد", "واحد پژوهش و فناوری", "/form.html")
	has(l.get("", "/").page(t, 200), `href="/guide.html"`, `href="/offices.html"`, `href="/form.html"`)

	said := map[string]any{"controls": []string{"discretionary", "telephone", "telephone"}, "text": "شنبه تا چهارشنبه، ۸ تا ۱۴"}
	_, after := l.done("officer-1", "/offices/office-1/controls", said)
	has(l.get("", "/offices.html?"+after).page(t, 200), "استعلام هویت از سازمان ثبت احوال", "کنترل تلفن", "شنبه تا چهارشنبه، ۸ تا ۱۴", "معتبر تا")
	var offices []queries.Office
	l.get("", "/offices?"+after).json(t, &offices)
	for _, o := range offices {
		if o.Code == "office-1" && (strings.Join(o.Controls, " ") != "telephone discretionary" || value(o.Announcement) == "") {
			t.Errorf("announced %+v", o)
		}
	}
	fields := url.Values{"trackingCode": {l.code}, "lastFour": {"1234"}}.Encode()
	has(l.track(fields, browser...).page(t, 200), "کنترل‌های دفتر انجام شده است.", "گام بعد: مأمور دوم")
}
