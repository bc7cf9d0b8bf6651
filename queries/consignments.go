package queries

import (
	"context"
	"time"
)

// Consignment is a bag of dossiers, and what was found in it (S1.19).
type Consignment struct {
	Number     string    `json:"number" db:"number"`
	Status     string    `json:"status" db:"status"`
	From       string    `json:"from" db:"sender"`
	To         string    `json:"to" db:"receiver"`
	Dossiers   []string  `json:"dossiers" db:"dossiers"`
	Missing    []string  `json:"missing" db:"missing"`
	Surplus    []string  `json:"surplus" db:"surplus"`
	Seal       string    `json:"seal" db:"seal"`
	SealIntact *bool     `json:"sealIntact,omitempty" db:"seal_intact"`
	Cause      *string   `json:"cause,omitempty" db:"cause"`
	SentAt     time.Time `json:"sentAt" db:"sent_at"`
	Since      time.Time `json:"since" db:"since"`
}

const consignmentColumns = `SELECT number, status, sender, receiver, dossiers, missing, surplus, seal, seal_intact, cause, sent_at, since
	FROM consignments.consignments `

// Consignments lists those that a place sent or that were sent to it, newest
// first.
func (q *Queries) Consignments(ctx context.Context, place string) ([]Consignment, error) {
	return rows[Consignment](ctx, q, consignmentColumns+`WHERE $1 IN (sender, receiver) ORDER BY sent_at DESC, number LIMIT 500`, place)
}

// Discrepancies lists those with an open difference, the oldest first.
func (q *Queries) Discrepancies(ctx context.Context) ([]Consignment, error) {
	return rows[Consignment](ctx, q, consignmentColumns+`WHERE status = 'discrepant' ORDER BY since LIMIT 500`)
}
