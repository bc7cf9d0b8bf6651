package payment_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"govahi/adapters/payment/simulator"
	"govahi/commands"
	"govahi/domain/enrollment"
	"govahi/domain/fault"
	"govahi/domain/fee"
	domain "govahi/domain/payment"
)

// faces are the shapes of gateways, each with its bank.
var faces = map[string]func(*simulator.Bank) http.Handler{"bank1": simulator.Verifying, "bank2": simulator.Settling}

// via serves whichever book is open now.
func via(bank func() *simulator.Bank, face func(*simulator.Bank) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { face(bank()).ServeHTTP(w, r) })
}

const code = "140512345670"

// away is a payer at a bank's page.
type away struct {
	*house
	bank, attempt, reference string
}

func (h *house) goesTo(bank, key string) away {
	h.t.Helper()
	started, err := h.start(code, bank, key)
	if err != nil {
		h.t.Fatalf("%v", err)
	}
	return away{h, bank, started.Attempt, reference(started.Page)}
}

// pays returns what the bank tells of it.
func (a away) pays() map[string]string {
	a.t.Helper()
	s, ok := a.banks[a.bank].Pay(a.reference)
	if !ok {
		a.t.Fatalf("the bank takes no money")
	}
	return fieldsOf(a.bank, s, true)
}

func (a away) now() domain.Payment { return state(a.house, domain.Kind, a.attempt) }

// onEach runs a story at a bank of each shape.
func onEach(t *testing.T, story func(t *testing.T, h *house, bank string)) {
	s := serve(t)
	for bank := range faces {
		t.Run(bank, func(t *testing.T) {
			h := s.house(t)
			h.order(code)
			story(t, h, bank)
			h.tillTheEnd()
			if err := judged(h); err != nil {
				t.Error(err)
			}
		})
	}
}

func (h *house) settled() bool { return state(h, fee.Kind, code).Settled != nil }

func TestAPaymentSettlesTheFee(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		if again := h.goesTo(bank, "k"); again != a {
			t.Errorf("asked again: %+v, not %+v", again, a)
		}
		shown, err := h.comesBack(a.attempt, a.pays())
		if err != nil || shown.Status != domain.StatusDone || shown.Order != code || shown.RRN == "" {
			t.Fatalf("shown %+v, %v", shown, err)
		}
		s := state(h, fee.Kind, code)
		if s.Settled == nil || s.Settled.Payment.AmountRial != amount || s.Settled.Payment.RRN != shown.RRN || s.Status() != fee.StatusSettled {
			t.Errorf("the fee is %+v", s)
		}
		if _, err := h.start(code, bank, "another"); !errors.Is(err, fee.ErrSettled) {
			t.Errorf("another payment: %v", err)
		}
	})
}

func TestACallbackTwiceIsOnePayment(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		fields := a.pays()
		h.banks[bank].Misbehave("verify", simulator.Again, simulator.Again)
		for range 3 {
			if _, err := h.comesBack(a.attempt, fields); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestAForgedCallbackSettlesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		forged := map[string]string{"Status": "OK", "ResCode": "0", "SaleReferenceId": "799999999999"}
		if shown, err := h.comesBack(a.attempt, forged); err != nil || h.settled() || shown.Status.Over() {
			t.Errorf("forged before the payment: %+v, %v", shown, err)
		}
		fields := a.pays() // and the forged hint hides the right one from nobody
		if shown, err := h.comesBack(a.attempt, fields); err != nil || !h.settled() {
			t.Errorf("then paid: %+v, %v", shown, err)
		}
		for _, token := range []string{"", "0", strings.Repeat("0", 32)} {
			if _, err := h.PaymentCallback(t.Context(), a.attempt, token, fields); !errors.Is(err, commands.ErrNoAttempt) {
				t.Errorf("a guessed address: %v", err)
			}
		}
	})
}

func TestAPaymentThatIsCancelledLeavesTheFeeDue(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		s, _ := h.banks[bank].Cancel(a.reference)
		if shown, err := h.comesBack(a.attempt, fieldsOf(bank, s, false)); err != nil || h.settled() || shown.Status == domain.StatusDone {
			t.Errorf("shown %+v, %v", shown, err)
		}
		b := h.goesTo(bank, "another") // at once
		if _, err := h.comesBack(b.attempt, b.pays()); err != nil || !h.settled() {
			t.Errorf("the second try: %v", err)
		}
	})
}

