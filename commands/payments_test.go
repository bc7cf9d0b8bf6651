package commands_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"govahi/commands"
	"govahi/domain/contract"
	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/fee"
	"govahi/domain/iran"
	"govahi/domain/payment"
)

var contracted = commands.ConcludeContract{Company: "۱۰۹۹۹۰۰۱۰۱۳", Number: "Q-1", Until: noon.AddDate(1, 0, 0)}

func (r *request) contract() {
	r.did(r.ConcludeContract(r.t.Context(), r.by(manager), contracted))
}

// insideUnderContract makes the request one of the inside channel, as its story
// has it, and lets its company have a contract.
func (r *request) insideUnderContract() {
	r.contract()
	r.inside()
}

// inside tells the request's story anew in another stream's place: the channel
// is fixed when a request is opened.
func (r *request) inside() {
	r.t.Helper()
	before := r.now()
	form, err := before.Form.Form.Open(r.t.Context(), r.keeper)
	if err != nil {
		r.t.Fatal(err)
	}
	person := before.Form.Person
	r.code = iran.TrackingCode(1405, 77)
	put(r.house, enrollment.Kind, r.request(),
		enrollment.Opened{TrackingCode: r.code, Channel: enrollment.Inside, CertificateType: before.CertificateType, OpenedBy: person, At: noon},
		enrollment.FormCompleted{Version: 1, Person: person, Organization: before.Form.Organization, EnteredBy: person, Form: event.About(person, form), At: noon})
	r.settle()
	put(r.house, enrollment.Kind, r.request(), enrollment.EmailConfirmed{At: noon}, enrollment.LiabilityAccepted{FormVersion: 1, At: noon},
		enrollment.Submitted{Office: "office-1", FormVersion: 1, At: noon})
	r.settle()
}

// rejectedAfterPayment leaves a refund case.
func (r *request) rejectedAfterPayment() {
	r.rejected()
	r.settle()
}

func (r *request) start(c commands.Caller) (commands.PaymentStarted, error) {
	_, started, err := r.StartPayment(r.t.Context(), c, r.code, commands.StartPayment{Provider: "bank1"})
	return started, err
}

func (r *request) attempt(s commands.PaymentStarted) payment.Payment {
	return state(r.house, payment.Kind, payment.Kind.Stream(s.Attempt))
}

func TestAContractSettlesTheFeeOfTheInsideChannel(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusUnderControl)
	r.refused(errOf("contract-not-for-channel"), func() error {
		_, err := r.SettleByContract(t.Context(), r.by(officer), r.code, price)
		return err
	})
	r.inside()
	by := func(amount int64) error {
		_, err := r.SettleByContract(t.Context(), r.by(officer), r.code, amount)
		return err
	}
	r.refused(contract.ErrNone, func() error { return by(price) })
	r.contract()
	r.refused(fee.ErrAmount, func() error { return by(price - 1) })
	r.clock.pass(366 * 24 * time.Hour)
	for _, person := range []string{manager} { // posts ended with the year
		r.clock.now = noon
		r.did(r.EndContract(t.Context(), r.by(person), contracted.Company))
	}
	r.refused(contract.ErrNone, func() error { return by(price) })
	r.contract()
	if err := by(price); err != nil {
		t.Fatal(err)
	}
	p := r.fee().Settled.Payment
	if p.Mode != fee.Contract || p.Contract != "contract-10999001013@2" || p.AmountRial != price {
		t.Errorf("settled by %+v", p)
	}
	if r.settle(); r.now().Fee.AmountRial != price {
		t.Error("the record does not know")
	}
}

// TestAPolicyMaySettleByContract, and leaves what is settled as it is.
func TestAPolicyMaySettleByContract(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusUnderControl)
	r.insideUnderContract()
	c := commands.Caller{Policy: "settle-fee-on-approved", Key: "e1"}
	for range 2 {
		if err := r.SettleFeeByContract(t.Context(), c, r.request()); err != nil {
			t.Fatal(err)
		}
	}
	if names := r.names(fee.Kind.Stream(r.code)); names != "raised settled" {
		t.Errorf("the fee: %s", names)
	}
}

