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
}

// Offices lists all offices.
func (q *Queries) Offices(ctx context.Context) ([]Office, error) {
	return rows[Office](ctx, q, `SELECT code, sort, name, province, city, company, licence, until FROM offices.offices ORDER BY province, city, name`)
}

// Tariff is a version of a product's price, in whole rials (S1.9).
type Tariff struct {
	Product      string    `json:"product" db:"product"`
	Version      int       `json:"version" db:"version"`
	TokenRial    int64     `json:"tokenRial" db:"token_rial"`
	IssuanceRial int64     `json:"issuanceRial" db:"issuance_rial"`
	ValidFrom    time.Time `json:"validFrom" db:"valid_from"`
}

// Tariffs lists all versions, newest first.
func (q *Queries) Tariffs(ctx context.Context) ([]Tariff, error) {
	return rows[Tariff](ctx, q, `SELECT product, version, token_rial, issuance_rial, valid_from FROM offices.tariffs
		ORDER BY product, version DESC`)
}

// Token is a token of an office's stock, or where it went.
type Token struct {
	Serial      string    `json:"serial" db:"serial"`
	Model       string    `json:"model" db:"model"`
	Status      string    `json:"status" db:"status"`
	Request     *string   `json:"request,omitempty" db:"request"`
	Certificate *string   `json:"certificate,omitempty" db:"certificate"`
	Since       time.Time `json:"since" db:"since"`
}

// Tokens lists an office's tokens.
func (q *Queries) Tokens(ctx context.Context, office string) ([]Token, error) {
	return rows[Token](ctx, q, `SELECT serial, model, status, request, certificate, since FROM tokens.tokens
		WHERE office = $1 ORDER BY status, serial LIMIT 500`, office)
}