// TestAChangedAmountIsGivenBack: the bank compares with ours.
func TestAChangedAmountIsGivenBack(t *testing.T) {
	h := serve(t).house(t)
	h.order(code)
	a := h.goesTo("bank1", "k")
	h.banks["bank1"].Misbehave("pay", simulator.Less)
	shown, err := h.comesBack(a.attempt, a.pays())
	if err != nil || shown.Status != domain.StatusFailed || h.settled() || h.banks["bank1"].Sales()[0].Held() {
		t.Errorf("shown %+v, %v", shown, err)
	}
}

// TestAPayerWhoNeverComesBack is found by the worker where the bank can be
// asked, and is given his money back by the bank where it cannot.
func TestAPayerWhoNeverComesBack(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		a.pays()
		h.work()
		if a.now().Status != domain.StatusAway {
			t.Errorf("at once it is %s", a.now().Status)
		}
		h.pass(commands.DefaultLook)
		h.tillTheEnd()
		if want := bank == "bank1"; h.settled() != want {
			t.Errorf("settled: %v, %s", !want, a.now().Status)
		}
	})
	onEach(t, func(t *testing.T, h *house, bank string) { // who never paid
		a := h.goesTo(bank, "k")
		h.tillTheEnd()
		if a.now().Status != domain.StatusGone || state(h, fee.Kind, code).Status() != fee.StatusRaised {
			t.Errorf("it is %s", a.now().Status)
		}
	})
}

// TestABankThatFailsIsAskedAgain: broken, unintelligible, or done with the
// answer lost, at each operation.
func TestABankThatFailsIsAskedAgain(t *testing.T) {
	for _, trouble := range []simulator.Trouble{simulator.Broken, simulator.Garbage, simulator.Lost} {
		for _, operation := range []string{"verify", "settle", "inquiry"} {
			t.Run(fmt.Sprint(trouble, " ", operation), func(t *testing.T) {
				onEach(t, func(t *testing.T, h *house, bank string) {
					a := h.goesTo(bank, "k")
					h.banks[bank].Misbehave(operation, trouble, trouble)
					if _, err := h.comesBack(a.attempt, a.pays()); err != nil {
						t.Fatalf("the payer is told of the bank's trouble: %v", err)
					}
					h.pass(time.Minute)
					h.tillTheEnd()
					if !h.settled() {
						t.Errorf("it is %s", a.now().Status)
					}
				})
			})
		}
		t.Run(fmt.Sprint(trouble, " request"), func(t *testing.T) {
			onEach(t, func(t *testing.T, h *house, bank string) {
				h.banks[bank].Misbehave("request", trouble)
				if _, err := h.start(code, bank, "k"); !errors.Is(err, commands.ErrGateway) {
					t.Errorf("got %v", err)
				}
				b := h.goesTo(bank, "another")
				if _, err := h.comesBack(b.attempt, b.pays()); err != nil || !h.settled() {
					t.Errorf("the next try: %v", err)
				}
			})
		})
	}
}

// TestAYesAfterTheReversalIsNotBelieved: the answer took so long that the bank
// gave the money back meanwhile.
func TestAYesAfterTheReversalIsNotBelieved(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		fields := a.pays()
		h.pass(commands.DefaultEnd - time.Second)
		h.banks[bank].Delay = func() {
			h.pass(6 * time.Minute)
			h.banks[bank].TakeBack(a.reference)
		}
		h.banks[bank].Misbehave("verify", simulator.Lies)
		if _, err := h.comesBack(a.attempt, fields); err != nil {
			t.Fatal(err)
		}
		h.tillTheEnd()
		if h.settled() || !a.now().Status.Over() {
			t.Errorf("settled with money that went back; %s", a.now().Status)
		}
	})
}

// TestAVerificationWhoseAnswerGotLostIsFoundAfterTheEnd: it was begun in time,
// so the money is ours.
func TestAVerificationWhoseAnswerGotLostIsFoundAfterTheEnd(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		fields := a.pays()
		h.pass(commands.DefaultEnd - time.Second)
		h.banks[bank].Misbehave("verify", simulator.Lost)
		if _, err := h.comesBack(a.attempt, fields); err != nil || a.now().Status != domain.StatusCheck {
			t.Fatalf("%s, %v", a.now().Status, err)
		}
		h.tillTheEnd()
		if !h.settled() {
			t.Errorf("it is %s", a.now().Status)
		}
	})
}

