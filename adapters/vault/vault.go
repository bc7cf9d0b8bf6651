// Package vault keeps each person's key, and seals personal data under it.
//
// A person is known by a random pseudonym. His key is random as well, and kept
// in a PostgreSQL database of its own, sealed under the key of the hour in which
// he was first met; that one is wrapped by the token. Destroying a person's key
// makes every copy of his data unreadable, wherever it is (domain §7.3).
package vault

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
	"govahi/domain/fault"
)

// Wrapper is the token's side of the vault: it encrypts 32-byte keys under a
// key that never leaves the token.
type Wrapper interface {
	Wrap(ctx context.Context, plain []byte) ([]byte, error)
	Unwrap(ctx context.Context, wrapped []byte) ([]byte, error)
}

// ErrUnavailable reports that the vault's database or the token cannot be reached.
var ErrUnavailable = fault.New(fault.Unavailable, "vault-unavailable",
	"دسترسی به داده\u200cهای شخصی اکنون ممکن نیست؛ کمی بعد دوباره تلاش کنید.",
	"Personal data cannot be reached at the moment; please try again shortly.")

// ErrAltered reports sealed data that was changed, or copied from another
// person or place.
var ErrAltered = errors.New("vault: sealed data does not open: altered, or out of its place")

// patience is how long PostgreSQL or the token may take for one thing before
// they count as unavailable: a part that hangs must not keep anybody waiting.
const patience = 3 * time.Second

const (
	// subjectLife bounds how long a destroyed key could still be used by a
	// process that does not hear of its destruction.
	subjectLife = time.Minute
	// bucketLife spares the token; bucket keys are not what erasure destroys.
	bucketLife   = 10 * time.Minute
	manySubjects = 16384 // about 1 kB each
	manyPeople   = 16384 // about 200 bytes each
	manyBuckets  = 4096  // half a year of hours
)

// Vault is an event.Keeper over subject keys. It is safe for concurrent use, by
// any number of processes on one database.
type Vault struct {
	pool     *pgxpool.Pool
	wrapper  Wrapper
	clock    func() time.Time
	keys     map[string][]byte // named keys, in clear
	subjects *cache[event.Subject, cipher.AEAD]
	people   *cache[string, event.Subject] // by digest of their code
	buckets  *cache[time.Time, cipher.AEAD]
	making   chan struct{} // one new bucket at a time is enough
	cancel   context.CancelFunc
	ended    chan struct{}
}

var (
	_ event.Keeper = (*Vault)(nil)
	_ event.Warmer = (*Vault)(nil)
)

// Open makes the vault's tables and named keys where they are missing, and
// begins to listen for keys that other processes destroy. It refuses a vault of
// a newer version. The context bounds the opening only; Close ends it.
func Open(ctx context.Context, pool *pgxpool.Pool, w Wrapper, clock func() time.Time) (*Vault, error) {
	if err := migrate(ctx, pool); err != nil {
		return nil, err
	}
	v := &Vault{
		pool: pool, wrapper: w, clock: clock,
		subjects: newCache[event.Subject, cipher.AEAD](manySubjects, subjectLife, clock),
		people:   newCache[string, event.Subject](manyPeople, subjectLife, clock),
		buckets:  newCache[time.Time, cipher.AEAD](manyBuckets, bucketLife, clock),
		making:   make(chan struct{}, 1),
		ended:    make(chan struct{}),
	}
	if err := v.openKeys(ctx); err != nil {
		return nil, err
	}
	listener, err := v.listen(ctx)
	if err != nil {
		return nil, err
	}
	ctx, v.cancel = context.WithCancel(context.WithoutCancel(ctx))
	go v.hear(ctx, listener)
	return v, nil
}

// Close stops listening and forgets every opened key. The pool stays open.
func (v *Vault) Close() {
	v.cancel()
	<-v.ended
	v.forget()
	v.buckets.clear()
}

// drop forgets a subject whose key was destroyed. His code is another person's
// from now on; whose it was is not known here, and it happens rarely.
func (v *Vault) drop(s event.Subject) {
	v.subjects.drop(s)
	v.people.clear()
}

