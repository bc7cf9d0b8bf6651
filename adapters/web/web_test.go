package web_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/skip2/go-qrcode"

	"govahi/adapters/web"
	"govahi/domain/certificate"
	"govahi/domain/fee"
	"govahi/domain/payment"
)

var (
	issued = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)
	serial = "01f4a3b2c1d0e9f8a7b6c5d4e3f2a1b0c9d8"
	print  = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
)

func sheet() web.SheetData {
	return web.SheetData{
		NameFa: "متقاضی نمونه", NameLatin: "Sample Applicant", NationalCode: "9992009098",
		Organization: "شرکت نمونه", Post: "کارشناس", Email: "sample@example.ir", Serial: serial, Fingerprint: print,
		NotBefore: issued, NotAfter: issued.AddDate(1, 0, 0), Issuer: "Sample CA", Profile: "natural-sign@1", ProfileTitle: "امضای نمونه",
		TokenSerial: "GT-0001", TrackingCode: "050000000014", VerifyURL: "https://govahi.example.ir/verify?serial=" + serial,
		Copy: 2, PrintedAt: issued.Add(time.Hour),
	}
}

func verdict(s web.Standing) web.VerifyData {
	return web.VerifyData{
		Serial: serial, Standing: s, Fingerprint: print, NotBefore: issued, NotAfter: issued.AddDate(1, 0, 0),
		Issuer: "Sample CA", CheckedAt: issued.Add(time.Hour), Action: "/verify",
	}
}

