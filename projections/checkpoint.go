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
	version    integer NOT NULL,             -- negative asks for a rebuild
	position   bigint NOT NULL,              -- everything up to here is in the tables
	tables     text[] NOT NULL DEFAULT '{}', -- by which a dropped one is noticed
	events     bigint NOT NULL DEFAULT 0,    -- the projection's own, that it has passed or taken up later
	anchor     text NOT NULL DEFAULT '',     -- an event at its position or before, by which the log is known
	changed    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS govahi.parked (
	projection text NOT NULL,
	position   bigint NOT NULL,
	stream     text NOT NULL,
	revision   bigint NOT NULL,
	type       text NOT NULL,
	reason     text NOT NULL,                -- a code, never personal data
	attempts   integer NOT NULL,             -- 0 for events behind a parked one
	parked     timestamptz NOT NULL DEFAULT now(),
	asked      timestamptz,                  -- an operator wants it tried again
	PRIMARY KEY (projection, position)
);
DO $$ BEGIN -- a table of an earlier program lacks them
	IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'govahi.checkpoints'::regclass AND attname = 'anchor') THEN
		ALTER TABLE govahi.checkpoints ADD COLUMN IF NOT EXISTS events bigint NOT NULL DEFAULT 0;
		ALTER TABLE govahi.checkpoints ADD COLUMN anchor text NOT NULL DEFAULT '';
		ALTER TABLE govahi.parked ADD COLUMN IF NOT EXISTS asked timestamptz;
	END IF;
END $$;`

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
	_, err := pool.Exec(ctx, `UPDATE govahi.checkpoints SET version = -abs(version) WHERE projection = $1`, name)
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
