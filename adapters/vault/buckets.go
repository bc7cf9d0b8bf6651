package vault

import (
	"context"
	"crypto/cipher"
	"time"
)

// bucket is the key of the present hour, under which new subjects' keys are
// sealed: the token wraps one key per hour instead of one per person.
func (v *Vault) bucket(ctx context.Context) (time.Time, cipher.AEAD, error) {
	hour := v.clock().UTC().Truncate(time.Hour)
	if key, ok := v.buckets.get(hour); ok {
		return hour, key, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience) // for the waiting too: many wait for one
	defer cancel()
	select {
	case v.making <- struct{}{}:
		defer func() { <-v.making }()
	case <-ctx.Done():
		return hour, nil, unavailable(ctx.Err())
	}
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

// storedBucket reads the hour's wrapped key, or stores a new one.
func (v *Vault) storedBucket(ctx context.Context, hour time.Time) ([]byte, error) {
	return v.settled(ctx, `SELECT wrapped FROM vault.buckets WHERE hour = $1`,
		`INSERT INTO vault.buckets (hour, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING`, hour)
}

// unwrapBucket opens an hour's key, from memory if it was used lately.
func (v *Vault) unwrapBucket(ctx context.Context, hour time.Time, wrapped []byte) (cipher.AEAD, error) {
	if key, ok := v.buckets.get(hour); ok {
		return key, nil
	}
	plain, err := v.unwrap(ctx, wrapped)
	if err != nil {
		return nil, err
	}
	key, err := aead(plain)
	if err == nil {
		v.buckets.put(hour, key, v.buckets.generation())
	}
	return key, err
}
