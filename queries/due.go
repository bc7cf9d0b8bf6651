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

// DueSuspensions are the serials that nobody has lifted in time.
func (q *Queries) DueSuspensions(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], `SELECT serial FROM certificates.certificates
		WHERE status = 'suspended' AND held_until <= $1 ORDER BY held_until LIMIT $2`, now, limit)
}

// DueReinquiries are the serials in force at a moment, whose holders were asked
// about before another one for the last time.
func (q *Queries) DueReinquiries(ctx context.Context, before, now time.Time, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], `SELECT c.serial FROM certificates.certificates c
		WHERE c.status IN ('valid', 'suspended') AND c.not_after > $2 AND c.issued_at <= $1 AND c.request IS NOT NULL AND c.certificate IS NOT NULL
		AND NOT EXISTS (SELECT FROM inquiries.inquiries i WHERE i.request = c.request AND i.purpose = 'certificate-reinquiry'
			AND (i.asked_at > $1 OR i.status = 'due'))
		ORDER BY c.issued_at LIMIT $3`, before, now, limit)
}

// DueReminders are the certificates whose holders were not reminded on the
// nearest of the days before expiry, as SERIAL/DAYS. Who was erased has no address.
func (q *Queries) DueReminders(ctx context.Context, now time.Time, days []int, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], `SELECT c.serial || '/' || d.days FROM certificates.certificates c
		JOIN LATERAL (SELECT min(x) AS days FROM unnest($2::int[]) x WHERE c.not_after <= $1::timestamptz + make_interval(hours => 24 * x)) d ON d.days IS NOT NULL
		WHERE c.status IN ('valid', 'suspended') AND c.not_after > $1 AND c.request IS NOT NULL AND c.certificate IS NOT NULL
		AND NOT EXISTS (SELECT FROM notifications.notifications n WHERE n.id = 'expiry-' || c.serial || '-' || d.days)
		ORDER BY c.not_after LIMIT $3`, now, days, limit)
}

// waiting are the requests whose certificate was issued and for which no token's
// custody runs; see enrollment.Enrollment.Waits.
const waiting = `SELECT r.code FROM requests.requests r JOIN requests.steps s ON s.code = r.code AND s.state = 'issued'
	WHERE (r.basis = 'renewal' AND r.status IN ('issued', 'ready-for-delivery')
		OR r.status = 'issued' AND EXISTS (SELECT FROM tokens.tokens t WHERE t.serial = r.token AND t.status = 'reserved')) `

// DueDeliveries are those that were issued before a moment, the oldest first.
func (q *Queries) DueDeliveries(ctx context.Context, before time.Time, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], waiting+`AND s.since < $1 ORDER BY s.since LIMIT $2`, before, limit)
}

// DueDeliveryReminders are those of them whose holders were not reminded yet. Who
// was erased has no address.
func (q *Queries) DueDeliveryReminders(ctx context.Context, before time.Time, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], waiting+`AND s.since <= $1 AND r.form IS NOT NULL
		AND NOT EXISTS (SELECT FROM notifications.notifications n WHERE n.id = 'delivery-' || r.code) ORDER BY s.since LIMIT $2`, before, limit)
}

// Before is the moment before which something is due: for the certificates of
// some profiles, and for everything else.
type Before struct {
	Profiles map[string]time.Time
	Else     time.Time
}

// arguments are those of delivered, and the limit after them.
func (b Before) arguments(limit int) []any {
	var profiles []string
	var moments []time.Time
	for id, moment := range b.Profiles {
		profiles, moments = append(profiles, id), append(moments, moment)
	}
	return []any{b.Else, profiles, moments, limit}
}

// delivered are the requests that are not accepted yet, each with the moment of
// its certificate's profile.
const delivered = `SELECT r.code FROM requests.requests r LEFT JOIN certificates.certificates c ON c.serial = r.serial
	LEFT JOIN unnest($2::text[], $3::timestamptz[]) AS p (id, before) ON p.id = c.profile WHERE r.status = 'delivered' `

// DueAcceptances are those of them that were delivered before that moment, the
// oldest first.
func (q *Queries) DueAcceptances(ctx context.Context, before Before, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], delivered+`AND r.delivered_at < coalesce(p.before, $1)
		ORDER BY r.delivered_at LIMIT $4`, before.arguments(limit)...)
}

// DueAcceptanceReminders are those of them, delivered by then, that were not
// reminded yet.
func (q *Queries) DueAcceptanceReminders(ctx context.Context, before Before, limit int) ([]string, error) {
	return ask(ctx, q, pgx.RowTo[string], delivered+`AND r.delivered_at <= coalesce(p.before, $1) AND r.form IS NOT NULL
		AND NOT EXISTS (SELECT FROM notifications.notifications n WHERE n.id = 'acceptance-' || r.code)
		ORDER BY r.delivered_at LIMIT $4`, before.arguments(limit)...)
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
			WHERE status = 'in-transit' AND since <= CASE WHEN alarm IS NULL THEN $1::timestamptz ELSE $2 END
			   OR status = 'personalised' AND born <= CASE WHEN alarm IS NULL THEN $3::timestamptz ELSE $4 END
			   OR status = 'delivered' AND since <= CASE WHEN alarm IS NULL THEN $5::timestamptz ELSE $6 END
			   OR status = 'recalled' AND holder_to IS NOT NULL AND alarm IS NULL AND since <= $1
			ORDER BY since LIMIT $7`,
			ago(t.Receipt.Alarm), ago(t.Receipt.End), ago(t.Delivery.Alarm), ago(t.Delivery.End),
			ago(t.Activation.Alarm), ago(t.Activation.End), limit)
	}
}
