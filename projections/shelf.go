package projections

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/crl"
)

// shelf is where published lists lie. It is no view: what it holds was signed, and
// is not folded again. Whoever drops it has the next list issued.
const shelf = `
CREATE SCHEMA IF NOT EXISTS shelf;
CREATE TABLE IF NOT EXISTS shelf.lists (
	issuer      text PRIMARY KEY,
	number      bigint NOT NULL,
	this_update timestamptz NOT NULL,
	next_update timestamptz NOT NULL,
	der         bytea NOT NULL
);`

// Shelf holds the latest revocation list of each issuer, in the views database,
// where every process that answers finds it.
type Shelf struct{ pool *pgxpool.Pool }

// NewShelf makes its table anew where it was dropped.
func NewShelf(pool *pgxpool.Pool) *Shelf { return &Shelf{pool} }

// Put lays a list there, unless it or a later one lies there already.
func (s *Shelf) Put(ctx context.Context, issuer string, l crl.List) error {
	err := s.put(ctx, issuer, l)
	if missing(err) {
		if _, err = s.pool.Exec(ctx, lock+shelf); err == nil {
			err = s.put(ctx, issuer, l)
		}
	}
	return err
}

func (s *Shelf) put(ctx context.Context, issuer string, l crl.List) error {
	_, err := s.pool.Exec(ctx, `INSERT INTO shelf.lists (issuer, number, this_update, next_update, der) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (issuer) DO UPDATE SET number = $2, this_update = $3, next_update = $4, der = $5 WHERE lists.number < $2`,
		issuer, int64(l.Number), l.ThisUpdate, l.NextUpdate, l.DER)
	return err
}

// Number is that of the list that lies there; 0 if none does.
func (s *Shelf) Number(ctx context.Context, issuer string) (uint64, error) {
	var n int64
	err := s.pool.QueryRow(ctx, `SELECT number FROM shelf.lists WHERE issuer = $1`, issuer).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) || missing(err) {
		return 0, nil
	}
	return uint64(n), err
}
