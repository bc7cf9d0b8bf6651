package web_test

import (
	"io"
	"strings"
	"testing"

	"govahi/adapters/web"
	"govahi/domain/enrollment"
)

func blank() web.FormData {
	return web.FormData{
		Groups: []web.FormGroup{{Title: "متقاضی", Fields: []web.FormField{{Label: "نام"}, {Label: "کد ملی", Digits: true}, {Label: "پست الکترونیک", Code: true}}}},
		Notice: "مسئولیت با ارائه‌کننده است.", Originals: []web.Sight{{Label: "کارت ملی"}}, Further: []string{"کنترل تلفن"}, PrintedAt: issued,
	}
}

func filled() web.FormData {
	d := blank()
	d.TrackingCode, d.Channel = "050000000014", "خارج از صنعت نفت"
	f := d.Groups[0].Fields
	f[0].Value, f[1].Value, f[2].Value = "متقاضی", "9992009098", "sample@example.ir"
	d.Originals[0].Seen = true
	return d
}

func formPage(d web.FormData) func(io.Writer) error {
	return func(w io.Writer) error { return web.Form(w, d) }
}

// TestTheFormOnPaper has room for hands and seals, and says in which system's
// request it belongs.
func TestTheFormOnPaper(t *testing.T) {
	common := []string{
		`<body class="sheet">`, "شماره", "پیوست", "مسئولیت با ارائه‌کننده است.", "امضای متقاضی", "مهر دفتر", "رؤیت در دفتر",
		`<th scope="row">کارت ملی</th>`, `<th scope="row">کنترل تلفن</th>`, "رونوشت گرفته نمی‌شود",
	}
	html := render(t, formPage(filled()))
	contains(t, html, common...)
	contains(
		t, html, "۰۵۰۰ ۰۰۰۰ ۰۰۱۴", `role="img" aria-label="کد رهگیری"><path d="M`, "<bdi>متقاضی</bdi>", `class="digits">۹۹۹۲۰۰۹۰۹۸`,
		`class="code">sample@example.ir`, "☑ در سامانه ثبت شده",
	)
	empty := render(t, formPage(blank()))
	contains(t, empty, common...)
	contains(t, empty, "☐ خارج از صنعت نفت", "☐ داخل صنعت نفت", `<dt>نام</dt><dd><span class="blank"></span></dd>`)
	if strings.Contains(empty, "<path d=\"M4") || strings.Contains(empty, "☑") {
		t.Errorf("an empty form says what is not so:\n%s", empty)
	}
}

func officesPage(w io.Writer) error {
	return web.Offices(w, web.OfficesData{At: issued, Standard: []string{"رؤیت اصل کارت ملی"}, Provinces: []web.Province{
		{Name: "تهران", Offices: []web.Office{
			{Code: "one", Name: "دفتر یک", Sort: "دفتر ثبت‌نام", City: "ری", Licensed: true, Until: issued.AddDate(1, 0, 0), Controls: []string{"کنترل تلفن"}, Announcement: "شنبه‌ها"},
			{Code: "two", Name: "دفتر دو", Sort: "دفتر ثبت‌نام", City: "ری", Until: issued},
		}},
		{Name: "خوزستان", Offices: []web.Office{{Code: "unit", Name: "واحد یک", Sort: "واحد پژوهش و فناوری", City: "اهواز"}}},
	}})
}

// TestTheOfficesSayWhatTheyControl (S1.32), and until when they are licensed.
func TestTheOfficesSayWhatTheyControl(t *testing.T) {
	html := render(t, officesPage)
	contains(
		t, html, "رؤیت اصل کارت ملی", `<a href="#%d8%aa%d9%87%d8%b1%d8%a7%d9%86">تهران (۲)</a>`, `<h2 id="تهران">`, "معتبر تا", "یکشنبه ۳۰ آبان ۱۴۰۶",
		"اعتبار ندارد؛ پایان", "کنترل تلفن", "شنبه‌ها", "واحد یک",
	)
	if strings.Count(html, "<dt>پروانه</dt>") != 2 {
		t.Error("a unit has no licence")
	}
	contains(t, render(t, func(w io.Writer) error { return web.Offices(w, web.OfficesData{At: issued}) }), "دفتری گشوده نشده است")
}

func guidePage(w io.Writer) error {
	return web.Guide(w, web.GuideData{Outside: []string{"یک"}, Inside: []string{"دو"}, Notice: "تعهد", Form: "/form.html", Offices: "/offices.html", Tariffs: "/tariffs.html"})
}

func TestTheGuideHasBothChannels(t *testing.T) {
	contains(t, render(t, guidePage), "<li>یک</li>", "<li>دو</li>", "تعهد", `href="/form.html"`, `href="/offices.html"`, `href="/tariffs.html"`)
}

