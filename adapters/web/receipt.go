package web

import (
	"io"
	"time"

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
	Contract     string
	PaidAt       time.Time
	PrintedAt    time.Time
	Refunded     bool
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
)

// ReturnedAs is what a payer is told of an attempt.
func ReturnedAs(s payment.Status) string {
	switch s {
	case payment.StatusDone:
		return ReturnedPaid
	case payment.StatusFailed, payment.StatusReversed, payment.StatusGone:
		return ReturnedUnpaid
	}
	return ReturnedChecked
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
	TokenRial, IssuanceRial int64
	ValidFrom               time.Time
}

// TotalRial is what an applicant pays.
func (t Tariff) TotalRial() int64 { return t.TokenRial + t.IssuanceRial }

// Tariffs renders the table.
func Tariffs(w io.Writer, d TariffsData) error { return tariffsPage.Execute(w, d) }
