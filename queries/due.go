package queries

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"govahi/domain/event"
	"govahi/domain/token"
)

// itsTime is said of what event.IsDue.
const itsTime = `status = 'due' AND (due_at <= $1 OR set_at > $2)`

// DueInquiries are the numbers of inquiries whose time has come, oldest first.
func (q *Queries) DueInquiries(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return q.due(ctx, `SELECT id FROM inquiries.inquiries WHERE `+itsTime+` ORDER BY due_at LIMIT $3`, now, limit)
}

// DueNotifications are the IDs of messages whose time has come, oldest first.
func (q *Queries) DueNotifications(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return q.due(ctx, `SELECT id FROM notifications.notifications WHERE `+itsTime+` ORDER BY due_at LIMIT $3`, now, limit)
}

func (q *Queries) due(ctx context.Context, sql string, now time.Time, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], sql, now, now.Add(event.Apart), limit)
}

// DueTokens are the serials of tokens that are overdue by the terms of custody:
// for an alarm, or after it for their end; those that wait longest first.
func (q *Queries) DueTokens(t token.Terms) func(context.Context, time.Time, int) ([]string, error) {
	return func(ctx context.Context, now time.Time, limit int) ([]string, error) {
		ago := func(d time.Duration) time.Time { return now.Add(-d) }
		return ask(ctx, q, pgx.RowTo[string], `SELECT serial FROM tokens.tokens
			WHERE status = 'in-transit' AND since <= CASE WHEN alarm IS NULL THEN $1 ELSE $2 END
			   OR status = 'personalised' AND born <= CASE WHEN alarm IS NULL THEN $3 ELSE $4 END
			   OR status = 'delivered' AND since <= CASE WHEN alarm IS NULL THEN $5 ELSE $6 END
			ORDER BY since LIMIT $7`,
			ago(t.Receipt.Alarm), ago(t.Receipt.End), ago(t.Delivery.Alarm), ago(t.Delivery.End),
			ago(t.Activation.Alarm), ago(t.Activation.End), limit)
	}
}
