// Package queries turns tables into answers. It asks by SQL, opens sealed
// columns for those who may see them, and decides nothing.
package queries

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Terms makes the keyed search terms by which sealed data is found.
type Terms interface {
	Term(kind, text string) []byte
}

// Queries answers from the read views.
type Queries struct {
	Pool   *pgxpool.Pool
	Keeper event.Keeper
	Terms  Terms

	fetching sync.Mutex
	fetched  sync.Map // crl.List by issuer
}

// ErrViewsUnavailable reports that the views do not answer.
var ErrViewsUnavailable = fault.New(fault.Unavailable, "views-unavailable",
	"نمایش اطلاعات در دسترس نیست؛ لحظه‌ای دیگر دوباره ببینید.",
	"The views are out of reach; look again in a moment.")

// patience is how long the views may take for one question before they count as
// unavailable: a database that hangs must not keep the asker waiting.
const patience = 3 * time.Second

// ask collects the lines of an answer.
func ask[T any](ctx context.Context, q *Queries, line pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, _ := q.Pool.Query(ctx, sql, args...) // its error is that of the rows
	list, err := pgx.CollectRows(r, line)
	if err != nil {
		return nil, errors.Join(ErrViewsUnavailable, err)
	}
	return list, nil
}

// rows collects an answer of many lines.
func rows[T any](ctx context.Context, q *Queries, sql string, args ...any) ([]T, error) {
	list, err := ask(ctx, q, pgx.RowToStructByName[T], sql, args...)
	if err != nil {
		return nil, err
	}
	if list == nil {
		list = []T{} // an empty list, not null, for the reader of the JSON
	}
	return list, nil
}

// row collects an answer of one line; none is what the caller says it is.
func row[T any](ctx context.Context, q *Queries, none error, sql string, args ...any) (T, error) {
	var zero T
	list, err := rows[T](ctx, q, sql, args...)
	switch {
	case err != nil:
		return zero, err
	case len(list) == 0:
		return zero, none
	}
	return list[0], nil
}

// unsealed opens a sealed column; an erased person leaves the zero value and
// false.
func unsealed[T any](ctx context.Context, q *Queries, column []byte) (value T, ok bool, err error) {
	if column == nil {
		return value, false, nil
	}
	var p event.Personal[T]
	if err := json.Unmarshal(column, &p); err != nil {
		return value, false, err
	}
	value, err = p.Open(ctx, q.Keeper)
	if errors.Is(err, event.ErrErased) {
		return value, false, nil
	}
	return value, err == nil, err
}
