package fee

import (
	"strings"
	"testing"

	"govahi/domain/event"
	"govahi/domain/event/spec"
)

func TestGolden(t *testing.T) {
	spec.Golden(t, Catalog, "testdata", map[string]event.Event{
		"fee.raised.v1": raised, "fee.payment-attempted.v1": attempted, "fee.payment-failed.v1": PaymentFailed{order, attempt, "cancelled", later},
		"fee.payment-expired.v1": PaymentExpired{order, attempt, later}, "fee.settled.v2": credited,
		"fee.surplus-noted.v1": SurplusNoted{order, online, later}, "fee.closed.v1": Closed{order, Rejected, later},
		"fee.refund-opened.v1": refundOf(1, online, SecondPayment), "fee.refunded.v1": Refunded{order, 1, "H-1", omid, later},
	})
	spec.Golden(t, Settlement.Catalog, "testdata", map[string]event.Event{"settlement.claimed.v1": Claimed{order, noon}})
}

func TestTheFeeIsRaisedOnce(t *testing.T) {
	spec.Given(t, Kind).When(Raise{raised}).Then(raised)
	newer := raised
	newer.TariffVersion, newer.AmountRial = 2, 9_000_000
	spec.Given(t, Kind, raised).When(Raise{newer}).ThenNothing()
	spec.Given(t, Kind, raised, settled).When(Raise{newer}).ThenNothing()
}

func TestTheFeeIsSettledOnce(t *testing.T) { // invariant 20
	spec.Given(t, Kind, raised).When(settling(slip)).Then(settled)
	spec.Given(t, Kind, raised, settled).When(settling(slip)).ThenNothing()
	for _, change := range []func(*Payment){
		func(p *Payment) { p.RRN = "105087654321" },
		func(p *Payment) { p.Terminal = "87654321" },
		func(p *Payment) { p.Trace = "000043" },
	} {
		other := slip
		change(&other)
		spec.Given(t, Kind, raised, settled).When(settling(other)).ThenFault(ErrSettled)
	}
}

func TestTheAmountPaidIsTheAmountDue(t *testing.T) {
	for _, amount := range []int64{0, -3_500_000, 3_499_999, 3_500_001, 350_000} { // the last: tomans
		wrong := slip
		wrong.AmountRial = amount
		spec.Given(t, Kind, raised).When(settling(wrong)).ThenFault(ErrAmount.At("amountRial"))
	}
}

func TestNoFeeNoPayment(t *testing.T) {
	spec.Given(t, Kind).When(settling(slip)).ThenFault(ErrNotRaised)
}

func TestAReferenceSettlesOneOrder(t *testing.T) { // invariant 20
	claim, claimed := Claim{Order: order, At: noon}, Claimed{order, noon}
	spec.Given(t, Settlement).When(claim).Then(claimed)
	spec.Given(t, Settlement, claimed).When(Claim{Order: order, At: later}).ThenNothing()
	spec.Given(t, Settlement, claimed).When(Claim{Order: "140598765432", At: later}).ThenFault(ErrReferenceUsed.At("rrn"))
	spec.Given(t, Settlement, claimed).When(Claim{Order: "140598765432", Instead: "1405", At: later}).ThenFault(ErrReferenceUsed.At("rrn"))
	spec.Given(t, Settlement, claimed).When(Claim{Order: "140598765432", Instead: order, At: later}).Then(Claimed{"140598765432", later})
}