// TestEveryStateOfBothChannelsIsSaidInPlainWords: who has it now, and what comes
// next.
func TestEveryStateOfBothChannelsIsSaidInPlainWords(t *testing.T) {
	said := map[string]string{}
	for _, status := range append([]enrollment.Status{web.Active}, enrollment.Statuses...) {
		s := web.StandOf(string(status))
		if s.Now == "" || s.Next == "" {
			t.Errorf("%s has no sentence", status)
		}
		if other, taken := said[s.Now]; taken {
			t.Errorf("%s is told as %s", status, other)
		}
		said[s.Now] = string(status)
	}
}

// TestNobodyIsToldThatHeHasTheTokenThatHisAttorneyReceived: in no state, and what
// comes next is said in each.
func TestNobodyIsToldThatHeHasTheTokenThatHisAttorneyReceived(t *testing.T) {
	for _, status := range append([]enrollment.Status{web.Active}, enrollment.Statuses...) {
		s := web.StandByAttorney(string(status))
		if s.Now == "" || s.Next == "" || strings.Contains(s.Now, "توکن نزد شماست") {
			t.Errorf("%s: %+v", status, s)
		}
	}
}

// TestTheTrackingPageSaysWhereDossierAndTokenAre, for the inside channel.
func TestTheTrackingPageSaysWhereDossierAndTokenAre(t *testing.T) {
	page := func(d web.TrackData) string {
		d.Code, d.Since, d.Track = "050000000014", issued, "/track"
		return render(t, func(w io.Writer) error { return web.Track(w, d) })
	}
	contains(t, page(web.TrackData{Stand: web.StandOf("in-transit"), Dossier: "واحد الف", DossierTo: "مرجع ب"}), "در راه است", "گام بعد:", "در راه از <bdi>واحد الف</bdi> به <bdi>مرجع ب</bdi>")
	contains(t, page(web.TrackData{Stand: web.StandOf("at-authority"), Dossier: "مرجع ب"}), "<dt>پرونده نزد</dt><dd><bdi>مرجع ب</bdi></dd>")
	contains(t, page(web.TrackData{Stand: web.StandOf("at-origin"), Token: "مرجع ب"}), "<dt>توکن نزد</dt><dd><bdi>مرجع ب</bdi></dd>")
	if html := page(web.TrackData{State: "x"}); strings.Contains(html, "پرونده") || strings.Contains(html, "توکن") || strings.Contains(html, "گام بعد") {
		t.Errorf("it says what it does not know:\n%s", html)
	}
}

// TestTheRepositoryShowsEachIssuer, with what it tells of its certificates.
func TestTheRepositoryShowsEachIssuer(t *testing.T) {
	html := render(t, func(w io.Writer) error {
		return web.Repository(w, web.RepositoryData{
			Issuers: []web.PublishedIssuer{
				{
					Published: web.Published{Name: "Sample CA 2", Address: "/pki/2/issuer.cer", PEM: "/pki/2/chain.pem", SHA256: strings.Repeat("ab", 32), Date: issued},
					Status:    "در کار صدور", OCSP: "http://door.example.ir/pki/2/ocsp", List: "/pki/2/issuer.crl", Lists: "/pki/2/crls", Number: 7, ThisUpdate: issued, NextUpdate: issued.AddDate(0, 0, 2),
				},
				{
					Published: web.Published{Name: "Sample CA 1", Address: "/pki/issuer.cer", PEM: "/pki/issuer.pem", Date: issued},
					Status:    "بازنشسته", Ended: true, OCSP: "http://door.example.ir/pki/ocsp", List: "/pki/issuer.crl", Lists: "/pki/crls", Number: 40, ThisUpdate: issued, Last: true,
				},
				{Published: web.Published{Name: "Sample CA 3"}, Status: "کلید افشاشده", Ended: true},
			},
			Documents: []web.Published{{Name: "بیانیه", Address: "/pki/documents/cps-0.1", Version: "0.1", Current: "/pki/cps", Date: issued}},
			Roots:     []web.Published{{Name: "Sample Root", Address: "/pki/root.cer", PEM: "/pki/root.pem", Date: issued}},
		})
	})
	contains(
		t, html, "<bdi>Sample CA 2</bdi>", `href="/pki/2/issuer.cer"`, `href="/pki/2/chain.pem"`, `href="/pki/2/issuer.crl"><bdi dir="ltr" class="digits">۷</bdi>`,
		`<bdi dir="ltr" class="code">http://door.example.ir/pki/2/ocsp</bdi>`, "<strong>در کار صدور</strong>", "دوشنبه ۲ آذر ۱۴۰۵",
		`href="/pki/issuer.crl"><bdi dir="ltr" class="digits">۴۰</bdi>`, "<strong>بازنشسته</strong>", "همیشه معتبر می‌ماند", "<strong>کلید افشاشده</strong>",
		`<dt>نسخه</dt><dd><bdi dir="ltr" class="digits">۰.۱</bdi>`, "هنوز فهرستی منتشر نشده است", `href="/pki/root.cer"`, `href="/pki/2/crls"`, `href="/pki/crls"`,
	)
	if strings.Count(html, "card standing expired") != 2 || strings.Count(html, "card standing valid") != 1 {
		t.Errorf("who has ended does not look so in\n%s", html)
	}
}
