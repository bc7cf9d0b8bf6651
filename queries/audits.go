package queries

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// auditEvery is how old the latest audit may be: one is made each day, and a day
// may be missed.
const auditEvery = 48 * time.Hour

// Audit is the latest daily audit of the certificates that ended.
type Audit struct {
	Day         string    `json:"day,omitempty" doc:"Of Tehran; none if no audit ever ended"`
	At          time.Time `json:"at,omitzero" doc:"When it ended"`
	Checked     int64     `json:"checked" doc:"Certificates that it looked at"`
	Erased      int64     `json:"erased" doc:"Of them, not wholly checkable, for somebody was erased"`
	Differences []Count   `json:"differences" doc:"By kind"`
	Overdue     bool      `json:"overdue" doc:"None ended in the last two days"`
}

// Found is how many differences there are, of all kinds.
func (a Audit) Found() (n int64) {
	for _, c := range a.Differences {
		n += c.Count
	}
	return n
}

// LatestAudit is that at a moment; the zero Audit, overdue, if there was none.
func (q *Queries) LatestAudit(ctx context.Context, now time.Time) (Audit, error) {
	type ended struct {
		Day         string         `db:"day"`
		At          time.Time      `db:"at"`
		Checked     int64          `db:"checked"`
		Erased      int64          `db:"erased"`
		Differences map[string]int `db:"differences"`
	}
	list, err := rows[ended](ctx, q, `SELECT day, completed_at AS at, checked, erased, differences FROM audits.audits
		WHERE completed_at IS NOT NULL ORDER BY completed_at DESC LIMIT 1`)
	a := Audit{Differences: []Count{}, Overdue: true}
	for _, e := range list {
		a.Day, a.At, a.Checked, a.Erased, a.Overdue = e.Day, e.At, e.Checked, e.Erased, now.Sub(e.At) > auditEvery
		for kind, n := range e.Differences {
			a.Differences = append(a.Differences, Count{kind, int64(n)})
		}
	}
	slices.SortFunc(a.Differences, func(x, y Count) int { return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Name, y.Name)) })
	return a, err
}
