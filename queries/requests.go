package queries

import (
	"context"
	"time"

	"govahi/domain/enrollment"
	"govahi/domain/event"
	"govahi/domain/inquiry"
	"govahi/domain/iran"
)

// effective is a request's state with what other streams say: revoked, or
// active in CPMIS (invariant 8, computed).
const effective = `CASE WHEN c.status = 'revoked' THEN 'revoked'
	WHEN r.status = 'accepted' AND EXISTS (SELECT FROM accesses.accesses a WHERE a.serial = r.serial AND a.active) THEN 'active'
	ELSE r.status END`

const requestTables = ` FROM requests.requests r LEFT JOIN certificates.certificates c ON c.serial = r.serial
	LEFT JOIN inquiries.inquiries i ON i.id = r.code || '-' || r.form_version AND i.status = 'due' AND r.status NOT IN ('rejected', 'withdrawn') `

// Request is a line of the officers' queue.
type Request struct {
	TrackingCode string     `json:"trackingCode" db:"code"`
	Channel      string     `json:"channel" db:"channel"`
	Type         string     `json:"certificateType" db:"certificate_type"`
	Basis        *string    `json:"basis,omitempty" db:"basis" doc:"renewal, re-key or modification, of what follows a certificate"`
	Renews       *string    `json:"renews,omitempty" db:"renews" doc:"Serial of the certificate that it follows"`
	State        string     `json:"state" db:"state"`
	Since        time.Time  `json:"since" db:"status_since"`
	OpenedAt     time.Time  `json:"openedAt" db:"opened_at"`
	Unit         *string    `json:"unit,omitempty" db:"unit" doc:"Research and technology unit, inside channel"`
	Dossier      *string    `json:"dossier,omitempty" db:"dossier" doc:"Place that has the papers, or sent them; inside channel"`
	DossierTo    *string    `json:"dossierTo,omitempty" db:"dossier_to" doc:"Where they are on their way to"`
	Origin       *string    `json:"origin,omitempty" db:"origin" doc:"Where the token goes back to"`
	TokenAt      *string    `json:"tokenAt,omitempty" db:"token_at" doc:"The last place that received the token"`
	UserName     *string    `json:"userName,omitempty" db:"user_name" doc:"CPMIS user defined before the delivery"`
	Office       *string    `json:"office,omitempty" db:"office"`
	Counter      *string    `json:"counter,omitempty" db:"counter"`
	Organization *string    `json:"organization,omitempty" db:"organization"`
	Province     *string    `json:"province,omitempty" db:"province"`
	Entry        *string    `json:"entry,omitempty" db:"entry"`
	Email        bool       `json:"emailConfirmed" db:"email_confirmed"`
	Sighted      []string   `json:"sighted" db:"sighted"`
	Corrections  []string   `json:"corrections" db:"corrections" doc:"Fields of the form that the office asked to mend"`
	Identity     *string    `json:"identity,omitempty" db:"identity"`
	RegistryCode *string    `json:"registryTrackingCode,omitempty" db:"registry_code"`
	FeeRial      *int64     `json:"feeRial,omitempty" db:"fee_rial"`
	Rejection    *string    `json:"rejection,omitempty" db:"rejection"`
	Token        *string    `json:"token,omitempty" db:"token"`
	Serial       *string    `json:"serial,omitempty" db:"serial"`
	Fingerprint  *string    `json:"fingerprint,omitempty" db:"fingerprint"`
	Copies       int        `json:"copies" db:"copies"`
	DeliveredAt  *time.Time `json:"deliveredAt,omitempty" db:"delivered_at"`
	ToAttorney   bool       `json:"toAttorney,omitempty" db:"to_attorney" doc:"His lawful attorney received the token for the applicant"`
	Attorney     *Power     `json:"attorney,omitempty" db:"-" doc:"By which power; none once the applicant is erased"`
	Revision     int64      `json:"revision" db:"revision"`
	Name         string     `json:"name,omitempty" db:"-"` // empty once erased

	Waits *inquiry.Deferral `json:"identityWaits,omitempty" db:"-" doc:"Why the registry has not answered yet, and when it is asked again"`

	FormVersion int     `json:"formVersion" db:"form_version"`
	Person      *string `json:"-" db:"person"`
	OpenedBy    string  `json:"-" db:"opened_by"`
	Sealed      []byte  `json:"-" db:"form"`
	Receiver    []byte  `json:"-" db:"attorney"`

	DeferredBy *inquiry.Cause `json:"-" db:"inquiry_cause"`
	AskedAgain *time.Time     `json:"-" db:"inquiry_due"`
}

