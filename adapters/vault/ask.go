package vault

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// columns are where a row's values go.
type columns []any

// row reads a row, if there is one.
func (v *Vault) row(ctx context.Context, into columns, sql string, args ...any) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err = v.pool.QueryRow(ctx, sql, args...).Scan(into...)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, nil
	case err != nil:
		return false, unavailable(err)
	}
	return true, nil
}

// exec changes rows.
func (v *Vault) exec(ctx context.Context, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := v.pool.Exec(ctx, sql, args...); err != nil {
		return unavailable(err)
	}
	return nil
}

// wrap has the token encrypt a new random key.
func (v *Vault) wrap(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	wrapped, err := v.wrapper.Wrap(ctx, random32())
	if err != nil {
		return nil, unavailable(err)
	}
	return wrapped, nil
}

// unwrap has the token decrypt a key.
func (v *Vault) unwrap(ctx context.Context, wrapped []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	plain, err := v.wrapper.Unwrap(ctx, wrapped)
	if err != nil {
		return nil, unavailable(err)
	}
	return plain, nil
}

// settled reads a wrapped key, or stores a new one. Of several processes one
// wins, and all read what it stored.
func (v *Vault) settled(ctx context.Context, read, insert string, name any) (wrapped []byte, err error) {
	found, err := v.row(ctx, columns{&wrapped}, read, name)
	if found || err != nil {
		return wrapped, err
	}
	if wrapped, err = v.wrap(ctx); err != nil {
		return nil, err
	}
	if err = v.exec(ctx, insert, name, wrapped); err != nil {
		return nil, err
	}
	if found, err = v.row(ctx, columns{&wrapped}, read, name); err == nil && !found {
		err = unavailable(pgx.ErrNoRows)
	}
	return wrapped, err
}
