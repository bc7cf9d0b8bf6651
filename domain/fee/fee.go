// Package fee is the price of one request and its payment, in whole rials
// (S1.9, domain §5.5).
package fee

import (
	"time"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Catalog lists every event of a fee order.
var Catalog = event.NewCatalog(
	event.Of[Raised]("fee.raised.v1"),
	event.Of[Settled]("fee.settled.v1"),
)

// Kind is the stream `fee-<tracking code>`.
var Kind = event.Kind[Fee]{Category: "fee", Catalog: Catalog, Evolve: Evolve, Life: life}

// Raised fixes the amount by the tariff version of that moment.
type Raised struct {
	Order         string       `json:"order"` // the request's tracking code
	Request       event.Stream `json:"request"`
	Product       string       `json:"product"`
	TariffVersion int          `json:"tariffVersion"`
	AmountRial    int64        `json:"amountRial"`
	At            time.Time    `json:"at"`
}

// Mode is how money comes.
type Mode string

// POS is a terminal at the counter.
const POS Mode = "pos"

// Payment is what the terminal's slip says.
type Payment struct {
	Mode       Mode   `json:"mode"`
	Terminal   string `json:"terminal"`
	RRN        string `json:"rrn"`   // retrieval reference number, شماره مرجع
	Trace      string `json:"trace"` // شماره پیگیری
	AmountRial int64  `json:"amountRial"`
}

// Settled says that the order was paid.
type Settled struct {
	Order   string        `json:"order"`
	Request event.Stream  `json:"request"`
	Payment Payment       `json:"payment"`
	By      event.Subject `json:"by"`
	Office  string        `json:"office"`
	At      time.Time     `json:"at"`
}

// Fee is the state of an order.
type Fee struct {
	Raised  Raised
	Settled *Settled
}

// Evolve is what each event means.
func Evolve(s Fee, e event.Event) Fee {
	switch e := e.(type) {
	case Raised:
		s.Raised = e
	case Settled:
		s.Settled = &e
	}
	return s
}

// The refusals.
var (
	ErrNotRaised = fault.New(fault.Conflict, "fee-not-raised",
		"هزینه‌ای برای این درخواست تعیین نشده است؛ نخست درخواست را ارسال کنید.",
		"No fee was raised for this request yet; submit the request first.")
	ErrAmount = fault.New(fault.Invalid, "amount-differs",
		"مبلغ پرداخت با مبلغ تعیین‌شده یکی نیست؛ همان مبلغ را بگیرید.",
		"The amount paid is not the amount due; take exactly that.").At("amountRial")
	ErrSettled = fault.New(fault.Conflict, "fee-already-settled",
		"این هزینه پیش‌تر با رسید دیگری پرداخت شده است.", "This fee was settled by another payment.")
	ErrReferenceUsed = fault.New(fault.Conflict, "reference-used",
		"این شماره مرجع درخواست دیگری را تسویه کرده است؛ شمارهٔ رسید همین درخواست را بنویسید.",
		"This reference number settled another request; write that of this request's own slip.").At("rrn")
)

// Raise fixes the amount, once.
type Raise struct{ Raised Raised }

// Decide raises once; a newer tariff does not change it.
func (c Raise) Decide(s Fee) ([]event.Event, error) {
	if s.Raised.Order != "" {
		return nil, nil
	}
	return []event.Event{c.Raised}, nil
}

// Settle records the payment (invariant 20).
type Settle struct {
	Payment Payment
	By      event.Subject
	Office  string
	At      time.Time
}

// Decide wants the exact amount and settles once.
func (c Settle) Decide(s Fee) ([]event.Event, error) {
	switch {
	case s.Raised.Order == "":
		return nil, life.Refuse(ErrNotRaised, string(s.Status()))
	case s.Settled != nil && s.Settled.Payment == c.Payment:
		return nil, nil
	case s.Settled != nil:
		return nil, life.Refuse(ErrSettled, string(s.Status()))
	case c.Payment.AmountRial != s.Raised.AmountRial:
		return nil, ErrAmount
	}
	return []event.Event{Settled{s.Raised.Order, s.Raised.Request, c.Payment, c.By, c.Office, c.At}}, nil
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

// Claim binds a reference to an order.
type Claim Claimed

// Decide lets the same order's retry pass.
func (c Claim) Decide(s Claimed) ([]event.Event, error) {
	switch s.Order {
	case "":
		return []event.Event{Claimed(c)}, nil
	case c.Order:
		return nil, nil
	}
	return nil, ErrReferenceUsed
}