// Power is the notarised power of attorney by which somebody acted for the
// applicant. Who that was is for those alone who see the form.
type Power struct {
	Number string `json:"power" doc:"Number of the notarised power of attorney"`
	Date   string `json:"date" doc:"Its date, Jalali"`
	Notary string `json:"notary" doc:"The notary's office"`
}

const requestColumns = `SELECT r.code, r.channel, r.certificate_type, r.basis, r.renews, ` + effective + ` AS state, r.status_since, r.opened_at,
	r.unit, r.dossier, r.dossier_to, r.origin, r.token_at, r.user_name, r.office, r.counter, r.organization, r.province, r.entry, r.email_confirmed, r.sighted, r.corrections, r.identity, r.registry_code, r.fee_rial,
	r.rejection, r.token, r.serial, r.fingerprint, r.copies, r.delivered_at, r.to_attorney, r.attorney, r.revision, r.form_version, r.person,
	r.opened_by, r.form, i.cause AS inquiry_cause, i.due_at AS inquiry_due` + requestTables

// Request is one request.
func (q *Queries) Request(ctx context.Context, code string) (Request, error) {
	r, err := row[Request](ctx, q, enrollment.ErrNotFound, requestColumns+`WHERE r.code = $1`, code)
	if err != nil {
		return r, err
	}
	list := []Request{r}
	err = q.names(ctx, list)
	return list[0], err
}

// Step is a state that a request came into, and when.
type Step struct {
	State   string    `json:"state" db:"state"`
	Since   time.Time `json:"since" db:"since"`
	Failure *string   `json:"failure,omitempty" db:"failure" doc:"Code of why the CA gave it back, if that brought it there"`
}

// Steps is a request's timeline, its beginning first. A request that does not
// exist has none.
func (q *Queries) Steps(ctx context.Context, code string) ([]Step, error) {
	return rows[Step](ctx, q, `SELECT state, since, failure FROM requests.steps WHERE code = $1 ORDER BY revision`, code)
}

// OfPerson is a person's own requests, newest first.
func (q *Queries) OfPerson(ctx context.Context, person event.Subject) ([]Request, error) {
	list, err := rows[Request](ctx, q, requestColumns+`WHERE r.person = $1 OR (r.opened_by = $1 AND r.counter IS NULL)
		ORDER BY r.opened_at DESC LIMIT 100`, person)
	if err != nil {
		return nil, err
	}
	return list, q.names(ctx, list)
}

// Search narrows the queue of an office. All fields may be empty.
type Search struct {
	State      string `json:"state,omitempty" required:"false" enum:"draft,completed,ready,at-office,under-control,needs-correction,controlled,confirmed,at-ca,issued,ready-for-delivery,delivered,accepted,rejected,withdrawn,revoked,active,at-research-unit,approved,in-transit,at-authority,ready-for-dispatch,at-origin,back-at-research-unit,access-defined,at-company-unit"`
	PersonCode string `json:"personCode,omitempty" required:"false" maxLength:"40"`
	Mobile     string `json:"mobile,omitempty" required:"false" maxLength:"30"`
	Surname    string `json:"surname,omitempty" required:"false" maxLength:"256"`
}

