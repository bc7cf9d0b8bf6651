package queries

import (
	"context"
	"time"

	"govahi/domain/certificate"
)

// What ends.
const (
	EndsList      = "crl"
	EndsResponder = "responder-certificate"
	EndsLicence   = "office-licence"
	EndsOfficer   = "officer-certificate"
)

// End is something that ends, or must follow itself, at a time.
type End struct {
	Kind   string    `json:"kind" db:"kind" enum:"crl,responder-certificate,office-licence,officer-certificate,issuer-certificate,root-certificate"`
	About  string    `json:"about" db:"about" doc:"Issuer, serial or office"`
	Office *string   `json:"office,omitempty" db:"office" doc:"Of the officer"`
	Name   string    `json:"name,omitempty" db:"name" doc:"Of the issuer or the office"`
	Until  time.Time `json:"until" db:"until"`
}

// Ends lists the next update of each issuer's latest list, the certificates of
// responders and officers that are in force, and all licences, those that have
// ended too: an office is closed until it has another.
func (q *Queries) Ends(ctx context.Context, now time.Time) ([]End, error) {
	return rows[End](ctx, q, `SELECT $3::text AS kind, issuer AS about, NULL AS office, '' AS name, next_update AS until FROM (
			SELECT DISTINCT ON (issuer) issuer, next_update FROM crls.crls WHERE signed_at IS NOT NULL ORDER BY issuer, number DESC) l
		UNION ALL SELECT $4, serial, NULL, '', not_after FROM certificates.certificates
			WHERE status = 'valid' AND not_after > $1 AND public IS NOT NULL
		UNION ALL SELECT $5, code, NULL, name, until FROM offices.offices WHERE until IS NOT NULL
		UNION ALL SELECT $6, c.serial, k.office, '', c.not_after FROM certificates.certificates c LEFT JOIN credentials.credentials k ON k.serial = c.serial
			WHERE c.status IN ('valid', 'suspended') AND c.not_after > $1 AND split_part(c.profile, '@', 1) = $2
		ORDER BY until, kind, about LIMIT 1000`, now, certificate.OfficersProfile, EndsList, EndsResponder, EndsLicence, EndsOfficer)
}
