package http

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"govahi/adapters/web"
	"govahi/commands"
	domainpayment "govahi/domain/payment"
	"govahi/queries"
)

// due brings a request to the office, its fee due.
func due(t *testing.T) *told {
	t.Helper()
	l := &told{life: alive(t)}
	l.submits("applicant", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"}, form())
	return l
}

// fee is what a persona sees of it once every view has come so far.
func (l *told) fee(persona string) (p queries.Payment) {
	l.t.Helper()
	l.get(persona, "/requests/"+l.code+"/fee?after="+l.position()).json(l.t, &p)
	return p
}

func (l *told) position() string {
	l.t.Helper()
	head, err := l.log.Head(l.t.Context())
	if err != nil {
		l.t.Fatal(err)
	}
	return head.String()
}

// TestAFeePaidOnlineOverHTTP from the tariff to the refund.
func TestAFeePaidOnlineOverHTTP(t *testing.T) {
	l := due(t)
	var gateways []string
	if l.get("", "/gateways").json(t, &gateways); len(gateways) != 1 || gateways[0] != "bank1" {
		t.Errorf("the gateways are %q", gateways)
	}
	if p := l.fee("applicant"); p.State != "raised" || p.AmountRial != 1_500_000 {
		t.Errorf("the fee is %+v", p)
	}
	if p := l.get("applicant", "/requests/"+l.code+"/receipt.html").problem(t); p.Status != 409 || p.Code != "fee-not-paid" {
		t.Errorf("a receipt before the payment: %+v", p)
	}
	a, _ := l.done("applicant", "/requests/"+l.code+"/payments", map[string]string{"provider": "bank1"})
	var started commands.PaymentStarted
	a.json(t, &started)
	if a.StatusCode != 201 || started.Page.Method != "GET" || !strings.HasPrefix(started.Page.URL, "http://bank.example.ir/") {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if p := l.fee("officer-1"); p.State != "paying" || len(p.Attempts) != 1 || p.Attempts[0].Status != "redirected" {
		t.Errorf("the fee is %+v", p)
	}
	back := fmt.Sprintf("/payments/%s/callback/%x", started.Attempt, keyed{}.Derive("payment-callback", started.Attempt)[:16])
	l.guessed(started.Attempt, back)
	l.paid(back)
	l.refunded()
}

// guessed addresses, and addresses of the wrong form, lead nowhere.
func (l *told) guessed(attempt, back string) {
	l.t.Helper()
	before := l.position()
	for _, path := range []string{
		"/payments/" + attempt + "/callback/" + strings.Repeat("0", 32), "/payments/" + attempt + "/callback/0",
		strings.Replace(back, attempt, strings.Repeat("0", 32), 1), "/payments/none/callback/%D9%BE",
	} {
		if p := l.get("", path+"?Status=OK").problem(l.t); p.Status != 404 || p.Code != "payment-not-found" {
			l.t.Errorf("%s: %+v", path, p)
		}
		form := []string{"Content-Type", formType}
		if p := l.ask("POST", path, "ResCode=0&SaleReferenceId=1", form...).problem(l.t); p.Status != 404 {
			l.t.Errorf("POST %s: %+v", path, p)
		}
	}
	for _, path := range []string{"/payments/" + strings.Repeat("a", 65) + "/callback/00", "/payments/" + attempt + "/callback/" + strings.Repeat("a", 65)} {
		if p := l.get("", path).problem(l.t); p.Status != 400 {
			l.t.Errorf("%s: %+v", path, p)
		}
	}
	for media, want := range map[string]string{"application/json": "media-type-unsupported", "text/plain": "media-type-unsupported"} {
		if p := l.ask("POST", back, "{}", "Content-Type", media).problem(l.t); p.Status != 400 || p.Code != want {
			l.t.Errorf("as %s: %+v", media, p)
		}
	}
	if p := l.get("", back+"?a=%zz").problem(l.t); p.Status != 400 || p.Code != "query-malformed" {
		l.t.Errorf("a query that cannot be read: %+v", p)
	}
	if l.position() != before {
		l.t.Error("something was stored")
	}
}

// unpaid is a bank where nobody has paid yet, whatever the payer's browser says.
type unpaid struct{ paying }

func (unpaid) Verify(context.Context, commands.GatewayPayment) (commands.Verdict, error) {
	return commands.Verdict{Standing: commands.Awaited}, nil
}

func (unpaid) Inquire(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	return commands.Awaited, nil
}

// TestWhateverABrowserBringsIsNoPayment: the right address with wrong fields. What
// cannot be a callback is refused; all else is a hint, and the bank is asked.
func TestWhateverABrowserBringsIsNoPayment(t *testing.T) {
	l := due(t)
	l.app.Gateways.Named["bank1"] = unpaid{}
	a, _ := l.done("applicant", "/requests/"+l.code+"/payments", map[string]string{"provider": "bank1"})
	var started commands.PaymentStarted
	a.json(t, &started)
	back := fmt.Sprintf("/payments/%s/callback/%x", started.Attempt, keyed{}.Derive("payment-callback", started.Attempt)[:16])
	many := strings.TrimSuffix(strings.Repeat("status=ok&", 20_000), "&")
	for name, c := range map[string]struct {
		method, query, body string
		status              int
	}{
		"nothing":                   {"GET", "", "", 200},
		"a success, forged":         {"GET", "?status=ok&rrn=700000000009&amount=1&RefId=' OR 1=1--", "", 200},
		"a posted success":          {"POST", "", "ResCode=0&SaleReferenceId=1&status=ok", 200},
		"success and failure":       {"GET", "?status=ok&STATUS=nok&Status=ok", "", 200},
		"many fields":               {"POST", "", many, 200},
		"one long field":            {"POST", "", "status=" + strings.Repeat("k", 900_000), 200},
		"bad escapes":               {"POST", "", "status=%zz&%=&&&=", 200},
		"semicolons":                {"POST", "", "status=ok;x=1", 200},
		"NUL and broken UTF-8":      {"POST", "", "status=ok%00&x=%ff\x00\xff", 200},
		"JSON under another's name": {"POST", "", `{"status":"ok"}`, 200},
		"markup":                    {"GET", "?status=<script>alert(1)</script>&" + canary + "=" + canary, "", 200},
		"a query nobody can read":   {"GET", "?status=%zz", "", 400},
		"PUT":                       {"PUT", "", "status=ok", 405},
		"DELETE":                    {"DELETE", "", "", 405},
	} {
		got := l.ask(c.method, back+strings.ReplaceAll(c.query, " ", "%20"), c.body, "Content-Type", formType)
		if got.StatusCode != c.status && (c.status != 405 || got.StatusCode != 400) {
			t.Errorf("%s: %d %s", name, got.StatusCode, got.body)
		}
		for _, never := range []string{"<script>alert", "canary", "پرداخت شد", "700000000009"} {
			if strings.Contains(string(got.body), never) {
				t.Errorf("%s: the page says %s", name, never)
			}
		}
	}
	l.settle()
	if p := l.fee("officer-1"); p.State != "paying" && p.State != "raised" || p.RRN != nil || p.SettledAt != nil {
		t.Errorf("the fee is %+v", p)
	}
	if p := l.get("applicant", "/requests/"+l.code+"/receipt.html").problem(t); p.Code != "fee-not-paid" {
		t.Errorf("a receipt: %+v", p)
	}
	notes := 0
	for e, err := range l.log.Read(t.Context(), domainpayment.Kind.Stream(started.Attempt), 0) {
		if err != nil || strings.Contains(string(e.Data), "canary") || len(e.Data) > 4<<10 {
			t.Errorf("%s of %d bytes, %v", e.Type, len(e.Data), err)
		}
		notes++
	}
	if notes > 40 {
		t.Errorf("%d events of one attempt", notes)
	}
	l.app.Gateways.Named["bank1"] = paying{}
	if page := l.get("", back+"?status=ok"); !strings.Contains(string(page.body), "پرداخت شد") {
		t.Errorf("the payer who has paid at last sees %s", page.body)
	}
}

// paid comes back with more than was asked for, and again.
func (l *told) paid(back string) {
	l.t.Helper()
	query := url.Values{"Status": {"OK", "NOK"}, "Authority": {"A"}, "Extra": {strings.Repeat("x", 2000)}, "bin": {"\x00\xff"}}
	for range 2 {
		a := l.get("", back+"?"+query.Encode())
		if a.StatusCode != http.StatusOK || !strings.Contains(string(a.body), "پرداخت شد") || a.Header.Get("Cache-Control") != "no-store" {
			l.t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	l.settle()
	p := l.fee("auditor")
	if p.State != "settled" || *p.Mode != "gateway" || *p.RRN != "700000000001" || *p.Card != "999999******1234" || p.Attempts[0].Status != "done" {
		l.t.Errorf("the fee is %+v", p)
	}
	page := l.get("applicant", "/requests/"+l.code+"/receipt.html")
	for _, want := range []string{"یک میلیون و پانصد هزار ریال", "۷۰۰۰ ۰۰۰۰ ۰۰۰۱", "999999******1234"} {
		if !strings.Contains(string(page.body), want) {
			l.t.Errorf("the receipt lacks %s", want)
		}
	}
	if p := l.get("auditor", "/requests/"+l.code+"/receipt.html").problem(l.t); p.Status != 403 || p.Code != "sealed-for-others" {
		l.t.Errorf("an auditor's receipt: %+v", p)
	}
	if p := l.post("applicant", "/requests/"+l.code+"/payments", map[string]string{"provider": "bank1"}).problem(l.t); p.Code != "fee-already-settled" {
		l.t.Errorf("another payment: %+v", p)
	}
}

// refunded follows the rejection of the request.
func (l *told) refunded() {
	l.t.Helper()
	l.does("officer-1", "rejection", "rejected", map[string]string{"reason": "not-entitled"})
	after := "after=" + l.position()
	for _, path := range []string{"/refunds?" + after, "/offices/office-1/refunds?" + after} {
		var open []queries.Refund
		l.get("manager", path).json(l.t, &open)
		if len(open) != 1 || open[0].TrackingCode != l.code || open[0].Cause != "rejected" || open[0].AmountRial != 1_500_000 {
			l.t.Errorf("%s: %+v", path, open)
		}
	}
	var elsewhere []queries.Refund
	if l.get("manager", "/offices/office-2/refunds?"+after).json(l.t, &elsewhere); len(elsewhere) != 0 {
		l.t.Errorf("the other office has %+v", elsewhere)
	}
	if p := l.fee("officer-1"); p.State != "refund-due" || len(p.Refunds) != 1 {
		l.t.Errorf("the fee is %+v", p)
	}
	for field, body := range map[string]map[string]any{
		"number": {"number": 2, "reference": "H-1"}, "reference": {"number": 1, "reference": "\u200c"},
	} {
		want := map[string]int{"number": 422, "reference": 400}[field]
		if p := l.post("officer-1", "/requests/"+l.code+"/refunds", body).problem(l.t); p.Status != want || p.Field != field {
			l.t.Errorf("%s: %+v", field, p)
		}
	}
	_, after = l.done("officer-1", "/requests/"+l.code+"/refunds", map[string]any{"number": 1, "reference": "H-1"})
	var closed, open []queries.Refund
	l.get("auditor", "/refunds?state=refunded&"+after).json(l.t, &closed)
	l.get("auditor", "/refunds?"+after).json(l.t, &open)
	if len(closed) != 1 || *closed[0].Reference != "H-1" || len(open) != 0 {
		l.t.Errorf("closed %+v, open %+v", closed, open)
	}
	var payments []queries.Payment
	l.get("officer-1", "/offices/office-1/payments?"+after).json(l.t, &payments)
	if len(payments) != 1 || payments[0].State != "refunded" {
		l.t.Errorf("the office's payments are %+v", payments)
	}
	if page := l.get("applicant", "/requests/"+l.code+"/receipt.html?"+after); !strings.Contains(string(page.body), "بازگردانده شده است") {
		l.t.Errorf("the receipt is %s", page.body)
	}
}

// TestTheTariffInForceIsPublic as a table and as a page: of each level and
// issuer, the latest that has begun.
func TestTheTariffInForceIsPublic(t *testing.T) {
	l := alive(t)
	publish := func(level int, issuer string, rial int, from int) {
		body := map[string]any{
			"product": "cpmis-signature", "level": level, "issuerKind": issuer, "tokenRial": rial, "issuanceRial": 0, "validFrom": now().AddDate(0, 0, from),
		}
		l.done("manager", "/tariffs", body)
	}
	publish(3, "governmental", 2_000_000, -2)
	publish(3, "governmental", 3_000_000, -1)
	publish(3, "governmental", 9_000_000, 1) // not yet
	publish(2, "non-governmental", 4_000_000, -1)
	head, err := l.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var table []TariffInForce
	l.get("", "/tariffs/current?after="+head.String()).json(t, &table)
	got := map[string]string{}
	for _, line := range table {
		got[line.LevelName+" "+line.IssuerName] = line.Total + "، " + line.Words
	}
	if len(got) != 3 || got["طلایی دولتی"] != "۳٬۰۰۰٬۰۰۰ ریال، سه میلیون ریال" || got["نقره‌ای غیردولتی"] != "۴٬۰۰۰٬۰۰۰ ریال، چهار میلیون ریال" ||
		got["نقره‌ای دولتی"] != "۱٬۵۰۰٬۰۰۰ ریال، یک میلیون و پانصد هزار ریال" {
		t.Errorf("the table is %q", got)
	}
	page := l.get("", "/tariffs.html")
	if page.StatusCode != 200 || !strings.Contains(string(page.body), "سه میلیون ریال") || !strings.Contains(string(page.body), "<bdi>امضای CPMIS</bdi>") || strings.Contains(string(page.body), "نه میلیون") {
		t.Errorf("the page is %s", page.body)
	}
	for field, body := range map[string]string{
		"level":      `{"product":"cpmis-signature","level":5,"tokenRial":1,"issuanceRial":1,"validFrom":"2026-01-01T00:00:00Z"}`,
		"issuerKind": `{"product":"cpmis-signature","issuerKind":"other","tokenRial":1,"issuanceRial":1,"validFrom":"2026-01-01T00:00:00Z"}`,
	} {
		if p := l.ask("POST", "/tariffs", body, l.commanding("manager", "bad-"+field)...).problem(t); p.Status != 400 || p.Field != field {
			t.Errorf("%s: %+v", field, p)
		}
	}
}

// TestContractsAreListed for those who oversee.
func TestContractsAreListed(t *testing.T) {
	l := alive(t)
	l.done("manager", "/contracts", map[string]any{"company": "۱۰۹۹۹۰۰۱۰۱۳", "number": "Q-1", "until": now().AddDate(1, 0, 0)})
	_, after := l.done("manager", "/contract-endings", map[string]string{"company": "10999001013"})
	var all []queries.Contract
	l.get("auditor", "/contracts?"+after).json(t, &all)
	if len(all) != 1 || all[0].Company != "10999001013" || all[0].Number != "Q-1" || all[0].EndedAt == nil {
		t.Errorf("the contracts are %+v", all)
	}
	for field, body := range map[string]map[string]any{
		"company": {"company": "1", "number": "Q-1", "until": now().AddDate(1, 0, 0)},
		"until":   {"company": "10999001013", "number": "Q-1", "until": now().AddDate(-1, 0, 0)},
	} {
		if p := l.post("manager", "/contracts", body).problem(t); p.Status != 422 || p.Field != field {
			t.Errorf("%s: %+v", field, p)
		}
	}
	unseen := map[string]any{"company": "10999001013", "number": "\u202eQ-1", "until": now().AddDate(1, 0, 0)}
	if p := l.post("manager", "/contracts", unseen).problem(t); p.Status != 400 || p.Field != "number" {
		t.Errorf("%+v", p)
	}
}

// TestAReceiptNamesTheContractThatPaid by its number, and no later one.
func TestAReceiptNamesTheContractThatPaid(t *testing.T) {
	l := bare(t).open(t, House{})
	l.settled()
	for _, number := range []string{"Q-1", "Q-2"} {
		l.done("manager", "/contracts", map[string]any{"company": "10999001013", "number": number, "until": now().AddDate(1, 0, 0)})
	}
	h, company := House{App: l.app}, "10999001013"
	for cited, want := range map[string]web.ReceiptContract{
		"":                       {},
		"contract-10999001013@0": {Company: company, Number: "Q-1"},
		"contract-10999001013@1": {Company: company, Number: "Q-2"},
		"contract-10999001013@2": {Company: company},
		"contract-10999001013":   {Company: company},
	} {
		if got, err := h.contractOf(t.Context(), cited); got != want || err != nil {
			t.Errorf("%q: %+v, %v", cited, got, err)
		}
	}
	l.log.down.Store(true)
	if _, err := h.contractOf(t.Context(), "contract-10999001013@0"); !errors.Is(err, commands.ErrLogUnavailable) {
		t.Errorf("without a log: %v", err)
	}
}

// TestTheSimulatedBanksAreForDevelopment: elsewhere their address is none.
func TestTheSimulatedBanksAreForDevelopment(t *testing.T) {
	l := bare(t).open(t, House{})
	if a := l.ask("GET", "/dev/bank/bank1/start/A1", ""); a.StatusCode != 404 {
		t.Errorf("without a bank: %d", a.StatusCode)
	}
	banks := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.URL.Path) })
	l = bare(t).open(t, House{}, func(c *Config) { c.DevBank = banks })
	for _, method := range []string{"GET", "POST"} {
		if a := l.ask(method, "/dev/bank/bank1/start/A1", ""); a.StatusCode != 200 || string(a.body) != "/bank1/start/A1" {
			t.Errorf("%s: %d %s", method, a.StatusCode, a.body)
		}
	}
}