func (v *Vault) forget() {
	v.subjects.clear()
	v.people.clear()
}

// Seal encrypts a text under the subject's key, for one place: a version byte,
// then nonce, ciphertext and tag of AES-256-GCM. It fails with event.ErrErased
// for a subject whose key was destroyed, or who never was.
func (v *Vault) Seal(ctx context.Context, s event.Subject, place string, plain []byte) ([]byte, error) {
	key, err := v.subject(ctx, s)
	if err != nil {
		return nil, err
	}
	return seal(key, plain, bound(s, place)), nil
}

// Open decrypts what Seal made for the same subject and place. It fails with
// event.ErrErased once the key was destroyed, and with ErrAltered for anything
// that Seal did not make for them.
func (v *Vault) Open(ctx context.Context, s event.Subject, place string, sealed []byte) ([]byte, error) {
	key, err := v.subject(ctx, s)
	if err != nil {
		return nil, err
	}
	return open(key, sealed, bound(s, place))
}

// bound joins subject and place; a pseudonym has no zero byte.
func bound(s event.Subject, place string) []byte {
	return []byte(string(s) + "\x00" + place)
}

// subject is a subject's opened key, from memory if it was used lately.
func (v *Vault) subject(ctx context.Context, s event.Subject) (cipher.AEAD, error) {
	if key, ok := v.subjects.get(s); ok {
		return key, nil
	}
	generation := v.subjects.generation()
	key, err := v.load(ctx, s)
	if err == nil {
		v.subjects.put(s, key, generation)
	}
	return key, err
}

// Warm brings the keys of many subjects into memory by one query. Whoever has
// none, or one that does not open, is left for Open to judge.
func (v *Vault) Warm(ctx context.Context, subjects []event.Subject) error {
	cold := slices.DeleteFunc(slices.Clone(subjects), func(s event.Subject) bool { _, hot := v.subjects.get(s); return hot })
	if len(cold) == 0 {
		return nil
	}
	generation := v.subjects.generation()
	kept, err := v.kept(ctx, cold)
	if err != nil {
		return err
	}
	for _, k := range kept {
		key, err := v.open(ctx, k)
		switch {
		case errors.Is(err, ErrAltered):
		case err != nil:
			return err
		default:
			v.subjects.put(k.Subject, key, generation)
		}
	}
	return nil
}

func (v *Vault) load(ctx context.Context, s event.Subject) (cipher.AEAD, error) {
	kept, err := v.kept(ctx, []event.Subject{s})
	if err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		return nil, event.ErrErased
	}
	return v.open(ctx, kept[0])
}

// kept is a subject's key as the database has it.
type kept struct {
	Subject event.Subject
	Sealed  []byte
	Hour    time.Time
	Wrapped []byte // the hour's key
}

func (v *Vault) kept(ctx context.Context, subjects []event.Subject) ([]kept, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	rows, _ := v.pool.Query(ctx, `
		SELECT s.subject, s.sealed, s.hour, b.wrapped
		FROM vault.subjects s JOIN vault.buckets b USING (hour)
		WHERE s.subject = ANY ($1) AND s.sealed IS NOT NULL`, subjects)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[kept])
	if err != nil {
		return nil, unavailable(err)
	}
	return all, nil
}

// open opens a subject's key under its hour's.
func (v *Vault) open(ctx context.Context, k kept) (cipher.AEAD, error) {
	bucket, err := v.unwrapBucket(ctx, k.Hour.UTC(), k.Wrapped)
	if err != nil {
		return nil, err
	}
	key, err := open(bucket, k.Sealed, []byte(k.Subject))
	if err != nil {
		return nil, err
	}
	return aead(key)
}

// unavailable keeps the cause for the log; neither PostgreSQL's messages as pgx
// prints them nor the token's hold personal data.
func unavailable(cause error) error {
	return fmt.Errorf("%w: %w", ErrUnavailable, cause)
}
