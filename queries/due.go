package queries

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// DueInquiries are the numbers of inquiries whose time has come, oldest first.
func (q *Queries) DueInquiries(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return q.due(ctx, `SELECT id FROM inquiries.inquiries WHERE status = 'due' AND due_at <= $1 ORDER BY due_at LIMIT $2`, now, limit)
}

// DueNotifications are the IDs of messages whose time has come, oldest first.
func (q *Queries) DueNotifications(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return q.due(ctx, `SELECT id FROM notifications.notifications WHERE status = 'due' AND due_at <= $1 ORDER BY due_at LIMIT $2`, now, limit)
}

func (q *Queries) due(ctx context.Context, sql string, now time.Time, limit int) ([]string, error) {
	r, err := q.Pool.Query(ctx, sql, now, limit)
	if err != nil {
		return nil, errors.Join(ErrViewsUnavailable, err)
	}
	return pgx.CollectRows(r, pgx.RowTo[string])
}
