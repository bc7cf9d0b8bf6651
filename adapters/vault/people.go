package vault

import (
	"context"

	"github.com/google/uuid"

	"govahi/domain/event"
)

// Person is the pseudonym of whoever has this national or foreign code (digits,
// already normalised). The first caller makes it; all others, in whatever
// process, get the same. After an erasure the same code makes a new person.
func (v *Vault) Person(ctx context.Context, code string) (event.Subject, error) {
	for {
		s, found, err := v.Lookup(ctx, code)
		if found || err != nil {
			return s, err
		}
		if err := v.add(ctx, code); err != nil {
			return "", err
		}
		// Read what is there: ours, or that of one who was quicker. Nothing, if
		// it was erased in this very moment; then it begins anew.
	}
}

// Lookup is the pseudonym of whoever has this code, if there is one; from memory
// if it was asked for lately.
func (v *Vault) Lookup(ctx context.Context, code string) (event.Subject, bool, error) {
	digest := v.lookup(code)
	if s, known := v.people.get(string(digest)); known {
		return s, true, nil
	}
	generation := v.people.generation()
	var s string
	found, err := v.row(ctx, columns{&s}, `SELECT subject FROM vault.subjects WHERE lookup = $1`, digest)
	if found {
		v.people.put(string(digest), event.Subject(s), generation)
	}
	return event.Subject(s), found, err
}

// add stores a new person under the code, unless there is one.
func (v *Vault) add(ctx context.Context, code string) error {
	hour, bucket, err := v.bucket(ctx)
	if err != nil {
		return err
	}
	pseudonym := uuid.NewString() // random, RFC 9562 §5.4
	sealed := seal(bucket, random32(), []byte(pseudonym))
	return v.exec(ctx, `
		INSERT INTO vault.subjects (subject, lookup, hour, sealed, created)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (lookup) DO NOTHING`,
		pseudonym, v.lookup(code), hour, sealed, v.clock().UTC())
}

// Destroy makes everything ever sealed for the subject unreadable, here at once
// and in other processes as soon as they hear of it, and frees his code. Asked
// twice, it is done once. The row stays as a tombstone.
func (v *Vault) Destroy(ctx context.Context, s event.Subject) error {
	err := v.exec(ctx, `
		WITH destroyed AS (
			UPDATE vault.subjects
			SET sealed = NULL, lookup = NULL, destroyed_at = coalesce(destroyed_at, $2)
			WHERE subject = $1 RETURNING subject)
		SELECT pg_notify('`+channel+`', subject) FROM destroyed`, string(s), v.clock().UTC())
	v.drop(s)
	if err != nil {
		return err
	}
	// The update left the old row behind; do not wait for autovacuum to clear it.
	// It may take its time, and nobody sits before a screen for it.
	if _, err := v.pool.Exec(ctx, `VACUUM vault.subjects`); err != nil {
		return unavailable(err)
	}
	return nil
}