func TestAContractIsACompanys(t *testing.T) {
	h := open(t)
	for _, company := range []string{"", "1", "9992009098", "abc"} {
		in := contracted
		in.Company = company
		h.refused(iran.ErrCompanyID, func() error { _, err := h.ConcludeContract(t.Context(), h.by(manager), in); return err })
	}
	past := contracted
	past.Until = noon
	h.refused(contract.ErrEnd, func() error { _, err := h.ConcludeContract(t.Context(), h.by(manager), past); return err })
	unnumbered := contracted
	unnumbered.Number = "  "
	h.refused(contract.ErrNumber, func() error { _, err := h.ConcludeContract(t.Context(), h.by(manager), unnumbered); return err })
	h.refused(contract.ErrNone, func() error { _, err := h.EndContract(t.Context(), h.by(manager), contracted.Company); return err })
}

// errOf is a fault of a code, whatever its texts.
func errOf(code string) error { return &fault.Fault{Code: code} }

func TestARejectionAfterThePaymentIsARefundCase(t *testing.T) {
	for name, end := range map[string]func(*request){"rejected": (*request).rejected, "withdrawn": (*request).withdrawn} {
		t.Run(name, func(t *testing.T) {
			r := open(t).draft(applicant).upTo(enrollment.StatusControlled)
			end(r)
			r.settle()
			s := r.fee()
			if len(s.Refunds) != 1 || s.Refunds[0].Opened.Cause != fee.Cause(name) || s.Status() != fee.StatusRefundDue {
				t.Fatalf("the fee is %+v", s)
			}
			back := func(c commands.Caller, in commands.RecordRefund) error {
				_, err := r.RecordRefund(t.Context(), c, r.code, in)
				return err
			}
			r.refused(fee.ErrRefund, func() error { return back(r.by(officer), commands.RecordRefund{Number: 2, Reference: "H-1"}) })
			for _, wrong := range unseen {
				r.refused(errOf("transfer-invalid"), func() error { return back(r.by(officer), commands.RecordRefund{Number: 1, Reference: wrong}) })
			}
			if err := back(r.by(manager), commands.RecordRefund{Number: 1, Reference: "H-1"}); err != nil {
				t.Fatal(err)
			}
			if s := r.fee(); s.Status() != fee.StatusRefunded {
				t.Errorf("then it is %s", s.Status())
			}
			r.refused(fee.ErrRefunded, func() error { return back(r.by(officer), commands.RecordRefund{Number: 1, Reference: "H-2"}) })
		})
	}
}

// unseen are numbers that nobody could read from a receipt or write again.
var unseen = []string{"", " ", "-", "\u200c", "a\nb", "H-1\t", "\u202eabc", "\u001b[31m", "\u2800", "١\u064b", "H-1;", strings.Repeat("9", 41)}

func TestAContractsNumberIsOneThatCanBeRead(t *testing.T) {
	h := open(t)
	conclude := func(number string) error {
		in := contracted
		in.Number = number
		_, err := h.ConcludeContract(t.Context(), h.by(manager), in)
		return err
	}
	for _, wrong := range unseen {
		h.refused(contract.ErrNumber, func() error { return conclude(wrong) })
	}
	for written, kept := range map[string]string{" Q-1 ": "Q-1", "ق-۱۴۰۵/۱۲.۳": "ق-۱۴۰۵/۱۲.۳", "نفت كيش 7": "نفت کیش 7"} {
		if err := conclude(written); err != nil {
			t.Errorf("%q: %v", written, err)
		}
		if got := state(h, contract.Kind, contract.Kind.Stream(company)).Concluded.Number; got != kept {
			t.Errorf("%q was kept as %q", written, got)
		}
	}
}

