package projections_test

import (
	"fmt"
	"time"

	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/payment"
)

// theFeesStateIsThatOfItsStream holds what the query computes against the fold
// of the domain, after each event.
func theFeesStateIsThatOfItsStream(v *views) {
	money := fee.Payment{Mode: fee.Gateway, Provider: "bank1", RRN: "7", Attempt: "a", AmountRial: 5}
	second := fee.Payment{Mode: fee.Gateway, Provider: "bank1", RRN: "8", Attempt: "b", AmountRial: 5}
	paid := []event.Event{
		fee.PaymentAttempted{Attempt: "a", Provider: "bank1", At: noon},
		fee.PaymentAttempted{Attempt: "b", Provider: "bank1", At: noon},
		fee.Settled{Payment: money, At: noon},
		fee.SurplusNoted{Payment: second, At: noon},
		fee.RefundOpened{Number: 1, Cause: fee.SecondPayment, Payment: second, At: noon},
		fee.Refunded{Number: 1, Reference: "H-1", By: v.nima, At: noon},
		fee.Closed{Cause: fee.Rejected, At: noon},
		fee.RefundOpened{Number: 2, Cause: fee.Rejected, Payment: money, At: noon},
		fee.Refunded{Number: 2, Reference: "H-2", By: v.nima, At: noon},
	}
	unpaid := []event.Event{
		fee.PaymentAttempted{Attempt: "a", Provider: "bank1", At: noon},
		fee.PaymentFailed{Attempt: "a", Cause: "declined", At: noon},
		fee.PaymentAttempted{Attempt: "b", Provider: "bank1", At: noon},
		fee.PaymentExpired{Attempt: "b", At: noon},
		fee.Closed{Cause: fee.Withdrawn, At: noon},
		fee.SurplusNoted{Payment: money, At: noon},
		fee.RefundOpened{Number: 1, Cause: fee.Withdrawn, Payment: money, At: noon},
	}
	for n, story := range [][]event.Event{paid, unpaid} {
		code := v.code(50 + n)
		s := fee.Fee{}
		for _, e := range append([]event.Event{fee.Raised{Product: "cpmis-signature", AmountRial: 5, At: noon}}, story...) {
			e = about(e, code)
			tell(v, fee.Kind, code, e)
			s = fee.Evolve(s, e)
			v.shown()
			p := ok(v.Payment(v.Context(), code))(v)
			same(v, fmt.Sprintf("after %T", e), []string{p.State}, []string{string(s.Status())})
			if len(p.Refunds) != len(s.Refunds) {
				v.Errorf("%d refunds are shown of %d", len(p.Refunds), len(s.Refunds))
			}
		}
	}
}

// about names the order that an event is of.
func about(e event.Event, code string) event.Event {
	switch e := e.(type) {
	case fee.Raised:
		e.Order = code
		return e
	case fee.RefundOpened:
		e.Order = code
		return e
	case fee.Refunded:
		e.Order = code
		return e
	}
	return e
}

func duePayments(v *views) {
	for i := range 4 {
		id := fmt.Sprint("a", i)
		tell(v, payment.Kind, id, payment.Requested{
			Attempt: id, Order: v.code(60), Provider: "bank1", AmountRial: 5, DueAt: noon.Add(-time.Duration(i) * time.Minute), At: noon.Add(-time.Hour),
		})
	}
	tell(v, payment.Kind, "a0", payment.Failed{Cause: "not-opened", At: noon})
	tell(v, payment.Kind, "a1", payment.Redirected{Reference: "R", At: noon})
	tell(v, payment.Kind, "a1", payment.Postponed{Cause: "awaited", Look: 1, DueAt: noon.Add(time.Second), At: noon})
	v.shown()
	due := func(at time.Time) []string { return ok(v.DuePayments(v.Context(), at, 10))(v) }
	same(v, "at noon", due(noon), []string{"a3", "a2"})
	same(v, "a second later", due(noon.Add(time.Second)), []string{"a3", "a2", "a1"})
	same(v, "the clock went back", due(noon.Add(-2*time.Hour)), []string{"a3", "a2", "a1"})
	tell(v, payment.Kind, "a1", payment.Gone{At: noon})
	v.shown()
	same(v, "gone", due(noon.Add(time.Second)), []string{"a3", "a2"})
}
