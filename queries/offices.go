package queries

import (
	"context"
	"time"
)

// Office is where to go (S1.8).
type Office struct {
	Code     string `json:"code" db:"code"`
	Sort     string `json:"sort" db:"sort"`
	Name     string `json:"name" db:"name"`
	Province string `json:"province" db:"province"`
	City     string `json:"city" db:"city"`

	Company *string    `json:"company,omitempty" db:"company" doc:"National ID of the company that a unit belongs to"`
	Licence *string    `json:"licence,omitempty" db:"licence" doc:"Number of the CA's licence, or contract"`
	Until   *time.Time `json:"licensedUntil,omitempty" db:"until"`

	Controls     []string `json:"controls" db:"controls" doc:"Further controls that the office applies to everybody (S1.32)"`
	Announcement *string  `json:"announcement,omitempty" db:"announcement"`
}

// Offices lists all offices.
func (q *Queries) Offices(ctx context.Context) ([]Office, error) {
	return rows[Office](ctx, q, `SELECT code, sort, name, province, city, company, licence, until, controls, announcement FROM offices.offices ORDER BY province, city, name`)
}

// Tariff is a version of a product's price, in whole rials (S1.9).
type Tariff struct {
	Product      string    `json:"product" db:"product"`
	Level        int       `json:"level" db:"level" doc:"Assurance level: 1 bronze to 4 platinum"`
	IssuerKind   string    `json:"issuerKind" db:"issuer_kind"`
	Version      int       `json:"version" db:"version"`
	TokenRial    int64     `json:"tokenRial" db:"token_rial"`
	IssuanceRial int64     `json:"issuanceRial" db:"issuance_rial"`
	ValidFrom    time.Time `json:"validFrom" db:"valid_from"`
}

// Tariffs lists all versions, newest first.
func (q *Queries) Tariffs(ctx context.Context) ([]Tariff, error) {
	return rows[Tariff](ctx, q, `SELECT product, level, issuer_kind, version, token_rial, issuance_rial, valid_from FROM offices.tariffs
		ORDER BY product, version DESC`)
}

// TariffsInForce lists, for each product, level and kind of issuer, the latest
// published of the versions that have begun.
func (q *Queries) TariffsInForce(ctx context.Context, now time.Time) ([]Tariff, error) {
	return rows[Tariff](ctx, q, `SELECT DISTINCT ON (product, level, issuer_kind)
			product, level, issuer_kind, version, token_rial, issuance_rial, valid_from
		FROM offices.tariffs WHERE valid_from <= $1 ORDER BY product, level, issuer_kind, version DESC`, now)
}

// Token is a token of an office's stock, or where it went.
type Token struct {
	Serial      string    `json:"serial" db:"serial"`
	Model       string    `json:"model" db:"model"`
	Status      string    `json:"status" db:"status"`
	Request     *string   `json:"request,omitempty" db:"request"`
	Certificate *string   `json:"certificate,omitempty" db:"certificate"`
	Office      string    `json:"office" db:"office" doc:"Whose stock it came from"`
	Holder      *string   `json:"holder,omitempty" db:"holder" doc:"Place that has it, or has sent it on; none if the applicant has it"`
	HolderTo    *string   `json:"sentTo,omitempty" db:"holder_to" doc:"Where it is on its way to"`
	Alarm       *string   `json:"alarm,omitempty" db:"alarm" doc:"What is overdue"`
	Since       time.Time `json:"since" db:"since"`
}

const tokenColumns = `SELECT serial, model, status, request, certificate, office, holder, holder_to, alarm, since FROM tokens.tokens `

// Tokens lists those of an office's stock, and those that a place has or waits for.
func (q *Queries) Tokens(ctx context.Context, place string) ([]Token, error) {
	return rows[Token](ctx, q, tokenColumns+`WHERE $1 IN (office, holder, holder_to) ORDER BY status, serial LIMIT 500`, place)
}

// Alarms lists the tokens of all offices that are overdue, the oldest first.
func (q *Queries) Alarms(ctx context.Context) ([]Token, error) {
	return rows[Token](ctx, q, tokenColumns+`WHERE alarm IS NOT NULL ORDER BY since LIMIT 500`)
}