// TestWhatWasNotVerifiedInTimeIsGivenBack: the verification never reached the
// bank, and none is sent again.
func TestWhatWasNotVerifiedInTimeIsGivenBack(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		h.pass(commands.DefaultEnd - time.Second)
		fields := a.pays()
		h.banks[bank].Misbehave("verify", simulator.Broken)
		if _, err := h.comesBack(a.attempt, fields); err != nil {
			t.Fatal(err)
		}
		h.tillTheEnd()
		if s, _ := h.banks[bank].Find(a.reference); h.settled() || a.now().Status != domain.StatusReversed || s.Held() {
			t.Errorf("it is %s", a.now().Status)
		}
	})
}

func TestNothingIsVerifiedAfterTheEnd(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		fields := a.pays()
		h.pass(commands.DefaultEnd)
		if shown, err := h.comesBack(a.attempt, fields); err != nil || h.settled() || shown.Status != domain.StatusGone {
			t.Errorf("shown %+v, %v", shown, err)
		}
		if h.banks[bank].Sales()[0].Held() {
			t.Error("the bank was asked to verify")
		}
	})
}

// TestASaleThatTheBankTookBackIsNotSettled: verified, and given back before it
// was settled.
func TestASaleThatTheBankTookBackIsNotSettled(t *testing.T) {
	h := serve(t).house(t)
	h.order(code)
	a := h.goesTo("bank2", "k")
	h.banks["bank2"].Misbehave("settle", simulator.Broken)
	if _, err := h.comesBack(a.attempt, a.pays()); err != nil || a.now().Status != domain.StatusVerified {
		t.Fatalf("%s, %v", a.now().Status, err)
	}
	h.banks["bank2"].TakeBack(a.reference)
	h.tillTheEnd()
	if h.settled() || a.now().Status != domain.StatusReversed {
		t.Errorf("it is %s", a.now().Status)
	}
}

func TestASecondPaymentIsARefundCase(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		first, second := h.goesTo(bank, "k"), h.goesTo(bank, "l")
		for _, a := range []away{first, second} {
			if _, err := h.comesBack(a.attempt, a.pays()); err != nil {
				t.Fatal(err)
			}
		}
		s := state(h, fee.Kind, code)
		if s.Settled == nil || s.Settled.Payment.Attempt != first.attempt || len(s.Refunds) != 1 ||
			s.Refunds[0].Opened.Payment.Attempt != second.attempt || s.Refunds[0].Opened.Cause != fee.SecondPayment {
			t.Errorf("the fee is %+v", s)
		}
	})
}

func TestMoneyAfterTheEndOfTheRequestIsARefundCase(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		put(h, enrollment.Kind, code, enrollment.Withdrawn{By: payer, At: noon})
		h.work()
		if _, err := h.comesBack(a.attempt, a.pays()); err != nil {
			t.Fatal(err)
		}
		s := state(h, fee.Kind, code)
		if s.Settled != nil || len(s.Refunds) != 1 || s.Refunds[0].Opened.Cause != fee.Withdrawn {
			t.Errorf("the fee is %+v", s)
		}
		if _, err := h.start(code, bank, "l"); err == nil {
			t.Error("another payment was begun")
		}
	})
}

// TestOneReferenceSettlesOneOrder also when the bank gives it to two.
func TestOneReferenceSettlesOneOrder(t *testing.T) {
	onEach(t, func(t *testing.T, h *house, bank string) {
		a := h.goesTo(bank, "k")
		if _, err := h.comesBack(a.attempt, a.pays()); err != nil {
			t.Fatal(err)
		}
		other := h.order("140598765432")
		h.banks[bank].Misbehave("pay", simulator.Alike)
		started, err := h.start(other, bank, "o")
		if err != nil {
			t.Fatal(err)
		}
		s, _ := h.banks[bank].Pay(reference(started.Page))
		if _, err := h.comesBack(started.Attempt, fieldsOf(bank, s, true)); err != nil {
			t.Fatal(err)
		}
		o := state(h, fee.Kind, other)
		if o.Settled != nil || len(o.Refunds) != 1 || o.Refunds[0].Opened.Cause != fee.ReferenceUsed {
			t.Errorf("the other order is %+v", o)
		}
	})
}

// points are the steps between which a process may die.
var points = []string{
	"payment:requested", "payment:attempted", "payment:opened", "payment:noted", "payment:redirected-on", "payment:bank-verified",
	"payment:verifying-on", "payment:bank-settled", "payment:verified-on", "payment:claimed", "payment:credited", "payment:settled-on",
}

