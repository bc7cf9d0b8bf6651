package web

import (
	"io"
	"slices"
	"strings"
	"time"

	"govahi/domain/fee"
	"govahi/domain/payment"
)

// ReceiptData is the printed receipt of a fee that was paid (domain §5.5). It
// has the payer's name.
type ReceiptData struct {
	TrackingCode string
	Name         string // empty once erased
	AmountRial   int64
	Mode         string // pos, gateway, contract
	Provider     string
	Terminal     string
	RRN          string
	Trace        string
	Card         string // masked
	Contract     ReceiptContract
	PaidAt       time.Time
	PrintedAt    time.Time
	Refunded     bool
}

// ReceiptContract is the contract that settled a fee, as people know it.
type ReceiptContract struct {
	Company string // its national ID; empty if no contract settled the fee
	Number  string // as the two sides wrote it; empty if it is not known
}

// rrnDigits is the length of a retrieval reference number (ISO 8583, field 37).
const rrnDigits = 12

// Reference is the reference number as the slip has it. A terminal's is of a
// fixed length and is kept as a number, by one spelling: its zeros come back here.
func (d ReceiptData) Reference() string {
	if missing := rrnDigits - len(d.RRN); d.Mode == string(fee.POS) && d.RRN != "" && missing > 0 {
		return strings.Repeat("0", missing) + d.RRN
	}
	return d.RRN
}

// Way is how the money came, in Persian.
func (d ReceiptData) Way() string {
	return map[string]string{"pos": "پایانهٔ فروش در دفتر", "gateway": "درگاه برخط بانک", "contract": "قرارداد شرکت"}[d.Mode]
}

// Receipt renders the receipt for one page of A4.
func Receipt(w io.Writer, d ReceiptData) error { return receiptPage.Execute(w, d) }

// Standing words of a payer who came back from a bank's page.
const (
	ReturnedPaid    = "paid"
	ReturnedChecked = "checked"
	ReturnedUnpaid  = "unpaid"
	ReturnedSettled = "settled" // by another payment than his attempt
	ReturnedTwice   = "twice"   // and this one too: it goes back
	ReturnedAside   = "aside"   // he paid what cannot settle the fee: it goes back
	ReturnedOver    = "over"    // nothing is due any more
)

// ReturnedAs is what a payer is told of an attempt. The fee has its say: whoever
// was sent to pay once more what is settled would pay twice.
func ReturnedAs(s payment.Status, of fee.Fee, attempt string) string {
	switch {
	case s == payment.StatusDone:
		return received(of, attempt)
	case of.Settled != nil && of.Settled.Payment.Attempt != attempt:
		return ReturnedSettled
	case of.Settled == nil && of.Closed != nil:
		return ReturnedOver
	case s == payment.StatusFailed, s == payment.StatusReversed, s == payment.StatusGone:
		return ReturnedUnpaid
	}
	return ReturnedChecked
}

// received is what became of money that an attempt brought. A bank may tell one
// purchase under two attempts: what is no surplus was paid once.
func received(of fee.Fee, attempt string) string {
	surplus := slices.ContainsFunc(of.Surplus, func(p fee.Payment) bool { return p.Attempt == attempt })
	switch {
	case !surplus:
		return ReturnedPaid
	case of.Settled != nil:
		return ReturnedTwice
	}
	return ReturnedAside
}

// ReturnedData is what a payer sees who comes back from a bank's page.
type ReturnedData struct {
	TrackingCode string
	AmountRial   int64
	RRN          string
	Standing     string
	Track        string
}

// Returned renders the page.
func Returned(w io.Writer, d ReturnedData) error { return returnedPage.Execute(w, d) }

// TariffsData is the approved tariff in force.
type TariffsData struct {
	Rows []Tariff
	At   time.Time
}

// Tariff is one line of it.
type Tariff struct {
	Product, Level, Issuer  string
	Title                   string // of the product; empty for one that is offered no more
	TokenRial, IssuanceRial int64
	ValidFrom               time.Time
}

// TotalRial is what an applicant pays.
func (t Tariff) TotalRial() int64 { return t.TokenRial + t.IssuanceRial }

// Tariffs renders the table.
func Tariffs(w io.Writer, d TariffsData) error { return tariffsPage.Execute(w, d) }
