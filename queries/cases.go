package queries

import (
	"context"
	"time"

	"govahi/domain/revocation"
)

// Case is a report of false information.
type Case struct {
	Number     string     `json:"number" db:"number"`
	Serial     string     `json:"serial" db:"serial"`
	Status     string     `json:"status" db:"status"`
	Source     string     `json:"source" db:"source"`
	Evidence   int        `json:"evidence" db:"evidence" doc:"Pieces of evidence, the first with the opening"`
	Finding    *string    `json:"finding,omitempty" db:"finding"`
	ReportedAt time.Time  `json:"reportedAt" db:"reported_at"`
	DecidedAt  *time.Time `json:"decidedAt,omitempty" db:"decided_at"`
	Statement  string     `json:"statement,omitempty" db:"-"` // empty once erased
	Verdict    string     `json:"verdict,omitempty" db:"-"`

	SealedStatement []byte `json:"-" db:"statement"`
	SealedVerdict   []byte `json:"-" db:"verdict"`
}

// Cases lists cases of a status, the oldest first; all if empty.
func (q *Queries) Cases(ctx context.Context, status string) ([]Case, error) {
	list, err := rows[Case](ctx, q, `SELECT number, serial, status, source, evidence, finding, reported_at, decided_at, statement, verdict
		FROM cases.cases WHERE $1 = '' OR status = $1 ORDER BY reported_at LIMIT 200`, status)
	if err != nil {
		return nil, err
	}
	for i, c := range list {
		s, _, err := unsealed[revocation.Statement](ctx, q, c.SealedStatement)
		if err != nil {
			return nil, err
		}
		v, _, err := unsealed[revocation.Statement](ctx, q, c.SealedVerdict)
		if err != nil {
			return nil, err
		}
		list[i].Statement, list[i].Verdict = s.Text, v.Text
	}
	return list, nil
}