// TestACrashBetweenAnyTwoStepsLosesNothing: the process dies at each point, and
// whoever comes next finishes: the payer with the same key, or the worker.
func TestACrashBetweenAnyTwoStepsLosesNothing(t *testing.T) {
	for _, point := range points {
		t.Run(point, func(t *testing.T) {
			onEach(t, func(t *testing.T, h *house, bank string) {
				h.crash = point
				var started commands.PaymentStarted
				crashed, err := dying(func() (err error) { started, err = h.start(code, bank, "k"); return err })
				if crashed {
					started, err = h.start(code, bank, "k")
				}
				if err != nil { // the bank knows the number already: the payer begins anew
					if point != "payment:opened" || bank != "bank2" {
						t.Fatal(err)
					}
					started, err = h.start(code, bank, "l")
				}
				if err != nil {
					t.Fatal(err)
				}
				a := away{h, bank, started.Attempt, reference(started.Page)}
				fields := a.pays()
				if _, err := dying(func() error { _, err := h.comesBack(a.attempt, fields); return err }); err != nil {
					t.Fatal(err)
				}
				if h.crash != "" && (bank == "bank2" || point != "payment:bank-settled" && point != "payment:settled-on") {
					t.Errorf("nothing happens at %s", point)
				}
				h.pass(time.Minute)
				h.tillTheEnd()
				if !h.settled() {
					t.Errorf("it is %s", a.now().Status)
				}
			})
		})
	}
}

// TestAnyOrderOfThings draws what payers, banks, crashes and the clock do, and
// judges the bare history by the banks' own books.
func TestAnyOrderOfThings(t *testing.T) {
	s := serve(t)
	seen := map[string]int{}
	rapid.Check(t, func(rt *rapid.T) {
		c := crowd{rt: rt, house: s.house(rt), fields: map[string]map[string]string{}}
		for _, order := range orders {
			c.order(order)
		}
		for range rapid.IntRange(1, 40).Draw(rt, "acts") {
			c.something()
		}
		c.crash = ""
		for _, b := range c.banks {
			b.Behave()
		}
		c.tillTheEnd()
		if err := judged(c.house); err != nil {
			rt.Fatal(err)
		}
		for r := range c.log.ReadAll(context.Background(), 0) {
			seen[r.Type]++
		}
	})
	for _, name := range []string{
		"fee.settled.v2", "fee.surplus-noted.v1", "fee.refund-opened.v1", "payment.failed.v1", "payment.reversed.v1", "payment.gone.v1",
		"payment.done.v1", "payment.bank-settled.v1", "payment.postponed.v1", "fee.payment-failed.v1", "fee.payment-expired.v1",
	} {
		if seen[name] == 0 {
			t.Errorf("%s never happened: this test does not look there", name)
		}
	}
}

var orders = []string{code, "140598765432"}

type crowd struct {
	*house
	rt     *rapid.T
	aways  []away
	fields map[string]map[string]string // by attempt: what its bank told the payer
	taken  bool                         // a bank took something back before its time
}

func (c *crowd) one(what string, of ...string) string { return rapid.SampledFrom(of).Draw(c.rt, what) }

func (c *crowd) something() {
	bank := c.one("bank", "bank1", "bank2")
	switch c.one("act", "start", "start", "start", "payer", "payer", "payer", "payer", "payer", "payer", "payer", "work", "work", "time", "trouble", "crash", "end") {
	case "start":
		c.keys++
		key := fmt.Sprint("key-", rapid.IntRange(max(1, c.keys-1), c.keys).Draw(c.rt, "key"))
		c.starts(c.one("order", orders...), bank, key)
	case "work":
		c.work()
	case "time":
		c.pass(time.Duration(rapid.IntRange(1, 600).Draw(c.rt, "seconds")) * time.Second)
	case "trouble":
		c.trouble(bank)
	case "crash":
		c.crash = c.one("point", points...)
	case "end":
		put(c.house, enrollment.Kind, c.one("order", orders...), enrollment.Rejected{Reason: enrollment.NotEntitled, At: c.clock})
	case "payer":
		if len(c.aways) > 0 {
			c.acts(c.aways[rapid.IntRange(0, len(c.aways)-1).Draw(c.rt, "who")])
		}
	}
}

func (c *crowd) trouble(bank string) {
	operation := c.one("operation", "request", "pay", "verify", "settle", "inquiry", "reverse")
	kinds := []simulator.Trouble{simulator.Broken, simulator.Garbage, simulator.Lost, simulator.Slow}
	switch operation {
	case "pay":
		kinds = []simulator.Trouble{simulator.Alike}
		if bank == "bank1" {
			kinds = append(kinds, simulator.Less)
		}
	case "verify":
		kinds = append(kinds, simulator.Again)
		if !c.taken { // else it would be a lie that no inquiry could tell
			kinds = append(kinds, simulator.Lies)
		}
	}
	c.banks[bank].Misbehave(operation, rapid.SampledFrom(kinds).Draw(c.rt, "trouble"))
}

