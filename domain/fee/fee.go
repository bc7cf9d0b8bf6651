// Package fee is the price of one request and the money that came for it, in
// whole rials (S1.9, domain §5.5).
//
//	─Raised─▶ Raised ─PaymentAttempted─▶ Paying ─PaymentFailed, PaymentExpired─▶ Raised
//	Raised, Paying ─Settled─▶ Settled      Raised, Paying ─Closed─▶ Closed
//	Settled ─RefundOpened─▶ RefundDue ─Refunded─▶ Settled or Refunded
//
// Money that comes for an order that is settled or closed is noted as surplus
// and opens a refund case in the same append: none is ever lost.
package fee

import (
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Kind is the stream `fee-<tracking code>`.
var Kind = event.Kind[Fee]{Category: "fee", Catalog: Catalog, Evolve: Evolve, Life: life}

// Fee is the state of an order.
type Fee struct {
	Raised  Raised
	Closed  *Closed
	Settled *Settled
	Open    []string // online attempts whose end is not known yet
	Surplus []Payment
	Refunds []Refund // by number, from 1
}

// Refund is a case: money that must go back, and whether it did.
type Refund struct {
	Opened RefundOpened
	Done   *Refunded
}

// Evolve is what each event means.
func Evolve(s Fee, e event.Event) Fee {
	switch e := e.(type) {
	case Raised:
		s.Raised = e
	case PaymentAttempted:
		s.Open = append(slices.Clip(s.Open), e.Attempt)
	case PaymentFailed:
		s.Open = without(s.Open, e.Attempt)
	case PaymentExpired:
		s.Open = without(s.Open, e.Attempt)
	case Settled:
		s.Settled, s.Open = &e, without(s.Open, e.Payment.Attempt)
	case SurplusNoted:
		s.Surplus, s.Open = append(slices.Clip(s.Surplus), e.Payment), without(s.Open, e.Payment.Attempt)
	case Closed:
		s.Closed = &e
	case RefundOpened:
		s.Refunds = append(slices.Clip(s.Refunds), Refund{Opened: e})
	case Refunded:
		s.Refunds = slices.Clone(s.Refunds)
		s.Refunds[e.Number-1].Done = &e
	}
	return s
}

func without(attempts []string, attempt string) []string {
	return slices.DeleteFunc(slices.Clone(attempts), func(a string) bool { return a == attempt })
}

// ErrNotRaised reports a payment before there is a price.
var ErrNotRaised = fault.New(fault.Conflict, "fee-not-raised",
	"هزینهٔ این درخواست هنوز تعیین نشده است؛ اگر آن را همین حالا ارسال کرده‌اید لحظه‌ای دیگر دوباره بکوشید، وگرنه نخست آن را ارسال کنید.",
	"No fee is raised for this request yet; if you have just submitted it, try again in a moment, else submit it first.")

// Raise fixes the amount, once.
type Raise struct{ Raised Raised }

// Decide raises once; a newer tariff does not change it.
func (c Raise) Decide(s Fee) ([]event.Event, error) {
	if s.Raised.Order != "" {
		return nil, nil
	}
	return []event.Event{c.Raised}, nil
}

// Close is the end of the request without its certificate: it was rejected or
// withdrawn. Nothing is due any more, and what was paid goes back.
type Close struct {
	Cause Cause
	At    time.Time
}

// Decide closes once.
func (c Close) Decide(s Fee) ([]event.Event, error) {
	if s.Raised.Order == "" || s.Closed != nil {
		return nil, nil
	}
	events := []event.Event{Closed{s.Raised.Order, c.Cause, c.At}}
	if s.Settled != nil {
		events = append(events, s.refund(s.Settled.Payment, c.Cause, c.At))
	}
	return events, nil
}

// refund opens the next case.
func (s Fee) refund(p Payment, cause Cause, at time.Time) RefundOpened {
	return RefundOpened{s.Raised.Order, s.Raised.Request, len(s.Refunds) + 1, cause, p, at}
}
