package queries

import (
	"context"
	"time"

	"govahi/domain/certificate"
	"govahi/domain/event"
	"govahi/domain/fault"
	"govahi/domain/iran"
)

// Certificate is a serial and where it stands.
type Certificate struct {
	Serial      string     `json:"serial" db:"serial"`
	Request     *string    `json:"request,omitempty" db:"request"`
	Profile     string     `json:"profile" db:"profile"`
	Status      string     `json:"status" db:"status"`
	Fingerprint *string    `json:"fingerprint,omitempty" db:"fingerprint"`
	NotBefore   *time.Time `json:"notBefore,omitempty" db:"not_before"`
	NotAfter    *time.Time `json:"notAfter,omitempty" db:"not_after"`
	IssuedAt    *time.Time `json:"issuedAt,omitempty" db:"issued_at"`
	Token       *string    `json:"token,omitempty" db:"token"`
	Reason      *string    `json:"reason,omitempty" db:"reason"`
	Ground      *string    `json:"ground,omitempty" db:"ground"`
	RevokedAt   *time.Time `json:"revokedAt,omitempty" db:"revoked_at"`
	Case        *string    `json:"case,omitempty" db:"cause"`
	Until       *time.Time `json:"suspendedUntil,omitempty" db:"until"`

	Person *string `json:"-" db:"person"`
	Sealed []byte  `json:"-" db:"certificate"`
	Public []byte  `json:"-" db:"public"`
}

const certificateColumns = `SELECT serial, request, profile, status, fingerprint, not_before, not_after, issued_at, token,
	reason, ground, revoked_at, cause, until, person, certificate, public FROM certificates.certificates `

// Certificate is one serial.
func (q *Queries) Certificate(ctx context.Context, serial string) (Certificate, error) {
	return row[Certificate](ctx, q, certificate.ErrNotIssued, certificateColumns+`WHERE serial = $1`, serial)
}

// Certificates lists serials of a status, newest first; every status if empty.
func (q *Queries) Certificates(ctx context.Context, status string) ([]Certificate, error) {
	return rows[Certificate](ctx, q, certificateColumns+`WHERE $1 = '' OR status = $1
		ORDER BY issued_at DESC NULLS LAST, serial LIMIT 200`, status)
}

// Particulars are by what somebody at a counter is found who does not have those
// of his certificate (domain §4.4, the alternative section of the form).
type Particulars struct {
	TrackingCode string `json:"trackingCode,omitempty" required:"false" maxLength:"200" doc:"Of the request; or else:"`
	PersonCode   string `json:"personCode,omitempty" required:"false" maxLength:"40" doc:"National code, together with the mobile"`
	Mobile       string `json:"mobile,omitempty" required:"false" maxLength:"30"`
}

// ErrParticulars asks for enough to find one person by, and no more than one.
var ErrParticulars = fault.New(fault.Invalid, "particulars-missing",
	"کد رهگیری، یا کد ملی و شمارهٔ همراه را با هم بنویسید.",
	"Give the tracking code, or the national code together with the mobile.").At("trackingCode")

// Candidates are the certificates that an office may mean, newest first.
func (q *Queries) Candidates(ctx context.Context, office string, p Particulars) ([]Certificate, error) {
	person, phone := q.term("person", iran.Digits(p.PersonCode)), q.term("mobile", mobile(p.Mobile))
	if p.TrackingCode == "" && (person == nil || phone == nil) {
		return nil, ErrParticulars
	}
	return rows[Certificate](ctx, q, certificateColumns+`WHERE issued_at IS NOT NULL AND request IN (
		SELECT code FROM requests.requests WHERE COALESCE(office, counter) = $1
		AND CASE WHEN $2 <> '' THEN code = $2 ELSE person_term = $3 AND mobile_term = $4 END)
		ORDER BY issued_at DESC, serial LIMIT 200`, office, p.TrackingCode, person, phone)
}

// DER is the certificate itself, or ErrErased.
func (q *Queries) DER(ctx context.Context, c Certificate) ([]byte, error) {
	if c.Public != nil {
		return c.Public, nil
	}
	value, ok, err := unsealed[certificate.DER](ctx, q, c.Sealed)
	if err == nil && !ok {
		err = event.ErrErased
		if c.Fingerprint == nil {
			err = certificate.ErrNotIssued
		}
	}
	return value.DER, err
}

// CRL is the latest signed list of an issuer.
type CRL struct {
	Number     int64     `db:"number"`
	ThisUpdate time.Time `db:"this_update"`
	NextUpdate time.Time `db:"next_update"`
	DER        []byte    `db:"der"`
}

// CRL is the latest list of an issuer.
func (q *Queries) CRL(ctx context.Context, issuer string) (CRL, error) {
	return row[CRL](ctx, q, certificate.ErrNotIssued, `SELECT number, this_update, next_update, der FROM crls.crls
		WHERE issuer = $1 AND der IS NOT NULL ORDER BY number DESC LIMIT 1`, issuer)
}
