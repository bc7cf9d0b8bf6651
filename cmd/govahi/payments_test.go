package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"govahi/adapters/payment/simulator"
	"govahi/commands"
	"govahi/queries"
)

// till is a bank outside the house: its book outlives the house's deaths.
type till struct {
	*simulator.Bank
	url string
}

func openBank(t *testing.T, face func(*simulator.Bank) http.Handler) till {
	b := simulator.New(func() time.Time { return time.Now().UTC() })
	server := httptest.NewServer(face(b))
	t.Cleanup(server.Close)
	return till{b, server.URL}
}

// gatewaysFile names two banks, as an operator would.
func gatewaysFile(t *testing.T, verifying, settling till) string {
	file := filepath.Join(t.TempDir(), "gateways.yaml")
	must(t, os.WriteFile(file, fmt.Appendf(nil, `
gateways:
  sade: {shape: verifying, api: %q, start: %q, merchant: {env: TEST_MERCHANT}}
  dogam: {shape: settling, service: %q, start: %q, terminal: "1", user: {env: TEST_MERCHANT}, password: {env: TEST_MERCHANT}}
`, verifying.url+"/api/", verifying.url+"/start/", settling.url+"/service", settling.url+"/start"), 0o600))
	return file
}

// paysOnline sends the story's applicant to a bank, and back with its answer.
func (s *story) paysOnline(ctx context.Context, bank till, provider string) error {
	var started commands.PaymentStarted
	err := s.post(ctx, "applicant", s.name+"-pay", "/requests/"+s.code+"/payments", map[string]string{"provider": provider}, &started)
	if err != nil {
		return err
	}
	reference := started.Page.Fields["RefId"]
	if reference == "" {
		reference = path.Base(started.Page.URL)
	}
	sale, ok := bank.Pay(reference)
	if !ok {
		return fmt.Errorf("the bank takes no money for %s", reference)
	}
	var answer *http.Response
	if provider == "dogam" {
		form := url.Values{}
		for name, value := range sale.Fields(true) {
			form.Set(name, value)
		}
		answer, err = http.PostForm(sale.Callback, form)
	} else {
		answer, err = http.Get(sale.Callback + "?Authority=" + sale.Reference + "&Status=OK&Extra=1")
	}
	if err == nil { // the house may have died over it: then the worker finishes
		_ = answer.Body.Close()
	}
	return nil
}

// TestGovahiKilledBetweenTheStepsOfAPayment: whoever paid has paid, once.
func TestGovahiKilledBetweenTheStepsOfAPayment(t *testing.T) {
	t.Parallel()
	steps := []string{"payment:attempted", "payment:noted", "payment:bank-verified", "payment:bank-settled", "payment:claimed", "payment:credited"}
	m := newMishaps(t, steps...)
	verifying, settling := openBank(t, simulator.Verifying), openBank(t, simulator.Settling)
	env := []string{m.env(), "GOVAHI_GATEWAYS=" + gatewaysFile(t, verifying, settling), "TEST_MERCHANT=merchant", "GOVAHI_PAYMENT_LOOK=1m"}
	i, l := begin(t, dataDir(t), env...), newLedger()
	for n, point := range steps {
		t.Run(point, func(t *testing.T) {
			bank, provider := verifying, "sade"
			if n%2 == 1 { // those of the shape that settles apart among them
				bank, provider = settling, "dogam"
			}
			s := l.telling(t, i, n)
			must(t, s.tell(t.Context(), untilReserved(s, n)[:6]))
			awaitFee(t, s, "raised")
			m.during(t, point, func(ctx context.Context) error { return s.paysOnline(ctx, bank, provider) }, func() {
				_ = i.over(t)
				i.again(t, env...)
			})
			paid := awaitFee(t, s, "settled")
			if paid.RRN == nil || *paid.Mode != "gateway" || *paid.Provider != provider || len(paid.Refunds) > 0 {
				t.Errorf("the fee is %+v", paid)
			}
		})
	}
	settled, held := map[string]bool{}, 0
	for _, e := range i.facts(t) {
		if e.Type == "fee.settled.v2" {
			if settled[e.Stream] {
				t.Errorf("%s was settled twice", e.Stream)
			}
			settled[e.Stream] = true
		}
	}
	for _, sale := range append(verifying.Sales(), settling.Sales()...) {
		if sale.Held() {
			held++
		}
	}
	if len(settled) != len(steps) || held != len(steps) {
		t.Errorf("%d fees are settled, and the banks hold %d payments", len(settled), held)
	}
	i.sameViews(t)
}

