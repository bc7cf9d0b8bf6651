package projections

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"govahi/domain/event"
)

// foundation is what all projections share. A projection that is built beside
// its older version stands here as NAME_next, the one before it as NAME_prev.
const foundation = `
CREATE SCHEMA IF NOT EXISTS govahi;
CREATE TABLE IF NOT EXISTS govahi.checkpoints (
	projection text PRIMARY KEY,             -- schema, or policy:NAME
	version    integer NOT NULL,             -- 0 asks for a rebuild
	position   bigint NOT NULL,              -- everything up to here is in the tables
	tables     text[] NOT NULL DEFAULT '{}', -- by which a dropped one is noticed
	events     bigint NOT NULL DEFAULT 0,    -- the projection's own, that it has taken
	changed    timestamptz NOT NULL DEFAULT now()
);
DO $$ BEGIN -- a table of an earlier program lacks it
	IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'govahi.checkpoints'::regclass AND attname = 'events') THEN
		ALTER TABLE govahi.checkpoints ADD COLUMN events bigint NOT NULL DEFAULT 0;
	END IF;
END $$;
CREATE TABLE IF NOT EXISTS govahi.parked (
	projection text NOT NULL,
	position   bigint NOT NULL,
	stream     text NOT NULL,
	revision   bigint NOT NULL,
	type       text NOT NULL,
	reason     text NOT NULL,                -- a code, never personal data
	attempts   integer NOT NULL,             -- 0 for events behind a parked one
	parked     timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (projection, position)
);`

// lock lets one process at a time change schemas and their checkpoints' names.
const lock = `SELECT pg_advisory_xact_lock(hashtext('govahi.checkpoints'));`

// lay makes the foundation where it is missing.
func lay(ctx context.Context, pool *pgxpool.Pool) error {
	_, err := pool.Exec(ctx, lock+foundation)
	return err
}

// Rebuild asks for a projection to be built anew from the log. The runner, now
// or when it starts, builds it beside the present one and swaps.
func Rebuild(ctx context.Context, pool *pgxpool.Pool, name string) error {
	_, err := pool.Exec(ctx, `UPDATE govahi.checkpoints SET version = 0 WHERE projection = $1`, name)
	return err
}

// Checkpoints keeps how far policies have come, beside the projections'. When
// they are lost, a policy begins at its start again and is told that all is done.
type Checkpoints struct{ pool *pgxpool.Pool }

// NewCheckpoints keeps checkpoints in the views database.
func NewCheckpoints(pool *pgxpool.Pool) *Checkpoints { return &Checkpoints{pool} }

// Load is the position up to which the policy has acted; zero if it never did.
func (c *Checkpoints) Load(ctx context.Context, policy string) (event.Position, error) {
	if err := lay(ctx, c.pool); err != nil {
		return 0, err
	}
	return position(ctx, c.pool, "policy:"+policy)
}

// Save stores the position up to which the policy has acted.
func (c *Checkpoints) Save(ctx context.Context, policy string, p event.Position) error {
	err := c.save(ctx, policy, p)
	if missing(err) {
		err = errors.Join(lay(ctx, c.pool), c.save(ctx, policy, p))
	}
	return err
}

func (c *Checkpoints) save(ctx context.Context, policy string, p event.Position) error {
	_, err := c.pool.Exec(ctx, `
		WITH saved AS (
			INSERT INTO govahi.checkpoints (projection, version, position) VALUES ('policy:' || $1, 1, $2)
			ON CONFLICT (projection) DO UPDATE SET position = excluded.position, changed = now()
			RETURNING projection, position)
		SELECT pg_notify('checkpoints', projection || ':' || position) FROM saved`,
		policy, int64(p))
	return err
}

// position is a stored checkpoint, zero if there is none.
func position(ctx context.Context, pool *pgxpool.Pool, name string) (event.Position, error) {
	var p int64
	err := pool.QueryRow(ctx, `SELECT position FROM govahi.checkpoints WHERE projection = $1`, name).Scan(&p)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return event.Position(p), err
}

// missing says that a table or schema is not there.
func missing(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "42P01" || pg.Code == "3F000")
}
