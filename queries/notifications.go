package queries

import (
	"context"
	"time"

	"govahi/domain/event"
	"govahi/domain/notification"
)

// Message is one that was written to a person, without its text and address.
type Message struct {
	Template     notification.Template `json:"template" db:"template"`
	Title        string                `json:"title" db:"-" doc:"Its subject line, in Persian"`
	TrackingCode string                `json:"trackingCode" db:"request" doc:"Of the request that it is about"`
	Means        notification.Means    `json:"means" db:"means" enum:"email"`
	RequestedAt  time.Time             `json:"requestedAt" db:"requested_at"`
	State        string                `json:"state" db:"state" enum:"requested,waiting,sent,failed,bounced" doc:"bounced: it came back. Of a code for an e-mail address nothing else is told than that it was requested"`
	SentAt       *time.Time            `json:"sentAt,omitempty" db:"sent_at" doc:"When the mail server took it"`
}

// MessagesTo lists those to a person, the newest first. Whether a code went out
// stays untold: it depends on what others had sent to the same address, which
// need not be his (docs/adr/0009).
func (q *Queries) MessagesTo(ctx context.Context, person event.Subject) ([]Message, error) {
	return rows[Message](ctx, q, `SELECT template, request, $3::text AS means, requested_at,
		CASE WHEN bounced IS NOT NULL THEN 'bounced' WHEN template = $2 THEN 'requested' WHEN status = 'due' THEN 'waiting' ELSE status END AS state,
		CASE WHEN template <> $2 THEN sent_at END AS sent_at
		FROM notifications.notifications WHERE person = $1 ORDER BY requested_at DESC, id LIMIT 200`,
		person, notification.EmailCode, notification.ByEmail)
}