// TestATransferGivesMoneyBackOnce: one transfer closes one refund case, however its
// number is spelled.
func TestATransferGivesMoneyBackOnce(t *testing.T) {
	h := open(t)
	first := h.draft(applicant).upTo(enrollment.StatusControlled)
	other := h.draft(neighbour).upTo(enrollment.StatusControlled)
	for _, r := range []*request{first, other} {
		r.rejected()
		r.settle()
	}
	back := func(r *request, reference string) error {
		_, err := r.RecordRefund(t.Context(), h.by(officer), r.code, commands.RecordRefund{Number: 1, Reference: reference})
		return err
	}
	if err := back(first, "H-900 1"); err != nil {
		t.Fatal(err)
	}
	for _, spelled := range []string{"H-9001", "h-۹۰۰۱"} {
		h.refused(fee.ErrTransferUsed, func() error { return back(other, spelled) })
	}
	if s := other.fee(); s.Status() != fee.StatusRefundDue {
		t.Errorf("the other's fee is %s", s.Status())
	}
	if err := back(other, "H-9002"); err != nil {
		t.Fatal(err)
	}
}

// TestTheCompanyPaysInsideTheIndustry, and nobody for it (domain §1, A2).
func TestTheCompanyPaysInsideTheIndustry(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusUnderControl)
	r.inside()
	r.refused(errOf("paid-by-contract"), func() error { return r.pay(r.by(officer), slip("5001")) })
	r.refused(errOf("paid-by-contract"), func() error {
		_, _, err := r.StartPayment(t.Context(), r.by(applicant), r.code, commands.StartPayment{Provider: "bank1"})
		return err
	})
}

// TestASlipOfARequestThatIsOver: the money was taken, and goes back.
func TestASlipOfARequestThatIsOver(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusUnderControl)
	r.rejected()
	r.settle()
	if err := r.pay(r.by(officer), slip("5001")); err != nil {
		t.Fatal(err)
	}
	if s := r.fee(); s.Settled != nil || len(s.Refunds) != 1 || s.Status() != fee.StatusClosed {
		t.Errorf("the fee is %+v", s)
	}
}

func TestACardIsWrittenMasked(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusUnderControl)
	for _, card := range []string{"9999991234561234", "999999*1234", "99999******1234", "999999*******1234", "999999******123", "999999xxxxxx1234"} {
		in := slip("5001")
		in.Card = card
		r.refused(errOf("card-not-masked"), func() error { return r.pay(r.by(officer), in) })
	}
	in := slip("5001")
	in.Card = "999999******1234"
	if err := r.pay(r.by(officer), in); err != nil || r.fee().Settled.Payment.Card != in.Card || r.fee().Settled.Payment.Provider != "samplebank" {
		t.Errorf("%+v, %v", r.fee().Settled, err)
	}
}

func TestAnUnknownGatewayIsNamed(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	start := func() error {
		_, _, err := r.StartPayment(t.Context(), r.by(applicant), r.code, commands.StartPayment{Provider: "bank9"})
		return err
	}
	r.refused(errOf("provider-unknown"), start)
	r.Gateways.Named = nil
	r.refused(errOf("gateway-not-connected"), start)
}

// TestABankThatIsDownKeepsTheKey: the same key goes on where it was, and a
// payer who comes again is sent to the page that was recorded.
func TestABankThatIsDownKeepsTheKey(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	r.bank.down = true
	if _, err := r.start(keyed(applicant, "k")); !errors.Is(err, commands.ErrGateway) {
		t.Fatalf("got %v", err)
	}
	r.bank.down = false
	first, err := r.start(keyed(applicant, "k"))
	if err != nil || r.attempt(first).Status != payment.StatusAway {
		t.Fatalf("%+v, %v", first, err)
	}
	if again, err := r.start(keyed(applicant, "k")); err != nil || again.Page.URL != first.Page.URL {
		t.Errorf("again %+v, %v", again, err)
	}
}

