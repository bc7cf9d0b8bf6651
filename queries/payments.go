package queries

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"govahi/domain/event"
	"govahi/domain/fee"
)

// Payment is the fee of a request, and how it was paid.
type Payment struct {
	TrackingCode  string     `json:"trackingCode" db:"code"`
	State         string     `json:"state" db:"state" enum:"raised,paying,settled,refund-due,refunded,closed"`
	Product       string     `json:"product" db:"product"`
	TariffVersion int        `json:"tariffVersion" db:"tariff_version"`
	AmountRial    int64      `json:"amountRial" db:"amount_rial"`
	RaisedAt      time.Time  `json:"raisedAt" db:"raised_at"`
	Mode          *string    `json:"mode,omitempty" db:"mode"`
	Provider      *string    `json:"provider,omitempty" db:"provider"`
	Terminal      *string    `json:"terminal,omitempty" db:"terminal"`
	RRN           *string    `json:"rrn,omitempty" db:"rrn"`
	Trace         *string    `json:"trace,omitempty" db:"trace"`
	Card          *string    `json:"card,omitempty" db:"card" doc:"Masked"`
	Contract      *string    `json:"contract,omitempty" db:"contract"`
	SettledAt     *time.Time `json:"settledAt,omitempty" db:"settled_at"`
	Refunds       []Refund   `json:"refunds,omitempty" db:"-"`
	Attempts      []Attempt  `json:"attempts,omitempty" db:"-"`
}

// Refund is money that must go back, or did.
type Refund struct {
	TrackingCode string     `json:"trackingCode" db:"code"`
	Number       int        `json:"number" db:"number"`
	Cause        string     `json:"cause" db:"cause"`
	Mode         string     `json:"mode" db:"mode"`
	Provider     *string    `json:"provider,omitempty" db:"provider"`
	RRN          *string    `json:"rrn,omitempty" db:"rrn"`
	Card         *string    `json:"card,omitempty" db:"card" doc:"Masked"`
	AmountRial   int64      `json:"amountRial" db:"amount_rial"`
	OpenedAt     time.Time  `json:"openedAt" db:"opened_at"`
	Reference    *string    `json:"reference,omitempty" db:"reference"`
	RefundedAt   *time.Time `json:"refundedAt,omitempty" db:"refunded_at"`
}

// Attempt is one try to pay online.
type Attempt struct {
	ID         string    `json:"attempt" db:"id"`
	Provider   string    `json:"provider" db:"provider"`
	AmountRial int64     `json:"amountRial" db:"amount_rial"`
	Status     string    `json:"status" db:"status"`
	BegunAt    time.Time `json:"begunAt" db:"begun_at"`
	Since      time.Time `json:"since" db:"since"`
	Cause      *string   `json:"cause,omitempty" db:"cause"`
}

// paymentColumns tells the state of an order as fee.Status does.
const paymentColumns = `SELECT o.code, o.product, o.tariff_version, o.amount_rial, o.raised_at, o.mode, o.provider, o.terminal, o.rrn, o.trace,
	o.card, o.contract, o.settled_at, CASE
		WHEN o.settled_at IS NOT NULL AND EXISTS (SELECT FROM payments.refunds f WHERE f.code = o.code AND f.refunded_at IS NULL) THEN 'refund-due'
		WHEN o.settled_at IS NOT NULL AND o.closed_at IS NOT NULL THEN 'refunded'
		WHEN o.settled_at IS NOT NULL THEN 'settled'
		WHEN o.closed_at IS NOT NULL THEN 'closed'
		WHEN cardinality(o.open) > 0 THEN 'paying'
		ELSE 'raised' END AS state
	FROM payments.orders o `

const refundColumns = `SELECT f.code, f.number, f.cause, f.mode, f.provider, f.rrn, f.card, f.amount_rial, f.opened_at, f.reference, f.refunded_at
	FROM payments.refunds f `

// Payment is the fee of one request, with its attempts and refunds.
func (q *Queries) Payment(ctx context.Context, code string) (Payment, error) {
	p, err := row[Payment](ctx, q, fee.ErrNotRaised, paymentColumns+`WHERE o.code = $1`, code)
	if err != nil {
		return p, err
	}
	if p.Refunds, err = rows[Refund](ctx, q, refundColumns+`WHERE f.code = $1 ORDER BY f.number`, code); err != nil {
		return p, err
	}
	p.Attempts, err = rows[Attempt](ctx, q, `SELECT id, provider, amount_rial, status, begun_at, since, cause
		FROM payments.attempts WHERE code = $1 ORDER BY begun_at, id`, code)
	return p, err
}

// PaymentsOf lists an office's fees, those raised last first; all if empty.
func (q *Queries) PaymentsOf(ctx context.Context, office string) ([]Payment, error) {
	return rows[Payment](ctx, q, paymentColumns+`JOIN requests.requests r ON r.code = o.code
		WHERE $1 = '' OR r.office = $1 ORDER BY o.raised_at DESC, o.code LIMIT 200`, office)
}

// Refunds lists an office's refund cases, the oldest open one first; all if the
// office is empty.
func (q *Queries) Refunds(ctx context.Context, office string, open bool) ([]Refund, error) {
	return rows[Refund](ctx, q, refundColumns+`JOIN requests.requests r ON r.code = f.code
		WHERE ($1 = '' OR r.office = $1) AND ($2 = (f.refunded_at IS NULL)) ORDER BY f.opened_at, f.code, f.number LIMIT 200`, office, open)
}

// Contract is a company's latest contract for the fees of its people.
type Contract struct {
	Company string     `json:"company" db:"company"`
	Number  string     `json:"number" db:"number"`
	Until   time.Time  `json:"until" db:"until"`
	Since   time.Time  `json:"since" db:"since"`
	EndedAt *time.Time `json:"endedAt,omitempty" db:"ended_at"`
}

// Contracts lists them by company.
func (q *Queries) Contracts(ctx context.Context) ([]Contract, error) {
	return rows[Contract](ctx, q, `SELECT company, number, until, since, ended_at FROM payments.contracts ORDER BY company LIMIT 1000`)
}

// DuePayments are the attempts whose time has come, oldest first.
func (q *Queries) DuePayments(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], `SELECT id FROM payments.attempts WHERE due_at IS NOT NULL AND (due_at <= $1 OR set_at > $2)
		ORDER BY due_at LIMIT $3`, now, now.Add(event.Apart), limit)
}
