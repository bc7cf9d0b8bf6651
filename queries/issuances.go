package queries

import (
	"context"
	"time"
)

// Issuance is a request that the CA has to do with: it lies there, or was given
// back and is not issued since. No person is in it.
type Issuance struct {
	TrackingCode string    `json:"trackingCode" db:"code"`
	Channel      string    `json:"channel" db:"channel"`
	Type         string    `json:"certificateType" db:"certificate_type"`
	Basis        *string   `json:"basis,omitempty" db:"basis" doc:"renewal, re-key or modification, of what follows a certificate"`
	State        string    `json:"state" db:"status"`
	StateName    string    `json:"stateName" db:"-" doc:"The state, in Persian"`
	Since        time.Time `json:"since" db:"status_since"`
	Office       *string   `json:"office,omitempty" db:"office"`
	Attempts     int       `json:"attempts" db:"attempts" doc:"Serials that were tried"`
	Failure      *string   `json:"failure,omitempty" db:"failure" doc:"Code of why the CA gave it back the last time"`
	Why          *Words    `json:"why,omitempty" db:"-" doc:"The same in words: what is wrong, and the remedy"`
}

// Words say something in both languages.
type Words struct {
	Fa string `json:"fa" doc:"Persian"`
	En string `json:"en" doc:"English"`
}

// Issuances is the CA's queue, those that wait longest first.
func (q *Queries) Issuances(ctx context.Context) ([]Issuance, error) {
	return rows[Issuance](ctx, q, `SELECT code, channel, certificate_type, basis, status, status_since, office, attempts, failure FROM requests.requests
		WHERE (status = 'at-ca' OR failure IS NOT NULL) AND status NOT IN ('rejected', 'withdrawn') ORDER BY status_since, code LIMIT 200`)
}
