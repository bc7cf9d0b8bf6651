package queries

import (
	"context"
	"time"
)

// Inquiry is a line of the log of inquiries: who asked, why and by what right,
// and by which code the registry remembers it (invariant 10). Of the person
// asked about it has nothing, and nothing of the answer.
type Inquiry struct {
	Number       string     `json:"inquiry" db:"id"`
	TrackingCode string     `json:"trackingCode" db:"request" doc:"Of the request"`
	Purpose      string     `json:"purpose" db:"purpose"`
	LegalBasis   string     `json:"legalBasis" db:"legal_basis"`
	AskedBy      string     `json:"askedBy" db:"asked_by" doc:"Pseudonym, as in the list of appointments; or a policy of the house"`
	AskedAt      time.Time  `json:"askedAt" db:"asked_at"`
	Status       string     `json:"status" db:"status" enum:"due,answered,inconclusive"`
	RegistryCode *string    `json:"registryTrackingCode,omitempty" db:"tracking_code" doc:"None before the answer"`
	AnsweredAt   *time.Time `json:"answeredAt,omitempty" db:"answered_at"`
}

// Asked narrows the log of inquiries. All fields may be empty.
type Asked struct {
	Purpose     string
	From, Until time.Time // when it was asked: From ≤ t < Until
	After       string    // the last inquiry of the page before
}

// Inquiries is a page of the log, the newest first.
func (q *Queries) Inquiries(ctx context.Context, a Asked) ([]Inquiry, error) {
	return rows[Inquiry](ctx, q, `SELECT id, request, purpose, legal_basis, asked_by, asked_at, status, tracking_code, answered_at
		FROM inquiries.inquiries WHERE ($1 = '' OR purpose = $1)
		AND ($2::timestamptz IS NULL OR asked_at >= $2) AND ($3::timestamptz IS NULL OR asked_at < $3)
		AND ($4 = '' OR (asked_at, id) < (SELECT asked_at, id FROM inquiries.inquiries WHERE id = $4))
		ORDER BY asked_at DESC, id DESC LIMIT 200`, a.Purpose, orNone(a.From), orNone(a.Until), a.After)
}

// orNone is a time, or none for the zero one.
func orNone(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