func TestAnOldSlipIsReadWithoutItsBank(t *testing.T) {
	text := `{"order":"1","payment":{"mode":"pos","terminal":"12345678","rrn":"105012345678","trace":"000042","amountRial":3500000},"office":"ahvaz"}`
	e, err := Catalog.Decode("fee.settled.v1", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	old := e.(Settled)
	if old.Payment.RRN != slip.RRN || old.Office != "ahvaz" || old.Payment.Provider != "" {
		t.Errorf("read as %+v", old)
	}
	old.Order = order
	spec.Given(t, Kind, raised, old).When(settling(slip)).ThenNothing() // the same slip, written down again
}

func TestASlipMayBeWrittenDownAgainWithItsCard(t *testing.T) {
	with := slip
	with.Card = "999999******1234"
	spec.Given(t, Kind, raised, settled).When(settling(with)).ThenNothing()
}

func TestAPayerMayBeginAnewAtOnce(t *testing.T) {
	start := StartAttempt{attempt, "bank1", noon}
	spec.Given(t, Kind).When(start).ThenFault(ErrNotRaised)
	spec.Given(t, Kind, raised).When(start).Then(attempted)
	spec.Given(t, Kind, raised, attempted).When(start).ThenNothing()
	other := StartAttempt{"a2", "bank1", noon}
	spec.Given(t, Kind, raised, attempted).When(other).Then(PaymentAttempted{order, "a2", "bank1", noon})
	spec.Given(t, Kind, raised, settled).When(start).ThenFault(ErrSettled)
	spec.Given(t, Kind, raised, Closed{order, Withdrawn, noon}).When(start).ThenFault(ErrClosed)
	many := []event.Event{raised}
	for n := range mostOpen {
		many = append(many, PaymentAttempted{order, string(rune('b' + n)), "bank1", noon})
	}
	spec.Given(t, Kind, many...).When(start).ThenFault(ErrManyAttempts)
	spec.Given(t, Kind, append(many, PaymentExpired{order, "b", noon})...).When(start).Then(attempted)
}

func TestAnAttemptEndsOnce(t *testing.T) {
	failed := PaymentFailed{order, attempt, "cancelled", later}
	spec.Given(t, Kind, raised, attempted).When(EndAttempt{attempt, "cancelled", later}).Then(failed)
	spec.Given(t, Kind, raised, attempted).When(EndAttempt{attempt, "", later}).Then(PaymentExpired{order, attempt, later})
	spec.Given(t, Kind, raised, attempted, failed).When(EndAttempt{attempt, "", later}).ThenNothing()
	spec.Given(t, Kind, raised).When(EndAttempt{attempt, "", later}).ThenNothing()
	if s := fold(raised, attempted, failed); s.Status() != StatusRaised {
		t.Errorf("then it is %s", s.Status())
	}
}

func TestMoneyThatABankHoldsIsNeverLost(t *testing.T) {
	credit := Credit{Payment: online, At: later}
	spec.Given(t, Kind, raised, attempted).When(credit).Then(credited)
	spec.Given(t, Kind, raised, attempted, credited).When(credit).ThenNothing()
	again := online
	again.Attempt = "a2" // the bank tells one purchase under two attempts
	spec.Given(t, Kind, raised, attempted, credited).When(Credit{Payment: again, At: later}).ThenNothing()
	second := online
	second.RRN = "700000000002"
	spec.Given(t, Kind, raised, credited).When(Credit{Payment: second, At: later}).
		Then(SurplusNoted{order, second, later}, refundOf(1, second, SecondPayment))
	spec.Given(t, Kind, raised, credited, SurplusNoted{order, second, later}, refundOf(1, second, SecondPayment)).
		When(Credit{Payment: second, At: later}).ThenNothing()
	spec.Given(t, Kind, raised, settled).When(credit).Then(SurplusNoted{order, online, later}, refundOf(1, online, SecondPayment))
	spec.Given(t, Kind, raised, Closed{order, Rejected, noon}).When(credit).
		Then(SurplusNoted{order, online, later}, refundOf(1, online, Rejected))
	spec.Given(t, Kind, raised, attempted).When(Credit{online, ReferenceUsed, later}).
		Then(SurplusNoted{order, online, later}, refundOf(1, online, ReferenceUsed))
	less := online
	less.AmountRial--
	spec.Given(t, Kind, raised).When(Credit{Payment: less, At: later}).
		Then(SurplusNoted{order, less, later}, refundOf(1, less, AmountDiffers))
	spec.Given(t, Kind).When(credit).ThenFault(ErrNotRaised)
}

// TestWhoHasJustSubmittedIsToldToWait: the fee is raised a moment after.
func TestWhoHasJustSubmittedIsToldToWait(t *testing.T) {
	if fa, en := ErrNotRaised.Text.Fa, ErrNotRaised.Text.En; !strings.Contains(fa, "لحظه‌ای دیگر") || !strings.Contains(en, "in a moment") {
		t.Errorf("%s / %s", fa, en)
	}
}

func TestTheEndOfTheRequestGivesItsMoneyBack(t *testing.T) {
	end := Close{Rejected, later}
	closed := Closed{order, Rejected, later}
	spec.Given(t, Kind).When(end).ThenNothing()
	spec.Given(t, Kind, raised).When(end).Then(closed)
	spec.Given(t, Kind, raised, closed).When(end).ThenNothing()
	spec.Given(t, Kind, raised, settled).When(end).Then(closed, refundOf(1, slip, Rejected))
	spec.Given(t, Kind, raised, closed).When(Settle{slip, omid, "ahvaz", later}).
		Then(SurplusNoted{order, slip, later}, refundOf(1, slip, Rejected))
	contract := Payment{Mode: Contract, Contract: "contract-1@0", AmountRial: 3_500_000}
	spec.Given(t, Kind, raised, closed).When(settling(contract)).ThenFault(ErrClosed)
}

func TestARefundIsRecordedOnce(t *testing.T) {
	open := []event.Event{raised, settled, Closed{order, Rejected, later}, refundOf(1, slip, Rejected)}
	back := RecordRefund{1, "H-1", omid, later}
	done := Refunded{order, 1, "H-1", omid, later}
	spec.Given(t, Kind, open...).When(back).Then(done)
	spec.Given(t, Kind, append(open, done)...).When(back).ThenNothing()
	spec.Given(t, Kind, append(open, done)...).When(RecordRefund{1, "H-2", omid, later}).ThenFault(ErrRefunded)
	for _, number := range []int{-1, 0, 2} {
		spec.Given(t, Kind, open...).When(RecordRefund{number, "H-1", omid, later}).ThenFault(ErrRefund)
	}
	if s := fold(open...); s.Status() != StatusRefundDue {
		t.Errorf("before it is %s", s.Status())
	}
	if s := fold(append(open, done)...); s.Status() != StatusRefunded {
		t.Errorf("after it is %s", s.Status())
	}
}

// TestAnEarlierStateStaysAsItWas: states are values.
func TestAnEarlierStateStaysAsItWas(t *testing.T) {
	s := fold(raised, settled, Closed{order, Rejected, later}, refundOf(1, slip, Rejected))
	Evolve(s, Refunded{order, 1, "H-1", omid, later})
	if s.Refunds[0].Done != nil {
		t.Error("a refund changed an earlier state")
	}
}

func fold(events ...event.Event) (s Fee) {
	for _, e := range events {
		s = Evolve(s, e)
	}
	return s
}