// TestAnAttemptThatNeverReachedTheBankEnds, and the same key says so.
func TestAnAttemptThatNeverReachedTheBankEnds(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	r.bank.down = true
	_, _ = r.start(keyed(applicant, "k"))
	id := r.all("payment.requested.v1")[0].Stream.ID()
	reconcile := func() {
		if err := r.ReconcilePayment(t.Context(), commands.Caller{Policy: "reconcile"}, id); err != nil {
			t.Fatal(err)
		}
		r.settle()
	}
	if reconcile(); r.fee().Status() != fee.StatusPaying {
		t.Errorf("at once the fee is %s", r.fee().Status())
	}
	r.clock.pass(commands.DefaultLook)
	if reconcile(); r.fee().Status() != fee.StatusRaised {
		t.Errorf("then the fee is %s", r.fee().Status())
	}
	r.bank.down = false
	if _, err := r.start(keyed(applicant, "k")); !errors.Is(err, commands.ErrAttemptOver) {
		t.Errorf("the same key: %v", err)
	}
}

// TestThePayerIsNotSentToABankAfterThePaymentAtTheCounter: the fee has the last
// word before the bank.
func TestThePayerIsNotSentToABankAfterThePaymentAtTheCounter(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	r.steps = func(point string) {
		if point == "payment:requested" {
			r.did(r.RecordPayment(t.Context(), r.by(officer), r.code, slip("5001")))
		}
	}
	if _, err := r.start(r.by(applicant)); !errors.Is(err, fee.ErrSettled) || r.bank.opened != 0 {
		t.Errorf("got %v", err)
	}
	id := r.all("payment.requested.v1")[0].Stream
	if s := state(r.house, payment.Kind, id); s.Status != payment.StatusFailed {
		t.Errorf("the attempt is %s", s.Status)
	}
}

// TestABanksGarbageIsNoReference: neither a stream of its own nor a card in
// clear comes of it.
func TestABanksGarbageIsNoReference(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	r.Gateways.Named["bank1"] = babbling{r.bank}
	started, err := r.start(r.by(applicant))
	if err != nil {
		t.Fatal(err)
	}
	token := r.secrets.Derive("payment-callback", started.Attempt)[:16]
	if _, err := r.PaymentCallback(t.Context(), started.Attempt, hexOf(token), nil); err != nil {
		t.Fatal(err)
	}
	if s := r.attempt(started); s.Status != payment.StatusCheck || len(r.all("settlement.claimed.v1")) != 0 {
		t.Errorf("it is %s", s.Status)
	}
}

// TestAnAttemptWaitsForAGatewayThatWasTakenOut: what its bank holds is not
// forgotten, and nobody looks all the time.
func TestAnAttemptWaitsForAGatewayThatWasTakenOut(t *testing.T) {
	r := open(t).draft(applicant).upTo(enrollment.StatusAtOffice)
	started, err := r.start(r.by(applicant))
	if err != nil {
		t.Fatal(err)
	}
	r.Gateways.Named = nil
	r.clock.pass(commands.DefaultLook)
	for range 3 {
		if err := r.ReconcilePayment(t.Context(), commands.Caller{Policy: "reconcile"}, started.Attempt); err != nil {
			t.Fatal(err)
		}
	}
	if s := r.attempt(started); s.Status != payment.StatusAway || s.Looks != 1 {
		t.Errorf("it is %s after %d looks", s.Status, s.Looks)
	}
	r.Gateways.Named = map[string]commands.Gateway{"bank1": r.bank}
	r.clock.pass(time.Minute)
	if err := r.ReconcilePayment(t.Context(), commands.Caller{Policy: "reconcile"}, started.Attempt); err != nil {
		t.Fatal(err)
	}
	if s := r.fee(); s.Settled == nil {
		t.Errorf("then it is %s", r.attempt(started).Status)
	}
}
