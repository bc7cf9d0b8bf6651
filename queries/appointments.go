package queries

import (
	"context"
	"time"
)

// Appointment is a post that somebody was appointed to and not dismissed from.
type Appointment struct {
	Person  string    `json:"person" db:"person" doc:"Pseudonym"`
	Role    string    `json:"role" db:"role"`
	Place   string    `json:"place,omitempty" db:"place" doc:"Office or unit; none for the whole house"`
	Until   time.Time `json:"until" db:"until"`
	InForce bool      `json:"inForce" db:"in_force" doc:"False once the end has come"`
	Since   time.Time `json:"since" db:"since"`
	By      string    `json:"by" db:"appointed_by" doc:"Pseudonym of who appointed"`
}

// Appointments lists the posts at an office or unit, or all if empty, those that
// end first at the top of each place.
func (q *Queries) Appointments(ctx context.Context, office string, now time.Time) ([]Appointment, error) {
	return rows[Appointment](ctx, q, `SELECT person, role, place, until, until > $2 AS in_force, since, appointed_by
		FROM appointments.appointments WHERE $1 = '' OR place = $1 ORDER BY place, until, role, person LIMIT 1000`, office, now)
}
