package fee

import (
	"time"

	"govahi/domain/event"
)

// Catalog lists every event of a fee order.
var Catalog = event.NewCatalog(
	event.Of[Raised]("fee.raised.v1"),
	event.Of[PaymentAttempted]("fee.payment-attempted.v1"),
	event.Of[PaymentFailed]("fee.payment-failed.v1"),
	event.Of[PaymentExpired]("fee.payment-expired.v1"),
	event.Was("fee.settled.v1", settledV1.upcast),
	event.Of[Settled]("fee.settled.v2"),
	event.Of[SurplusNoted]("fee.surplus-noted.v1"),
	event.Of[Closed]("fee.closed.v1"),
	event.Of[RefundOpened]("fee.refund-opened.v1"),
	event.Of[Refunded]("fee.refunded.v1"),
)

// Raised fixes the amount by the tariff version of that moment.
type Raised struct {
	Order         string       `json:"order"` // the request's tracking code
	Request       event.Stream `json:"request"`
	Product       string       `json:"product"`
	TariffVersion int          `json:"tariffVersion"`
	AmountRial    int64        `json:"amountRial"`
	At            time.Time    `json:"at"`
}

// PaymentAttempted says that the payer goes to a bank's page.
type PaymentAttempted struct {
	Order    string    `json:"order"`
	Attempt  string    `json:"attempt"`
	Provider string    `json:"provider"`
	At       time.Time `json:"at"`
}

// PaymentFailed says that an attempt ended without money.
type PaymentFailed struct {
	Order   string    `json:"order"`
	Attempt string    `json:"attempt"`
	Cause   string    `json:"cause"`
	At      time.Time `json:"at"`
}

// PaymentExpired says that the payer never came back from the bank's page, and
// that whatever he did there the bank has reversed by itself.
type PaymentExpired struct {
	Order   string    `json:"order"`
	Attempt string    `json:"attempt"`
	At      time.Time `json:"at"`
}

// Mode is how money comes.
type Mode string

// The modes.
const (
	POS      Mode = "pos"      // a terminal at the counter
	Gateway  Mode = "gateway"  // online
	Contract Mode = "contract" // the organisation pays, by its contract
)

// Payment is one sum of money, as terminal, bank or contract name it.
type Payment struct {
	Mode       Mode   `json:"mode"`
	Provider   string `json:"provider,omitempty"` // bank or switch
	Terminal   string `json:"terminal,omitempty"`
	RRN        string `json:"rrn,omitempty"`     // retrieval reference number, شماره مرجع
	Trace      string `json:"trace,omitempty"`   // شماره پیگیری
	Card       string `json:"card,omitempty"`    // masked: never the whole number (domain §7.1)
	Attempt    string `json:"attempt,omitempty"` // of a gateway's: its stream's ID
	Contract   string `json:"contract,omitempty"`
	AmountRial int64  `json:"amountRial"`
}

// same tells whether two say the same of one sum. A slip may be written down a
// second time with or without its card, and an old one names no provider.
func (p Payment) same(other Payment) bool {
	if p.Provider == "" || other.Provider == "" {
		p.Provider, other.Provider = "", ""
	}
	p.Card, other.Card = "", ""
	if p.Mode == Gateway { // one purchase may be told under two attempts
		p.Attempt, other.Attempt, p.Trace, other.Trace = "", "", "", ""
	}
	return p == other
}

// Settled says that the order was paid.
type Settled struct {
	Order   string        `json:"order"`
	Request event.Stream  `json:"request"`
	Payment Payment       `json:"payment"`
	By      event.Subject `json:"by,omitempty"`
	Office  string        `json:"office,omitempty"`
	At      time.Time     `json:"at"`
}

// settledV1 was a terminal's slip, without the bank that runs the terminal.
type settledV1 struct {
	Order   string        `json:"order"`
	Request event.Stream  `json:"request"`
	Payment paymentV1     `json:"payment"`
	By      event.Subject `json:"by"`
	Office  string        `json:"office"`
	At      time.Time     `json:"at"`
}

type paymentV1 struct {
	Mode       Mode   `json:"mode"`
	Terminal   string `json:"terminal"`
	RRN        string `json:"rrn"`
	Trace      string `json:"trace"`
	AmountRial int64  `json:"amountRial"`
}

func (v settledV1) upcast() event.Event {
	p := v.Payment
	return Settled{
		Order: v.Order, Request: v.Request, By: v.By, Office: v.Office, At: v.At,
		Payment: Payment{Mode: p.Mode, Terminal: p.Terminal, RRN: p.RRN, Trace: p.Trace, AmountRial: p.AmountRial},
	}
}

// Cause is why money goes back, or is no longer due.
type Cause string

// The causes.
const (
	Rejected      Cause = "rejected"       // the request was
	Withdrawn     Cause = "withdrawn"      // the request was
	SecondPayment Cause = "second-payment" // the order was settled before
	ReferenceUsed Cause = "reference-used" // its reference settled another order
	AmountDiffers Cause = "amount-differs"
	FoundLate     Cause = "found-late" // the bank holds it after its attempt was over
)

// Persian is the cause for people.
func (c Cause) Persian() string {
	return map[Cause]string{
		Rejected: "رد درخواست", Withdrawn: "انصراف متقاضی", SecondPayment: "پرداخت دوباره",
		ReferenceUsed: "شماره مرجع تکراری", AmountDiffers: "تفاوت مبلغ", FoundLate: "وجه دیرهنگام",
	}[c]
}

// SurplusNoted is money that came where none was due.
type SurplusNoted struct {
	Order   string    `json:"order"`
	Payment Payment   `json:"payment"`
	At      time.Time `json:"at"`
}

// Closed says that nothing is due any more.
type Closed struct {
	Order string    `json:"order"`
	Cause Cause     `json:"cause"`
	At    time.Time `json:"at"`
}

// RefundOpened says that a sum must go back to its payer.
type RefundOpened struct {
	Order   string       `json:"order"`
	Request event.Stream `json:"request"`
	Number  int          `json:"number"`
	Cause   Cause        `json:"cause"`
	Payment Payment      `json:"payment"`
	At      time.Time    `json:"at"`
}

// Refunded says by which transfer it went back.
type Refunded struct {
	Order     string        `json:"order"`
	Number    int           `json:"number"`
	Reference string        `json:"reference"`
	By        event.Subject `json:"by"`
	At        time.Time     `json:"at"`
}
