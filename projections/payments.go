package projections

import (
	_ "embed"
	"slices"
	"strconv"
	"time"

	"govahi/domain/contract"
	"govahi/domain/event"
	"govahi/domain/fee"
	"govahi/domain/payment"
)

//go:embed payments.sql
var paymentsSQL string

// Payments is what is due, what came and what goes back, with the to-do list of
// attempts to pay online (domain §5.5).
var Payments = Projection{
	Name: "payments", Version: 1, Tables: paymentsSQL,
	Catalogs: []event.Catalog{fee.Catalog, payment.Catalog, contract.Catalog},
	Apply:    applyPayment,
}

var (
	orders    = NewTable[orderRow]("orders", fee.Kind.Category)
	refunds   = NewTable[refundRow]("refunds", "")
	tries     = NewTable[attemptRow]("attempts", payment.Kind.Category)
	contracts = NewTable[contractRow]("contracts", contract.Kind.Category)
)

type orderRow struct {
	Code          string `row:"key"`
	Product       string
	TariffVersion int
	AmountRial    int64
	RaisedAt      time.Time
	Open          []string
	Mode          *string
	Provider      *string
	Terminal      *string
	RRN           *string
	Trace         *string
	Card          *string
	Contract      *string
	SettledAt     *time.Time
	SettledBy     *string
	ClosedAt      *time.Time
	Cause         *string
}

type refundRow struct {
	Code       string `row:"key"`
	Number     int    `row:"key"`
	Cause      string
	Mode       string
	Provider   *string
	RRN        *string
	Card       *string
	AmountRial int64
	OpenedAt   time.Time
	Reference  *string
	RefundedAt *time.Time
	RefundedBy *string
}

type attemptRow struct {
	ID         string `row:"key"`
	Code       string
	Provider   string
	AmountRial int64
	Status     string
	BegunAt    time.Time
	Since      time.Time
	DueAt      *time.Time
	SetAt      time.Time
	Looks      int
	RRN        *string
	Cause      *string
}

type contractRow struct {
	Company string `row:"key"`
	Number  string
	Until   time.Time
	Since   time.Time
	EndedAt *time.Time
}

func applyPayment(w *Writer, e Event) {
	switch e.Stream.Category() {
	case fee.Kind.Category:
		applyFee(w, e)
	case payment.Kind.Category:
		applyAttempt(w, e)
	case contract.Kind.Category:
		applyContract(w, e)
	}
}

func applyFee(w *Writer, e Event) {
	if r, ok := e.Is.(fee.Raised); ok {
		orders.Insert(w, orderRow{
			Code: r.Order, Product: r.Product, TariffVersion: r.TariffVersion, AmountRial: r.AmountRial, RaisedAt: r.At, Open: []string{},
		})
		return
	}
	o := orders.Change(w, e.Stream.ID())
	switch is := e.Is.(type) {
	case fee.PaymentAttempted:
		o.Open = append(o.Open, is.Attempt)
	case fee.PaymentFailed:
		o.end(is.Attempt)
	case fee.PaymentExpired:
		o.end(is.Attempt)
	case fee.Settled:
		o.settle(is)
	case fee.SurplusNoted:
		o.end(is.Payment.Attempt)
	case fee.Closed:
		o.ClosedAt, o.Cause = &is.At, new(string(is.Cause))
	case fee.RefundOpened:
		p := is.Payment
		refunds.Insert(w, refundRow{
			Code: is.Order, Number: is.Number, Cause: string(is.Cause), Mode: string(p.Mode), Provider: orNull(p.Provider), RRN: orNull(p.RRN),
			Card: orNull(p.Card), AmountRial: p.AmountRial, OpenedAt: is.At,
		})
	case fee.Refunded:
		r := refunds.Change(w, is.Order, strconv.Itoa(is.Number))
		r.Reference, r.RefundedAt, r.RefundedBy = &is.Reference, &is.At, new(string(is.By))
	}
}

func (o *orderRow) end(attempt string) {
	o.Open = slices.DeleteFunc(o.Open, func(a string) bool { return a == attempt })
}

func (o *orderRow) settle(e fee.Settled) {
	p := e.Payment
	o.end(p.Attempt)
	o.Mode, o.Provider, o.Terminal, o.RRN = new(string(p.Mode)), orNull(p.Provider), orNull(p.Terminal), orNull(p.RRN)
	o.Trace, o.Card, o.Contract, o.SettledAt, o.SettledBy = orNull(p.Trace), orNull(p.Card), orNull(p.Contract), &e.At, orNull(string(e.By))
}

func applyAttempt(w *Writer, e Event) {
	if r, ok := e.Is.(payment.Requested); ok {
		tries.Insert(w, attemptRow{
			ID: r.Attempt, Code: r.Order, Provider: r.Provider, AmountRial: r.AmountRial, Status: string(payment.StatusOpen),
			BegunAt: r.At, Since: r.At, DueAt: &r.DueAt, SetAt: r.At,
		})
		return
	}
	a := tries.Change(w, e.Stream.ID())
	switch is := e.Is.(type) {
	case payment.Redirected:
		a.Status, a.Since = string(payment.StatusAway), is.At
	case payment.CallbackNoted:
		a.due(a.Status, a.Since, is.DueAt, is.At)
	case payment.VerificationStarted:
		a.due(string(payment.StatusCheck), is.At, is.DueAt, is.At)
	case payment.Postponed:
		a.DueAt, a.SetAt, a.Looks, a.Cause = &is.DueAt, is.At, is.Look, &is.Cause
	case payment.Verified:
		a.due(string(payment.StatusVerified), is.At, is.DueAt, is.At)
		a.RRN = &is.Money.RRN
	case payment.BankSettled:
		a.due(string(payment.StatusSettled), is.At, is.DueAt, is.At)
	case payment.Done:
		a.over(payment.StatusDone, "", is.At)
	case payment.Failed:
		a.over(payment.StatusFailed, is.Cause, is.At)
	case payment.Reversed:
		a.over(payment.StatusReversed, is.Cause, is.At)
	case payment.Gone:
		a.over(payment.StatusGone, "", is.At)
	}
}

func (a *attemptRow) due(status string, since, due, set time.Time) {
	a.Status, a.Since, a.DueAt, a.SetAt, a.Looks, a.Cause = status, since, &due, set, 0, nil
}

func (a *attemptRow) over(status payment.Status, cause string, at time.Time) {
	a.Status, a.Since, a.DueAt, a.Cause = string(status), at, nil, orNull(cause)
}

func applyContract(w *Writer, e Event) {
	switch is := e.Is.(type) {
	case contract.Concluded:
		contracts.Put(w, contractRow{Company: e.Stream.ID(), Number: is.Number, Until: is.Until, Since: is.At})
	case contract.Ended:
		contracts.Change(w, e.Stream.ID()).EndedAt = &is.At
	}
}
