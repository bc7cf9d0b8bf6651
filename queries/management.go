package queries

import (
	"context"
	"fmt"
	"slices"
	"time"

	"govahi/domain/iran"
)

// Management is the view of those who lead: how many, where, how long, and why
// not.
type Management struct {
	States      []StateCount `json:"states"`
	Provinces   []Count      `json:"provinces"`
	Offices     []Count      `json:"offices"`
	Waiting     []Waiting    `json:"waiting"`
	Rejections  []Count      `json:"rejections"`
	Revocations []Count      `json:"revocations"`
	OpenCases   int64        `json:"openCases"`
	Expiries    []Count      `json:"expiries" doc:"Certificates in force by the Jalali month in which they end"`
	Audit       Audit        `json:"audit" doc:"The latest audit of the certificates"`
	At          time.Time    `json:"at"`
}

// Count is how many of one name.
type Count struct {
	Name  string `json:"name" db:"name"`
	Count int64  `json:"count" db:"count"`
}

// StateCount is how many requests of a channel are in a state.
type StateCount struct {
	Channel string `json:"channel" db:"channel"`
	State   string `json:"state" db:"state"`
	Count   int64  `json:"count" db:"count"`
}

// Waiting is how long requests have stood in a state.
type Waiting struct {
	State         string  `json:"state" db:"state"`
	Count         int64   `json:"count" db:"count"`
	MedianSeconds float64 `json:"medianSeconds" db:"-"`
	OldestSeconds float64 `json:"oldestSeconds" db:"-"`

	Median time.Time `json:"-" db:"median"` // since when
	Oldest time.Time `json:"-" db:"oldest"`
}

// Lasting is what of the view is another only if something happened: by the
// clock alone every waiting grows longer.
func (m Management) Lasting() any {
	m.Waiting, m.Expiries, m.Audit.Overdue = slices.Clone(m.Waiting), nil, false
	m.date(time.Unix(0, 0))
	return m
}

// date says how long everything has waited at a moment.
func (m *Management) date(at time.Time) {
	m.At = at
	for i, w := range m.Waiting {
		m.Waiting[i].MedianSeconds, m.Waiting[i].OldestSeconds = at.Sub(w.Median).Seconds(), at.Sub(w.Oldest).Seconds()
	}
}

// Management counts at a moment.
func (q *Queries) Management(ctx context.Context, now time.Time) (m Management, err error) {
	if m.States, err = rows[StateCount](ctx, q, `SELECT r.channel, `+effective+` AS state, count(*) AS count`+
		requestTables+`GROUP BY 1, 2 ORDER BY 1, 2`); err != nil {
		return m, err
	}
	if m.Waiting, err = rows[Waiting](ctx, q, `SELECT status AS state, count(*) AS count,
		to_timestamp(percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM status_since))) AS median, min(status_since) AS oldest
		FROM requests.requests WHERE status NOT IN ('accepted', 'rejected', 'withdrawn', 'revoked') GROUP BY 1 ORDER BY oldest`); err != nil {
		return m, err
	}
	m.date(now)
	for _, c := range []struct {
		into *[]Count
		sql  string
	}{
		{&m.Provinces, `SELECT province AS name, count(*) AS count FROM requests.requests WHERE province IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1`},
		{&m.Offices, `SELECT office AS name, count(*) AS count FROM requests.requests WHERE office IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1`},
		{&m.Rejections, `SELECT rejection AS name, count(*) AS count FROM requests.requests WHERE rejection IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1`},
		{&m.Revocations, `SELECT reason AS name, count(*) AS count FROM certificates.certificates WHERE reason IS NOT NULL AND issued_at IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1`},
	} {
		if *c.into, err = rows[Count](ctx, q, c.sql); err != nil {
			return m, err
		}
	}
	open, err := row[Count](ctx, q, nil, `SELECT 'open' AS name, count(*) AS count FROM cases.cases WHERE status IN ('open', 'investigating')`)
	if m.OpenCases = open.Count; err != nil {
		return m, err
	}
	if m.Audit, err = q.LatestAudit(ctx, now); err != nil {
		return m, err
	}
	m.Expiries, err = q.Holders(ctx, now)
	return m, err
}

// Holders counts the holders' certificates in force by the Jalali month in which
// they end, as the calendar of who has to renew them.
func (q *Queries) Holders(ctx context.Context, now time.Time) ([]Count, error) {
	type end struct {
		At    time.Time `db:"at"`
		Count int64     `db:"count"`
	}
	ends, err := rows[end](ctx, q, `SELECT date_trunc('day', not_after, 'Asia/Tehran') AS at, count(*) AS count FROM certificates.certificates
		WHERE status IN ('valid', 'suspended') AND not_after > $1 AND request IS NOT NULL GROUP BY 1 ORDER BY 1`, now)
	months := []Count{}
	for _, e := range ends {
		d := iran.FromTime(e.At)
		month := fmt.Sprintf("%04d/%02d", d.Year, d.Month)
		if n := len(months); n == 0 || months[n-1].Name != month {
			months = append(months, Count{Name: month})
		}
		months[len(months)-1].Count += e.Count
	}
	return months, err
}