func awaitFee(t *testing.T, s *story, state string) (p queries.Payment) {
	t.Helper()
	err := s.until(t.Context(), func(ctx context.Context) (bool, error) {
		err := s.get(ctx, "applicant", "/requests/"+s.code+"/fee", &p)
		return p.State == state, waitsForFee(err)
	})
	if err != nil {
		t.Fatalf("the fee is %+v: %v", p, err)
	}
	return p
}

// waitsForFee takes a fee that is not raised yet for one that will be.
func waitsForFee(err error) error {
	if err != nil && strings.Contains(err.Error(), "fee-not-raised") {
		return nil
	}
	return err
}

// TestTheSimulatedBankTakesAPayersMoney in development: by its page, as a
// browser would, to the receipt.
func TestTheSimulatedBankTakesAPayersMoney(t *testing.T) {
	t.Parallel()
	i := begin(t, dataDir(t))
	for n, provider := range []string{"bank1", "bank2"} {
		s := newLedger().telling(t, i, n)
		must(t, s.tell(t.Context(), untilReserved(s, n)[:6]))
		awaitFee(t, s, "raised")
		var started commands.PaymentStarted
		must(t, s.post(t.Context(), "applicant", s.name+"-pay", "/requests/"+s.code+"/payments", map[string]string{"provider": provider}, &started))
		page, form := started.Page, url.Values{}
		for name, value := range page.Fields {
			form.Set(name, value)
		}
		if shown := browse(t, page.Method, page.URL, form); !strings.Contains(shown, "۳٬۴۴۵٬۱۱۰ ریال") || !strings.Contains(shown, `dir="rtl"`) {
			t.Fatalf("the bank shows %s", shown)
		}
		form.Set("act", "pay")
		shown := browse(t, "POST", page.URL, form)
		if provider == "bank2" { // which posts its answer
			for name, value := range hidden(shown) {
				form.Set(name, value)
			}
			_, rest, _ := strings.Cut(shown, `action="`)
			address, _, _ := strings.Cut(rest, `"`)
			shown = browse(t, "POST", address, form)
		}
		if !strings.Contains(shown, "پرداخت شد") {
			t.Fatalf("the payer is shown %s", shown)
		}
		awaitFee(t, s, "settled")
		receipt, err := s.raw(t.Context(), "applicant", "/requests/"+s.code+"/receipt.html")
		if err != nil || !strings.Contains(string(receipt), "سه میلیون و چهارصد و چهل و پنج هزار و صد و ده ریال") {
			t.Errorf("the receipt is %s, %v", receipt, err)
		}
	}
	i.sameViews(t)
}

func browse(t *testing.T, method, address string, form url.Values) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	must(t, err)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r.Body, r.ContentLength = nil, 0
	}
	r.Header.Set("Accept", "text/html")
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	defer answer.Body.Close()
	var b strings.Builder
	must(t, answer.Write(&b))
	return b.String()
}

// hidden are the hidden fields of a form.
func hidden(page string) map[string]string {
	fields := map[string]string{}
	for _, part := range strings.Split(page, `<input type="hidden" name="`)[1:] {
		name, rest, _ := strings.Cut(part, `" value="`)
		value, _, _ := strings.Cut(rest, `"`)
		fields[name] = value
	}
	return fields
}