// Queue is the requests of an office, a unit or an authority, those that wait
// longest first.
func (q *Queries) Queue(ctx context.Context, office string, s Search) ([]Request, error) {
	list, err := rows[Request](ctx, q, requestColumns+`WHERE $1 IN (COALESCE(r.office, r.counter), r.unit, r.dossier, r.dossier_to, r.origin, r.token_at)
		AND ($2 = '' OR `+effective+` = $2)
		AND ($3::bytea IS NULL OR r.person_term = $3) AND ($4::bytea IS NULL OR r.mobile_term = $4)
		AND ($5::bytea IS NULL OR r.surname_term = $5)
		ORDER BY r.status_since LIMIT 200`, office, s.State,
		q.term("person", iran.Digits(s.PersonCode)), q.term("mobile", mobile(s.Mobile)), q.term("surname", iran.NameKey(s.Surname)))
	if err != nil {
		return nil, err
	}
	return list, q.names(ctx, list)
}

func (q *Queries) term(kind, text string) []byte {
	if text == "" {
		return nil
	}
	return q.Terms.Term(kind, text)
}

func mobile(input string) string {
	if m, err := iran.Mobile(input); err == nil {
		return m
	}
	return iran.Digits(input)
}

// names puts into words what the rows have sealed or in codes.
func (q *Queries) names(ctx context.Context, list []Request) error {
	for i, r := range list {
		if r.DeferredBy != nil && r.AskedAgain != nil {
			w := inquiry.Explain(*r.DeferredBy, *r.AskedAgain)
			list[i].Waits = &w
		}
		f, ok, err := unsealed[enrollment.Form](ctx, q, r.Sealed)
		if err != nil {
			return err
		}
		if ok {
			list[i].Name = f.GivenName + " " + f.Surname
		}
		if list[i].Attorney, err = q.power(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// power is that by which an attorney received the token; none if the applicant
// did, or is erased.
func (q *Queries) power(ctx context.Context, r Request) (*Power, error) {
	a, err := q.AttorneyOf(ctx, r)
	if a == nil {
		return nil, err
	}
	return &Power{a.Power, a.Date, a.Notary}, nil
}

// AttorneyOf is who received the token for the applicant, for those who may see
// the form; nil if he did so himself, or is erased.
func (q *Queries) AttorneyOf(ctx context.Context, r Request) (*enrollment.Attorney, error) {
	a, ok, err := unsealed[enrollment.Attorney](ctx, q, r.Receiver)
	if !ok {
		return nil, err
	}
	return &a, nil
}

// Form is the form of a request, for those who may see it whole.
func (q *Queries) Form(ctx context.Context, r Request) (enrollment.Form, error) {
	f, ok, err := unsealed[enrollment.Form](ctx, q, r.Sealed)
	if err == nil && !ok && r.FormVersion > 0 {
		err = event.ErrErased
	}
	return f, err
}

// Tracking is what the public page shows to whoever has the code and the last
// four digits of the mobile: no personal data.
type Tracking struct {
	TrackingCode string    `json:"trackingCode" db:"code"`
	State        string    `json:"state" db:"state"`
	Since        time.Time `json:"since" db:"status_since"`
	Office       *string   `json:"office,omitempty" db:"office"`
	Dossier      *string   `json:"dossier,omitempty" db:"dossier" doc:"Place that has the papers, or sent them; inside channel"`
	DossierTo    *string   `json:"dossierTo,omitempty" db:"dossier_to" doc:"Where they are on their way to"`
	TokenAt      *string   `json:"tokenAt,omitempty" db:"token_at" doc:"The last place that received the token, until it is the applicant's"`
	ToAttorney   bool      `json:"toAttorney,omitempty" db:"to_attorney" doc:"His lawful attorney received the token for the applicant"`
}

// Track finds a request by code and second factor; a wrong factor is told
// nothing more than an unknown code.
func (q *Queries) Track(ctx context.Context, code, lastFour string) (Tracking, error) {
	return row[Tracking](ctx, q, enrollment.ErrNotFound,
		`SELECT r.code, `+effective+` AS state, r.status_since, r.office, r.dossier, r.dossier_to,
			CASE WHEN r.delivered_at IS NULL THEN r.token_at END AS token_at, r.to_attorney`+requestTables+
			`WHERE r.code = $1 AND r.last4_term = $2`, code, q.Terms.Term("last4", code+iran.Digits(lastFour)))
}
