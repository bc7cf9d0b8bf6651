package vault

import (
	"context"
	"crypto/cipher"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

// bucket is the key of the present hour, under which new subjects' keys are
// sealed: the token wraps one key per hour instead of one per person.
func (v *Vault) bucket(ctx context.Context) (time.Time, cipher.AEAD, error) {
	hour := v.clock().UTC().Truncate(time.Hour)
	if key, ok := v.buckets.get(hour); ok {
		return hour, key, nil
	}
	v.making.Lock()
	defer v.making.Unlock()
	if key, ok := v.buckets.get(hour); ok {
		return hour, key, nil
	}
	wrapped, err := v.storedBucket(ctx, hour)
	if err != nil {
		return hour, nil, err
	}
	key, err := v.unwrapBucket(ctx, hour, wrapped)
	return hour, key, err
}

// storedBucket reads the hour's wrapped key, or stores a new one. Of several
// processes one wins, and all read what it stored.
func (v *Vault) storedBucket(ctx context.Context, hour time.Time) ([]byte, error) {
	const read = `SELECT wrapped FROM vault.buckets WHERE hour = $1`
	var wrapped []byte
	err := v.pool.QueryRow(ctx, read, hour).Scan(&wrapped)
	if err == nil {
		return wrapped, nil
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return nil, unavailable(err)
	}
	if wrapped, err = v.wrapper.Wrap(ctx, random32()); err != nil {
		return nil, unavailable(err)
	}
	if _, err = v.pool.Exec(ctx, `INSERT INTO vault.buckets (hour, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING`, hour, wrapped); err != nil {
		return nil, unavailable(err)
	}
	if err = v.pool.QueryRow(ctx, read, hour).Scan(&wrapped); err != nil {
		return nil, unavailable(err)
	}
	return wrapped, nil
}

// unwrapBucket opens an hour's key, from memory if it was used lately.
func (v *Vault) unwrapBucket(ctx context.Context, hour time.Time, wrapped []byte) (cipher.AEAD, error) {
	if key, ok := v.buckets.get(hour); ok {
		return key, nil
	}
	plain, err := v.wrapper.Unwrap(ctx, wrapped)
	if err != nil {
		return nil, unavailable(err)
	}
	key, err := aead(plain)
	if err == nil {
		v.buckets.put(hour, key, v.buckets.generation())
	}
	return key, err
}
