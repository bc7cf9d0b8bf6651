package queries

import (
	"context"
	"time"

	"govahi/domain/event"
)

// Credential is a request for an officer's own certificate (domain §4.5).
type Credential struct {
	Number string    `json:"number" db:"number"`
	Person string    `json:"person" db:"person" doc:"Pseudonym, as in the list of appointments"`
	Office string    `json:"office" db:"office"`
	Status string    `json:"status" db:"status"`
	Serial *string   `json:"serial,omitempty" db:"serial"`
	Since  time.Time `json:"since" db:"since"`
}

const credentialColumns = `SELECT number, person, office, status, serial, since FROM credentials.credentials `

// Credentials lists the newest of all officers.
func (q *Queries) Credentials(ctx context.Context) ([]Credential, error) {
	return rows[Credential](ctx, q, credentialColumns+`ORDER BY since DESC, number LIMIT 500`)
}

// CredentialsOf lists those of one officer.
func (q *Queries) CredentialsOf(ctx context.Context, person event.Subject) ([]Credential, error) {
	return rows[Credential](ctx, q, credentialColumns+`WHERE person = $1 ORDER BY since DESC, number LIMIT 500`, person)
}
