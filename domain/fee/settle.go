package fee

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// The refusals of a settlement.
var (
	ErrAmount = fault.New(fault.Invalid, "amount-differs",
		"مبلغ پرداخت با مبلغ تعیین‌شده یکی نیست؛ همان مبلغ را بگیرید.",
		"The amount paid is not the amount due; take exactly that.").At("amountRial")
	ErrSettled = fault.New(fault.Conflict, "fee-already-settled",
		"این هزینه پیش‌تر با رسید دیگری پرداخت شده است.", "This fee was settled by another payment.")
	ErrReferenceUsed = fault.New(fault.Conflict, "reference-used",
		"این شماره مرجع درخواست دیگری را تسویه کرده است؛ شمارهٔ رسید همین درخواست را بنویسید.",
		"This reference number settled another request; write that of this request's own slip.").At("rrn")
	ErrTransferUsed = fault.New(fault.Conflict, "transfer-used",
		"این حواله برای استرداد دیگری ثبت شده است؛ شمارهٔ حوالهٔ همین استرداد را بنویسید.",
		"This transfer is on record for another refund; write the number of this refund's own.").At("reference")
)

// Settle records what an officer saw: a terminal's slip, or a contract
// (invariant 20).
type Settle struct {
	Payment Payment
	By      event.Subject
	Office  string
	At      time.Time
}

// Decide wants the exact amount and settles once. A slip over money that was
// taken after the end of the request is recorded too, and goes back.
func (c Settle) Decide(s Fee) ([]event.Event, error) {
	switch {
	case s.Raised.Order == "":
		return nil, life.Refuse(ErrNotRaised, string(s.Status()))
	case s.knows(c.Payment):
		return nil, nil
	case s.Settled != nil:
		return nil, life.Refuse(ErrSettled, string(s.Status()))
	case c.Payment.AmountRial != s.Raised.AmountRial:
		return nil, ErrAmount
	case s.Closed != nil && c.Payment.Mode == Contract:
		return nil, life.Refuse(ErrClosed, string(s.Status()))
	case s.Closed != nil:
		return s.surplus(c.Payment, s.Closed.Cause, c.At), nil
	}
	return []event.Event{Settled{s.Raised.Order, s.Raised.Request, c.Payment, c.By, c.Office, c.At}}, nil
}

// Credit takes in money that a bank holds for the order: it cannot be refused
// any more.
type Credit struct {
	Payment Payment
	Aside   Cause // why it must not settle the order, or empty
	At      time.Time
}

// Decide settles what is due, and opens a refund case for everything else. Our
// own state decides: a bank's second word about the same money changes nothing.
func (c Credit) Decide(s Fee) ([]event.Event, error) {
	switch {
	case s.Raised.Order == "":
		return nil, life.Refuse(ErrNotRaised, string(s.Status()))
	case s.knows(c.Payment):
		return nil, nil
	case c.Aside != "":
		return s.surplus(c.Payment, c.Aside, c.At), nil
	case s.Settled != nil:
		return s.surplus(c.Payment, SecondPayment, c.At), nil
	case s.Closed != nil:
		return s.surplus(c.Payment, s.Closed.Cause, c.At), nil
	case c.Payment.AmountRial != s.Raised.AmountRial:
		return s.surplus(c.Payment, AmountDiffers, c.At), nil
	}
	return []event.Event{Settled{Order: s.Raised.Order, Request: s.Raised.Request, Payment: c.Payment, At: c.At}}, nil
}

// knows tells whether the money was taken in before.
func (s Fee) knows(p Payment) bool {
	if s.Settled != nil && s.Settled.Payment.same(p) {
		return true
	}
	for _, known := range s.Surplus {
		if known.same(p) {
			return true
		}
	}
	return false
}

func (s Fee) surplus(p Payment, cause Cause, at time.Time) []event.Event {
	return []event.Event{SurplusNoted{s.Raised.Order, p, at}, s.refund(p, cause, at)}
}

// Settlement is the uniqueness of a reference: the stream
// `settlement-<provider>-<rrn>` can be begun once (domain §5.5).
var Settlement = event.Kind[Claimed]{
	Category: "settlement",
	Catalog:  event.NewCatalog(event.Of[Claimed]("settlement.claimed.v1")),
	Evolve:   func(_ Claimed, e event.Event) Claimed { return e.(Claimed) },
}

// Claimed binds a reference to an order.
type Claimed struct {
	Order string    `json:"order"`
	At    time.Time `json:"at"`
}

// Transfers stands for a bank in the streams of transfers by which money goes back.
const Transfers = "refund"

// ClaimTransfer binds the reference of a transfer to the refund case that it
// closes, `<order>/<number>`.
type ClaimTransfer Claim

// Decide lets the same case's retry pass.
func (c ClaimTransfer) Decide(s Claimed) ([]event.Event, error) {
	events, err := Claim(c).Decide(s)
	if err != nil {
		err = ErrTransferUsed
	}
	return events, err
}

// Claim binds a reference to an order, maybe instead of one that was settled
// without it.
type Claim struct {
	Order, Instead string
	At             time.Time
}

// Decide lets the same order's retry pass.
func (c Claim) Decide(s Claimed) ([]event.Event, error) {
	switch s.Order {
	case c.Order:
		return nil, nil
	case "", c.Instead:
		return []event.Event{Claimed{c.Order, c.At}}, nil
	}
	return nil, ErrReferenceUsed
}

// DoneWithout tells whether the order was settled by another payment and no money
// is on its way any more: this one will never be taken in.
func (s Fee) DoneWithout(p Payment) bool { return s.Settled != nil && len(s.Open) == 0 && !s.knows(p) }
