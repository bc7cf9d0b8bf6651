package queries

import (
	"context"
	"time"

	"govahi/domain/access"
)

// Access is a CPMIS user. It is active only while its certificate is valid,
// whatever the cascade has reached (invariant 8, computed from both).
type Access struct {
	UserName    string    `json:"userName" db:"user_name"`
	Level       string    `json:"level" db:"level"`
	Request     string    `json:"request" db:"request"`
	Serial      string    `json:"serial" db:"serial"`
	Fingerprint string    `json:"fingerprint" db:"fingerprint"`
	Unit        string    `json:"unit" db:"unit"`
	Active      bool      `json:"active" db:"active"`
	Since       time.Time `json:"since" db:"since"`
}

const accessColumns = `SELECT a.user_name, a.level, a.request, a.serial, a.fingerprint, a.unit, a.since,
	a.active AND COALESCE(c.status = 'valid' AND c.not_after > $1, false) AS active
	FROM accesses.accesses a LEFT JOIN certificates.certificates c ON c.serial = a.serial `

// Access is one user.
func (q *Queries) Access(ctx context.Context, userName string, now time.Time) (Access, error) {
	return row[Access](ctx, q, access.ErrNotFound, accessColumns+`WHERE a.user_name = $2`, now, userName)
}

// Accesses lists the users of a unit.
func (q *Queries) Accesses(ctx context.Context, unit string, now time.Time) ([]Access, error) {
	return rows[Access](ctx, q, accessColumns+`WHERE a.unit = $2 ORDER BY a.user_name LIMIT 500`, now, unit)
}