func (c *crowd) starts(order, bank, key string) {
	var started commands.PaymentStarted
	crashed, err := dying(func() (err error) { started, err = c.start(order, bank, key); return err })
	switch f, refused := fault.Of(err); {
	case crashed:
	case refused && f.Kind != fault.Internal:
	case err != nil:
		c.rt.Fatalf("start: %v", err)
	default:
		asked := state(c.house, domain.Kind, started.Attempt).Requested.Provider
		c.aways = append(c.aways, away{c.house, asked, started.Attempt, reference(started.Page)})
	}
}

func (c *crowd) acts(a away) {
	switch c.one("of the payer", "pays", "pays", "cancels", "is back", "is back", "forges", "is taken back from") {
	case "pays":
		if s, ok := c.banks[a.bank].Pay(a.reference); ok {
			c.fields[a.attempt] = fieldsOf(a.bank, s, true)
		}
	case "cancels":
		if s, ok := c.banks[a.bank].Cancel(a.reference); ok {
			c.fields[a.attempt] = fieldsOf(a.bank, s, false)
		}
	case "is back":
		c.calls(a, c.fields[a.attempt])
	case "forges":
		c.calls(a, map[string]string{"Status": "OK", "ResCode": "0", "SaleReferenceId": "799999999999"})
	case "is taken back from": // before it is ours for good
		if a.bank == "bank2" || c.unpaid(a) {
			c.taken = true
			c.banks[a.bank].Behave()
			c.banks[a.bank].TakeBack(a.reference)
		}
	}
}

func (c *crowd) unpaid(a away) bool {
	s, _ := c.banks[a.bank].Find(a.reference)
	return !s.Held()
}

func (c *crowd) calls(a away, fields map[string]string) {
	if _, err := dying(func() error { _, err := c.comesBack(a.attempt, fields); return err }); err != nil {
		c.rt.Fatalf("callback: %v", err)
	}
}

// judged holds the history against the banks' books: each order is settled once
// and by money that is held; each reference settles once; and whatever a bank
// holds has settled its order, or is a refund case.
func judged(h *house) error {
	settledBy, known := map[string]string{}, map[string][]string{}
	settledOrders := map[string]int{}
	for r, err := range h.log.ReadAll(context.Background(), 0, "fee.") {
		if err != nil {
			return err
		}
		e, err := fee.Catalog.Open(r)
		if err != nil {
			return err
		}
		switch e := e.(type) {
		case fee.Settled:
			key := e.Payment.Provider + "/" + e.Payment.RRN
			if settledBy[key] != "" || settledOrders[e.Order] > 0 {
				return fmt.Errorf("%s settled a second time, by %s", e.Order, key)
			}
			settledBy[key], settledOrders[e.Order] = e.Order, 1
			known[e.Order] = append(known[e.Order], key)
		case fee.RefundOpened:
			known[e.Order] = append(known[e.Order], e.Payment.Provider+"/"+e.Payment.RRN)
		}
	}
	return errors.Join(h.heldIsKnown(known), h.settledIsHeld(settledBy))
}

func (h *house) heldIsKnown(known map[string][]string) error {
	for bank, book := range h.banks {
		for _, s := range book.Sales() {
			order := state(h, domain.Kind, attemptOf(s)).Requested.Order
			if s.Held() && !slices.Contains(known[order], bank+"/"+s.RRN) {
				return fmt.Errorf("%s holds %s for %s, and nobody knows: %+v", bank, s.RRN, order, state(h, domain.Kind, attemptOf(s)))
			}
		}
	}
	return nil
}

func (h *house) settledIsHeld(settledBy map[string]string) error {
	for key, order := range settledBy {
		bank, rrn, _ := strings.Cut(key, "/")
		held := slices.ContainsFunc(h.banks[bank].Sales(), func(s simulator.Sale) bool {
			return s.Held() && s.RRN == rrn && s.Paid == amount && state(h, domain.Kind, attemptOf(s)).Requested.Order == order
		})
		if !held {
			return fmt.Errorf("%s was settled by %s, which the bank does not hold", order, key)
		}
	}
	return nil
}

// attemptOf is the attempt whose callback the bank has.
func attemptOf(s simulator.Sale) string {
	return strings.Split(s.Callback, "/")[4]
}
