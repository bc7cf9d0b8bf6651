package fee

import (
	"slices"
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// mostOpen bounds the attempts of one order whose end is not known yet.
const mostOpen = 5

// The refusals of an online payment.
var (
	ErrClosed = fault.New(fault.Conflict, "fee-closed",
		"درخواست پایان یافته است و هزینه‌ای ندارد.", "The request is over; there is nothing to pay.")
	ErrManyAttempts = fault.New(fault.TooMany, "attempts-open",
		"نتیجهٔ چند پرداخت این درخواست هنوز روشن نیست؛ نیم ساعت دیگر دوباره بکوشید.",
		"The end of several payments for this request is not known yet; try again in half an hour.").After(30 * time.Minute)
)

// StartAttempt lets a payer go to a bank's page.
type StartAttempt struct {
	Attempt, Provider string
	At                time.Time
}

// Decide lets him go while the fee is due. A payer who closed the bank's page
// may begin anew at once: if both are paid, one is surplus.
func (c StartAttempt) Decide(s Fee) ([]event.Event, error) {
	switch {
	case s.Raised.Order == "":
		return nil, life.Refuse(ErrNotRaised, string(s.Status()))
	case s.Settled != nil:
		return nil, life.Refuse(ErrSettled, string(s.Status()))
	case s.Closed != nil:
		return nil, life.Refuse(ErrClosed, string(s.Status()))
	case slices.Contains(s.Open, c.Attempt):
		return nil, nil
	case len(s.Open) >= mostOpen:
		return nil, ErrManyAttempts
	}
	return []event.Event{PaymentAttempted{s.Raised.Order, c.Attempt, c.Provider, c.At}}, nil
}

// EndAttempt says that an attempt brought no money; without a cause the payer
// just never came back.
type EndAttempt struct {
	Attempt, Cause string
	At             time.Time
}

// Decide ends an open attempt.
func (c EndAttempt) Decide(s Fee) ([]event.Event, error) {
	switch {
	case !slices.Contains(s.Open, c.Attempt):
		return nil, nil
	case c.Cause == "":
		return []event.Event{PaymentExpired{s.Raised.Order, c.Attempt, c.At}}, nil
	}
	return []event.Event{PaymentFailed{s.Raised.Order, c.Attempt, c.Cause, c.At}}, nil
}
