package queries

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"govahi/domain/event"
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

// DueSuspensions are the serials that nobody has lifted in time.
func (q *Queries) DueSuspensions(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], `SELECT serial FROM certificates.certificates
		WHERE status = 'suspended' AND until <= $1 ORDER BY until LIMIT $2`, now, limit)
}

func (q *Queries) due(ctx context.Context, sql string, now time.Time, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], sql, now, now.Add(event.Apart), limit)
}
