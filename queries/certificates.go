package queries

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"govahi/domain/certificate"
	"govahi/domain/crl"
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
	HeldAt      *time.Time `json:"heldAt,omitempty" db:"held_at"`
	HeldUntil   *time.Time `json:"heldUntil,omitempty" db:"held_until"`

	Person *string `json:"-" db:"person"`
	Sealed []byte  `json:"-" db:"certificate"`
	Public []byte  `json:"-" db:"public"`
}

const certificateColumns = `SELECT serial, request, profile, status, fingerprint, not_before, not_after, issued_at, token,
	reason, ground, revoked_at, cause, held_at, held_until, person, certificate, public FROM certificates.certificates `

// Certificate is one serial.
func (q *Queries) Certificate(ctx context.Context, serial string) (Certificate, error) {
	return row[Certificate](ctx, q, certificate.ErrNotIssued, certificateColumns+`WHERE serial = $1`, serial)
}

// ByFingerprint is the certificate with a SHA-256, lower-case hexadecimal.
func (q *Queries) ByFingerprint(ctx context.Context, fingerprint string) (Certificate, error) {
	return row[Certificate](ctx, q, certificate.ErrNotIssued, certificateColumns+`WHERE fingerprint = $1`, fingerprint)
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

// CRL is a revocation list's place in its series, without the list itself.
type CRL struct {
	Number     int64      `json:"number" db:"number"`
	ThisUpdate time.Time  `json:"thisUpdate" db:"this_update"`
	NextUpdate time.Time  `json:"nextUpdate" db:"next_update"`
	Entries    int        `json:"entries" db:"entries"`
	SHA256     *string    `json:"sha256,omitempty" db:"sha256" doc:"Of the DER, hexadecimal; none if it was never signed"`
	Size       *int64     `json:"size,omitempty" db:"size" doc:"Of the DER, bytes"`
	SignedAt   *time.Time `json:"signedAt,omitempty" db:"signed_at"`
}

// CRLs lists an issuer's latest numbers, the last first.
func (q *Queries) CRLs(ctx context.Context, issuer string) ([]CRL, error) {
	return rows[CRL](ctx, q, `SELECT number, this_update, next_update, entries, sha256, size, signed_at FROM crls.crls
		WHERE issuer = $1 ORDER BY number DESC LIMIT 200`, issuer)
}

// List is the list that lies on the shelf. It may have a million entries, so it
// is fetched once for each number, and kept for as long as the shelf cannot be
// looked at: it says itself how long it is good.
func (q *Queries) List(ctx context.Context, issuer string) (crl.List, error) {
	kept := q.kept(issuer)
	lies, err := row[struct {
		Number int64 `db:"number"`
	}](ctx, q, crl.ErrNone, `SELECT number FROM shelf.lists WHERE issuer = $1`, issuer)
	switch {
	case errors.Is(err, crl.ErrNone), kept.Number == 0 && noShelf(err):
		return crl.List{}, crl.ErrNone
	case err != nil && kept.Number > 0:
		return kept, nil
	case err != nil || uint64(lies.Number) == kept.Number:
		return kept, err
	}
	if q.fetching.TryLock() {
		defer q.fetching.Unlock()
	} else if kept.Number > 0 {
		return kept, nil // another fetches it; nobody waits behind him
	}
	fresh, err := row[listed](ctx, q, crl.ErrNone, `SELECT number, this_update, next_update, der FROM shelf.lists WHERE issuer = $1`, issuer)
	if err != nil {
		return crl.List{}, err
	}
	list := crl.List{Number: uint64(fresh.Number), ThisUpdate: fresh.ThisUpdate, NextUpdate: fresh.NextUpdate, DER: fresh.DER}
	q.fetched.Store(issuer, list)
	return list, nil
}

func (q *Queries) kept(issuer string) crl.List {
	kept, _ := q.fetched.Load(issuer)
	list, _ := kept.(crl.List)
	return list
}

// noShelf says that nobody has put a list there yet.
func noShelf(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000")
}

type listed struct {
	Number     int64     `db:"number"`
	ThisUpdate time.Time `db:"this_update"`
	NextUpdate time.Time `db:"next_update"`
	DER        []byte    `db:"der"`
}
