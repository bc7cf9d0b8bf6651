package queries

import (
	"context"
	"time"

	"govahi/domain/payment"
)

// Unverified is how many payments wait for a bank's word, and since when.
type Unverified struct {
	Provider string    `db:"provider"`
	Count    int       `db:"count"`
	Due      int       `db:"due"`  // begun more than 5 minutes ago
	Late     int       `db:"late"` // 15: banks may give back from then on what was not verified (domain §5.5)
	Old      int       `db:"old"`  // an hour
	Oldest   time.Time `db:"oldest"`
}

// Age is the oldest's; zero if there is none.
func (u Unverified) Age(now time.Time) time.Duration {
	if u.Count == 0 {
		return 0
	}
	return max(0, now.Sub(u.Oldest))
}

// Unverified counts, by bank, the attempts that are neither verified nor over.
func (q *Queries) Unverified(ctx context.Context, now time.Time) ([]Unverified, error) {
	waiting := []string{string(payment.StatusOpen), string(payment.StatusAway), string(payment.StatusCheck)}
	return rows[Unverified](ctx, q, `SELECT provider, count(*) AS count, min(begun_at) AS oldest,
		count(*) FILTER (WHERE begun_at <= $1::timestamptz - interval '5 minutes') AS due,
		count(*) FILTER (WHERE begun_at <= $1::timestamptz - interval '15 minutes') AS late,
		count(*) FILTER (WHERE begun_at <= $1::timestamptz - interval '1 hour') AS old
		FROM payments.attempts WHERE due_at IS NOT NULL AND status = ANY($2) GROUP BY provider ORDER BY provider`, now, waiting)
}