func render(t *testing.T, page func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := page(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func sheetPage(w io.Writer) error { return web.Sheet(w, sheet()) }

func verifyPage(d web.VerifyData) func(io.Writer) error {
	return func(w io.Writer) error { return web.Verify(w, d) }
}

func homePage(w io.Writer) error {
	return web.Home(w, web.HomeData{Verify: "/verify", Track: "/track", Docs: "/docs", CRL: "/crl", CA: "/ca.pem", Root: "/root.pem", Development: true})
}

func trackPage(w io.Writer) error {
	return web.Track(w, web.TrackData{Code: "050000000014", State: "نزد دفتر", Since: issued, Office: "دفتر نمونه", Track: "/track"})
}

func refusalPage(w io.Writer) error {
	return web.Refusal(w, web.RefusalData{Title: "یافت نشد", Details: []string{"یکم.", "دوم."}, Correlation: "ABC", Track: "/track", Verify: "/verify"})
}

func dashboardPage(w io.Writer) error {
	return web.Dashboard(w, web.DashboardData{
		At: issued, States: []web.Count{{Label: "نزد دفتر", N: 50}, {Label: "صادرشده", N: 200}, {Label: "ردشده", N: 1}, {Label: "پیش‌نویس", N: 0}},
		Waiting: []web.Waiting{{Label: "تأیید", N: 7, Median: 95 * time.Minute, Oldest: 53*time.Hour + 10*time.Minute}, {Label: "صدور", N: 1}},
	})
}

func contains(t *testing.T, html string, fragments ...string) {
	t.Helper()
	for _, f := range fragments {
		if !strings.Contains(html, f) {
			t.Errorf("no %q in\n%s", f, html)
		}
	}
}

func TestTheSheetShowsEveryParticular(t *testing.T) {
	contains(
		t, render(t, sheetPage),
		`<html lang="fa" dir="rtl">`,
		`<bdi>متقاضی نمونه</bdi>`, `<bdi dir="ltr">Sample Applicant</bdi>`,
		`<bdi dir="ltr" class="digits">۹۹۹۲۰۰۹۰۹۸</bdi>`, `<bdi dir="ltr" class="digits">۰۵۰۰ ۰۰۰۰ ۰۰۱۴</bdi>`,
		`<bdi>شرکت نمونه</bdi>`, `<bdi>کارشناس</bdi>`, `<bdi dir="ltr" class="code">sample@example.ir</bdi>`,
		`<bdi dir="ltr" class="code">01F4 A3B2 C1D0 E9F8 A7B6 C5D4 E3F2 A1B0 C9D8</bdi>`,
		`<bdi dir="ltr" class="code">9F86 D081 884C 7D65 9A2F EAA0 C55A D015 A3BF 4F1B 2B0B 822C D15D 6C15 B0F0 0A08</bdi>`,
		`<time datetime="2026-11-21T08:00:00Z" title="2026-11-21">شنبه ۳۰ آبان ۱۴۰۵، ساعت ۱۱:۳۰</time> (<bdi dir="ltr" class="code date">2026-11-21</bdi>)`,
		`title="2027-11-21">یکشنبه ۳۰ آبان ۱۴۰۶`, `<bdi>Sample CA</bdi>`, `<dd><bdi>امضای نمونه</bdi> (<bdi dir="ltr" class="code">natural-sign@1</bdi>)</dd>`, `GT-0001`,
		`نسخهٔ ۲`, `با ابطال گواهی این برگه بی‌اعتبار است`, `https://govahi.example.ir/verify?serial=`+serial,
		`role="img" aria-label="نشانی استعلام اعتبار"><path d="M4 4h7v1h-7z`,
	)
}

func TestTheSymbolIsTheAddressModuleByModule(t *testing.T) {
	code, err := qrcode.New(sheet().VerifyURL, qrcode.Medium)
	if err != nil {
		t.Fatal(err)
	}
	want := code.Bitmap()
	drawn := make([][]bool, len(want))
	for y := range drawn {
		drawn[y] = make([]bool, len(want))
	}
	for _, run := range regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`).FindAllStringSubmatch(render(t, sheetPage), -1) {
		x, y, length, back := number(t, run[1]), number(t, run[2]), number(t, run[3]), number(t, run[4])
		if length != back {
			t.Fatalf("%s does not close", run[0])
		}
		for n := range length {
			drawn[y][x+n] = true
		}
	}
	if diff := cmp.Diff(want, drawn); diff != "" {
		t.Errorf("the symbol differs:\n%s", diff)
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestTheVerdicts(t *testing.T) {
	held := verdict(web.Held)
	held.RevokedAt = issued
	revoked := verdict(web.Revoked)
	revoked.Reason, revoked.RevokedAt = certificate.PrivilegeWithdrawn, issued
	for _, c := range []struct {
		data web.VerifyData
		want string
	}{
		{verdict(web.Valid), `<strong>معتبر</strong>`},
		{revoked, `این گواهی از <time datetime="2026-11-21T08:00:00Z" title="2026-11-21">شنبه ۳۰ آبان ۱۴۰۵، ساعت ۱۱:۳۰</time> باطل است؛ علت: نادرستی اطلاعات.`},
		{held, `موقتاً معلق است`},
		{verdict(web.Expired), `در <time datetime="2027-11-21T08:00:00Z" title="2027-11-21">`},
		{verdict(web.Unknown), `<strong>ناشناخته</strong>`},
	} {
		html := render(t, verifyPage(c.data))
		contains(t, html, c.want, `class="card standing `+string(c.data.Standing)+`"`, "01F4 A3B2", `<form action="/verify" method="get">`)
		if known := strings.Contains(html, "Sample CA") && strings.Contains(html, "9F86 D081"); known == (c.data.Standing == web.Unknown) {
			t.Errorf("%s: shows the certificate: %v", c.data.Standing, known)
		}
	}
}

// TestOnlyHexadecimalIsGrouped: what else was typed in a serial's place is shown
// as it was.
func TestOnlyHexadecimalIsGrouped(t *testing.T) {
	d := verdict(web.Unknown)
	d.Serial = "پیدا نشد"
	contains(t, render(t, verifyPage(d)), `<bdi dir="ltr" class="code">پیدا نشد</bdi>`)
}

func TestWithoutASerialThereIsOnlyTheForm(t *testing.T) {
	html := render(t, verifyPage(web.VerifyData{Action: "/verify"}))
	contains(t, html, `<form action="/verify"`)
	if strings.Contains(html, `role="status"`) {
		t.Error("it gives a verdict on nothing")
	}
}

func TestTheHomePageLeadsOnlyWhereThereIsSomething(t *testing.T) {
	contains(t, render(t, homePage), `action="/verify"`, `href="/track"`, `href="/docs"`, `href="/crl"`, `href="/ca.pem"`, `href="/root.pem"`, "نمونه‌اند")
	bare := render(t, func(w io.Writer) error { return web.Home(w, web.HomeData{}) })
	if strings.Contains(bare, "<form") || strings.Contains(bare, `href=""`) || strings.Contains(bare, "نمونه‌اند") {
		t.Errorf("got\n%s", bare)
	}
}

func TestTheDashboardDrawsItsFigures(t *testing.T) {
	contains(
		t, render(t, dashboardPage),
		"۲۵۱ درخواست", `<rect x="75" width="25" height="10"/>`, `<rect x="0" width="100" height="10"/>`,
		`<rect x="99" width="1" height="10"/>`, `<rect x="100" width="0" height="10"/>`, `<td class="n">۲۰۰</td>`,
		"<td>۱ ساعت و ۳۵ دقیقه</td><td>۲ روز و ۵ ساعت</td>", "کمتر از یک دقیقه", "چیزی نیست.",
	)
	contains(t, render(t, func(w io.Writer) error { return web.Dashboard(w, web.DashboardData{At: issued}) }), "چیزی در انتظار نیست.", "۰ درخواست")
}

func TestTheDashboardTellsWhatEnds(t *testing.T) {
	html := render(t, func(w io.Writer) error {
		return web.Dashboard(w, web.DashboardData{At: issued, Ends: []web.End{{Label: "مجوز دفتر یا مرجع", Of: "دفتر نمونه", Until: issued, Past: true}}})
	})
	contains(t, html, "چه چیزی به‌زودی پایان می‌یابد", "<bdi>دفتر نمونه</bdi>", "شنبه ۳۰ آبان ۱۴۰۵", "گذشته است")
}

// TestTheDashboardIsLoudAboutTheAudit where something differs, or none was made
// for two days; otherwise it tells of it quietly.
func TestTheDashboardIsLoudAboutTheAudit(t *testing.T) {
	for name, c := range map[string]struct {
		audit web.AuditData
		loud  bool
		says  []string
	}{
		"nothing differs": {web.AuditData{At: issued, Checked: 1200, Erased: 3}, false, []string{
			`<time datetime="2026-11-21T08:00:00Z"`, "شنبه ۳۰ آبان ۱۴۰۵", "<dd>۱۲۰۰، که ۳ از آن‌ها", "<strong>هیچ</strong>",
		}},
		"differences": {web.AuditData{At: issued, Checked: 7, Found: 3, Differences: []web.Difference{{Count: web.Count{Label: "کلید تکراری", N: 3}, Kind: "key-twice"}}}, true, []string{
			"۳ اختلاف یافته است", "<bdi>کلید تکراری</bdi>", `<bdi dir="ltr" class="code">key-twice</bdi>`, "govahi audit certificates",
		}},
		"too long ago": {web.AuditData{At: issued, Checked: 7, Overdue: true}, true, []string{"بیش از دو روز است", "/health/ready"}},
		"never made":   {web.AuditData{Overdue: true}, true, []string{"هنوز هیچ ممیزی‌ای", "هنوز انجام نشده است", "<strong>نامعلوم</strong>"}},
	} {
		html := render(t, func(w io.Writer) error { return web.Dashboard(w, web.DashboardData{At: issued, Audit: c.audit}) })
		contains(t, html, c.says...)
		if loud := strings.Contains(html, `role="alert"`) && strings.Contains(html, `href="#audit"`) && strings.Contains(html, "<ol>"); loud != c.loud {
			t.Errorf("%s: loud is %v in\n%s", name, loud, html)
		}
	}
}

func TestPagesRunNothingAndLoadNothing(t *testing.T) {
	for name, page := range map[string]func(io.Writer) error{
		"home": homePage, "sheet": sheetPage, "verify": verifyPage(verdict(web.Valid)), "dashboard": dashboardPage,
		"track": trackPage, "refusal": refusalPage, "receipt": receiptPage(receipt()), "tariffs": tariffsPage,
		"returned": returnedPage(web.ReturnedPaid), "form": formPage(filled()), "blank form": formPage(blank()),
		"offices": officesPage, "guide": guidePage,
	} {
		html := render(t, page)
		if found := regexp.MustCompile(`(?i)<script|<link|<img|@import|url\(|\son\w+=|style="|src=`).FindString(html); found != "" {
			t.Errorf("%s has %s", name, found)
		}
		if strings.Contains(html, "ZgotmplZ") || strings.Contains(html, "<no value>") {
			t.Errorf("%s has a gap in\n%s", name, html)
		}
		sum := sha256.Sum256([]byte(regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(html)[1]))
		if !strings.Contains(web.Policy, base64.StdEncoding.EncodeToString(sum[:])) {
			t.Errorf("%s: the policy does not let its style in", name)
		}
	}
}

func TestTextsCannotBecomeMarkup(t *testing.T) {
	d := sheet()
	hostile := `"><script>alert(1)</script>`
	d.NameFa, d.Email, d.TokenSerial, d.Serial, d.TrackingCode = hostile, hostile, hostile, hostile, hostile
	if html := render(t, func(w io.Writer) error { return web.Sheet(w, d) }); strings.Contains(html, "<script") || strings.Contains(html, "<SCRI") {
		t.Errorf("got\n%s", html)
	}
	v := verdict(web.Unknown)
	v.Serial = hostile
	if html := render(t, verifyPage(v)); strings.Contains(html, "<SCRI") {
		t.Errorf("got\n%s", html)
	}
}

func receipt() web.ReceiptData {
	return web.ReceiptData{
		TrackingCode: "050000000014", Name: "متقاضی نمونه", AmountRial: 3_445_110, Mode: "gateway", Provider: "bank1", RRN: "700000000001",
		Trace: "42", Card: "999999******1234", PaidAt: issued, PrintedAt: issued,
	}
}

func receiptPage(d web.ReceiptData) func(io.Writer) error {
	return func(w io.Writer) error { return web.Receipt(w, d) }
}

func returnedPage(standing string) func(io.Writer) error {
	return func(w io.Writer) error {
		return web.Returned(w, web.ReturnedData{TrackingCode: "050000000014", AmountRial: 3_445_110, RRN: "700000000001", Standing: standing, Track: "/track"})
	}
}

func tariffsPage(w io.Writer) error {
	return web.Tariffs(w, web.TariffsData{At: issued, Rows: []web.Tariff{{
		Product: "cpmis-signature", Title: "امضای نمونه", Level: "نقره‌ای", Issuer: "دولتی", TokenRial: 1_200_000, IssuanceRial: 2_245_110, ValidFrom: issued,
	}}})
}

// TestTheReceiptSaysTheAmountInWords, as receipts must, and every number of the
// payment.
func TestTheReceiptSaysTheAmountInWords(t *testing.T) {
	html := render(t, receiptPage(receipt()))
	contains(
		t, html, `<body class="sheet">`, `<bdi dir="ltr" class="digits">۰۵۰۰ ۰۰۰۰ ۰۰۱۴</bdi>`, "۳٬۴۴۵٬۱۱۰ ریال",
		"سه میلیون و چهارصد و چهل و پنج هزار و صد و ده ریال", "درگاه برخط بانک", `۷۰۰۰ ۰۰۰۰ ۰۰۰۱`, `>۴۲<`, `999999******1234`, "شنبه ۳۰ آبان ۱۴۰۵",
	)
	if strings.Contains(html, "قرارداد") || strings.Contains(html, "بازگردانده") {
		t.Error("it says what is not so")
	}
	paid := receipt()
	paid.Mode, paid.Contract, paid.Refunded, paid.RRN = "contract", web.ReceiptContract{Company: "10999001013", Number: "Q-1"}, true, ""
	contains(
		t, render(t, receiptPage(paid)), "قرارداد شرکت", "<dt>شمارهٔ قرارداد</dt><dd><bdi>Q-1</bdi></dd>",
		`<dt>شناسهٔ ملی شرکت</dt><dd><bdi dir="ltr" class="digits">۱۰۹۹۹۰۰۱۰۱۳</bdi></dd>`, "بازگردانده شده است",
	)
	paid.Contract.Number = ""
	if html := render(t, receiptPage(paid)); strings.Contains(html, "شمارهٔ قرارداد") || !strings.Contains(html, "۱۰۹۹۹۰۰۱۰۱۳") {
		t.Errorf("a contract whose number is not known:\n%s", html)
	}
}

// TestASlipKeepsItsZeros: the reference of a terminal's slip has twelve digits
// (ISO 8583, field 37), whatever was left of them as a number.
func TestASlipKeepsItsZeros(t *testing.T) {
	paid := receipt()
	paid.Mode, paid.RRN = "pos", "53920628198"
	contains(t, render(t, receiptPage(paid)), "۰۵۳۹ ۲۰۶۲ ۸۱۹۸")
	paid.Mode = "gateway" // whose references are of any length
	contains(t, render(t, receiptPage(paid)), ">۵۳۹۲۰۶۲۸۱۹۸<")
}

func TestTheTariffIsSaidInWords(t *testing.T) {
	contains(t, render(t, tariffsPage), "۳٬۴۴۵٬۱۱۰ ریال", "سه میلیون و چهارصد و چهل و پنج هزار و صد و ده ریال", "نقره‌ای", "دولتی", `<bdi>امضای نمونه</bdi> (<bdi dir="ltr" class="code">cpmis-signature</bdi>)`)
	contains(t, render(t, func(w io.Writer) error { return web.Tariffs(w, web.TariffsData{At: issued}) }), "نرخی منتشر نشده است")
}

func TestAPayerWhoComesBackIsToldWhatIsSo(t *testing.T) {
	for standing, want := range map[string]string{
		web.ReturnedPaid: "پرداخت شد", web.ReturnedUnpaid: "پرداخت نشد", web.ReturnedChecked: "در حال پیگیری",
		web.ReturnedSettled: "پیش‌تر پرداخت شده است", web.ReturnedTwice: "دو بار پرداخت شد", web.ReturnedAside: "بازگردانده می‌شود",
		web.ReturnedOver: "چیزی نپردازید",
	} {
		html := render(t, returnedPage(standing))
		contains(t, html, "<strong>"+want+"</strong>", "۰۵۰۰ ۰۰۰۰ ۰۰۱۴", `href="/track"`)
		again := standing == web.ReturnedUnpaid || standing == web.ReturnedChecked
		if strings.Contains(html, "می‌توانید دوباره پرداخت کنید") != again || strings.Contains(html, "رسید را") != (standing == web.ReturnedPaid) {
			t.Errorf("who comes back as %s is led astray:\n%s", standing, html)
		}
	}
}

// TestWhatAPayerIsToldFollowsFromHisFee, not from his attempt alone: another one
// may have settled it.
func TestWhatAPayerIsToldFollowsFromHisFee(t *testing.T) {
	settledBy := func(attempt string) fee.Fee {
		return fee.Fee{Settled: &fee.Settled{Payment: fee.Payment{Attempt: attempt}}}
	}
	surplus := []fee.Payment{{Attempt: "mine"}}
	twice := settledBy("another")
	twice.Surplus = surplus
	for name, c := range map[string]struct {
		of   fee.Fee
		want map[payment.Status]string
	}{
		"due": {fee.Fee{}, map[payment.Status]string{
			payment.StatusFailed: web.ReturnedUnpaid, payment.StatusReversed: web.ReturnedUnpaid, payment.StatusGone: web.ReturnedUnpaid,
			payment.StatusCheck: web.ReturnedChecked, payment.StatusVerified: web.ReturnedChecked,
		}},
		"settled by this": {settledBy("mine"), map[payment.Status]string{
			payment.StatusDone: web.ReturnedPaid, payment.StatusVerified: web.ReturnedChecked,
		}},
		"settled by another": {settledBy("another"), map[payment.Status]string{
			payment.StatusFailed: web.ReturnedSettled, payment.StatusReversed: web.ReturnedSettled, payment.StatusGone: web.ReturnedSettled,
			payment.StatusCheck: web.ReturnedSettled, payment.StatusDone: web.ReturnedPaid, // one purchase under two attempts
		}},
		"settled by another, and paid again": {twice, map[payment.Status]string{payment.StatusDone: web.ReturnedTwice}},
		"paid what settles nothing":          {fee.Fee{Surplus: surplus}, map[payment.Status]string{payment.StatusDone: web.ReturnedAside}},
		"closed": {fee.Fee{Closed: &fee.Closed{}}, map[payment.Status]string{
			payment.StatusFailed: web.ReturnedOver, payment.StatusCheck: web.ReturnedOver,
		}},
	} {
		for s, want := range c.want {
			if got := web.ReturnedAs(s, c.of, "mine"); got != want {
				t.Errorf("%s: %s is told as %s, not %s", name, s, got, want)
			}
		}
	}
}

// TestTheTrackingPageAsksByPOST: the digits of a mobile stand in no address.
func TestTheTrackingPageAsksByPOST(t *testing.T) {
	contains(
		t, render(t, trackPage), `<form action="/track" method="post" autocomplete="off">`, `name="trackingCode"`, `name="lastFour"`,
		`<strong>نزد دفتر</strong>`, `<bdi dir="ltr" class="digits">۰۵۰۰ ۰۰۰۰ ۰۰۱۴</bdi>`, "شنبه ۳۰ آبان ۱۴۰۵", `<bdi>دفتر نمونه</bdi>`,
	)
	bare := render(t, func(w io.Writer) error { return web.Track(w, web.TrackData{Track: "/track"}) })
	if !strings.Contains(bare, `method="post"`) || strings.Contains(bare, `role="status"`) || strings.Contains(bare, "دفتر نمونه") {
		t.Errorf("got\n%s", bare)
	}
}

func TestARefusalSaysTheRemedyAndHowToGoOn(t *testing.T) {
	contains(
		t, render(t, refusalPage), `<title>یافت نشد</title>`, `role="alert"`, "<p>یکم.</p>", "<p>دوم.</p>", "ABC", `action="/track"`, `action="/verify"`, `href="/"`,
	)
	bare := render(t, func(w io.Writer) error {
		return web.Refusal(w, web.RefusalData{Title: "x", Details: []string{"<script>"}})
	})
	if strings.Contains(bare, "<form") || strings.Contains(bare, "<script>") || strings.Contains(bare, "شناسهٔ پیگیری") {
		t.Errorf("got\n%s", bare)
	}
}

func TestTooLongAnAddressIsAnError(t *testing.T) {
	d := sheet()
	d.VerifyURL = strings.Repeat("x", 5000)
	if err := web.Sheet(io.Discard, d); err == nil {
		t.Error("it was drawn")
	}
}

// TestASheetOfWhoSpeaksForHimself names no organisation and no post.
func TestASheetOfWhoSpeaksForHimself(t *testing.T) {
	alone := sheet()
	alone.Organization, alone.Post = "", ""
	whole := render(t, sheetPage)
	page := render(t, func(w io.Writer) error { return web.Sheet(w, alone) })
	for _, word := range []string{">سازمان<", ">سمت<"} {
		if strings.Contains(page, word) || !strings.Contains(whole, word) {
			t.Errorf("%s", word)
		}
	}
}
