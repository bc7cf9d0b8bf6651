package http

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/enrollment"
	domainpayment "govahi/domain/payment"
)

// away is a bank that takes payments, and then does not answer.
type away struct {
	paying
	asked *atomic.Int64
}

func (b away) Verify(context.Context, commands.GatewayPayment) (commands.Verdict, error) {
	b.asked.Add(1)
	return commands.Verdict{}, errors.New("no answer")
}

func (b away) Inquire(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	b.asked.Add(1)
	return "", errors.New("no answer")
}

// atTheOffice is somebody's request whose fee is due.
func (l *life) atTheOffice(persona string) string {
	l.t.Helper()
	var opened TrackingCode
	a, _ := l.done(persona, "/requests", map[string]string{"channel": "outside", "certificateType": "cpmis-signature"})
	a.json(l.t, &opened)
	code, in := opened.TrackingCode, form()
	in.PersonCode = personOf(persona)
	l.done(persona, "/requests/"+code+"/form", in)
	l.done(persona, "/requests/"+code+"/email-confirmation", map[string]string{"code": l.app.EmailCode(enrollment.Kind.Stream(code), 1)})
	l.done(persona, "/requests/"+code+"/liability", notice())
	l.done(persona, "/requests/"+code+"/submission", inOffice1())
	return code
}

// callback begins a payment and returns its attempt and the address that its bank
// is told.
func (l *life) callback(persona, code string) (attempt, address string) {
	l.t.Helper()
	var started commands.PaymentStarted
	a, _ := l.done(persona, "/requests/"+code+"/payments", map[string]string{"provider": "bank1"})
	a.json(l.t, &started)
	return started.Attempt, fmt.Sprintf("/payments/%s/callback/%x", started.Attempt, keyed{}.Derive("payment-callback", started.Attempt)[:16])
}

// TestAFloodOfCallbacksKeepsNobodyElseAway: neither invented addresses nor one
// that is repeated, all from one network, as a bank's are. The bank is not asked
// for what is refused, and the payment goes on without it.
func TestAFloodOfCallbacksKeepsNobodyElseAway(t *testing.T) {
	l := bare(t).open(t, House{}, threeAnHour)
	l.settled()
	asked := &atomic.Int64{}
	l.app.Gateways.Named["bank1"] = away{paying{}, asked}
	flooded, address := l.callback("applicant", l.atTheOffice("applicant"))
	_, other := l.callback("applicant-2", l.atTheOffice("applicant-2"))
	wrong := strings.Replace(address, "/callback/", "/callback/00", 1)[:len(address)]
	before := l.head()
	for range 50 {
		if p := l.get("", wrong+"?Status=OK").problem(t); p.Status != 404 {
			t.Fatalf("an invented address: %+v", p)
		}
	}
	if l.head() != before || asked.Load() != 0 {
		t.Error("an invented address did something")
	}
	for n := range 10 {
		ask := func() answer { return l.get("", address+"?Status=OK") }
		if n%2 == 1 {
			ask = func() answer { return l.ask("POST", address, "status=OK", "Content-Type", formType) }
		}
		a := ask()
		switch {
		case n < 3 && a.StatusCode != 200:
			t.Errorf("callback %d: %d %s", n, a.StatusCode, a.body)
		case n >= 3 && (a.StatusCode != 429 || a.Header.Get("Retry-After") == ""):
			t.Errorf("callback %d: %d", n, a.StatusCode)
		}
		if n == 2 {
			before = l.head()
		}
	}
	if n := asked.Load(); n == 0 || n > 6 || l.head() != before {
		t.Errorf("the bank was asked %d times, or something more was stored", n)
	}
	l.app.Gateways.Named["bank1"] = paying{}
	if a := l.get("", other+"?Status=OK"); a.StatusCode != 200 || !strings.Contains(string(a.body), "پرداخت شد") {
		t.Errorf("the other payer: %d %s", a.StatusCode, a.body)
	}
	l.app.Clock = func() time.Time { return now().Add(commands.DefaultLook) }
	if err := l.app.ReconcilePayment(t.Context(), commands.Caller{Policy: "reconcile"}, flooded); err != nil {
		t.Fatal(err)
	}
	if s := folded(&prepared{life: l}, domainpayment.Kind, flooded); s.Status != domainpayment.StatusDone {
		t.Errorf("what was flooded is %s", s.Status)
	}
}

// counting is a bank of which every payment has a reference of its own.
type counting struct {
	paying
	paid *atomic.Int64
}

func (b counting) Verify(ctx context.Context, p commands.GatewayPayment) (commands.Verdict, error) {
	v, err := b.paying.Verify(ctx, p)
	v.Money.RRN = fmt.Sprint(700000000000 + b.paid.Add(1))
	return v, err
}

// declining is a bank at which every payment has failed.
type declining struct{ paying }

func (declining) Verify(context.Context, commands.GatewayPayment) (commands.Verdict, error) {
	return commands.Verdict{Standing: commands.Declined}, nil
}

func (declining) Inquire(context.Context, commands.GatewayPayment) (commands.PaymentStanding, error) {
	return commands.Declined, nil
}

// TestWhoComesBackToASettledFeeIsNotSentToPayAgain: neither by an attempt that
// failed, nor by a second payment, which goes back.
func TestWhoComesBackToASettledFeeIsNotSentToPayAgain(t *testing.T) {
	l := bare(t).open(t, House{})
	l.settled()
	code := l.atTheOffice("applicant")
	_, first := l.callback("applicant", code)
	_, second := l.callback("applicant", code)
	_, third := l.callback("applicant", code)
	bank := counting{paying{}, &atomic.Int64{}}
	for _, back := range []struct {
		at, address string
		bank        commands.Gateway
		want        string
	}{
		{"the payment", second, bank, "<strong>پرداخت شد</strong>"},
		{"a failure", first, declining{}, "<strong>پیش‌تر پرداخت شده است</strong>"},
		{"the failure again", first, declining{}, "<strong>پیش‌تر پرداخت شده است</strong>"},
		{"a second payment", third, bank, "<strong>دو بار پرداخت شد</strong>"},
	} {
		l.app.Gateways.Named["bank1"] = back.bank
		if a := l.get("", back.address+"?Status=OK"); a.StatusCode != 200 || !strings.Contains(string(a.body), back.want) {
			t.Errorf("%s: %d %s", back.at, a.StatusCode, a.body)
		}
	}
}
