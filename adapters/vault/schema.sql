CREATE SCHEMA IF NOT EXISTS vault;

-- The version of these tables, in one row.
CREATE TABLE IF NOT EXISTS vault.schema (
	one     boolean PRIMARY KEY DEFAULT true CHECK (one),
	version integer NOT NULL
);

INSERT INTO vault.schema (version) VALUES (1) ON CONFLICT DO NOTHING;

-- Keys with a name, wrapped by the token.
CREATE TABLE IF NOT EXISTS vault.keys (
	name    text PRIMARY KEY,
	wrapped bytea NOT NULL
);

-- One key per hour, wrapped by the token.
CREATE TABLE IF NOT EXISTS vault.buckets (
	hour    timestamptz PRIMARY KEY,
	wrapped bytea NOT NULL
);

-- One row per person: the key sealed under its hour's, and the way from the
-- national code to it. Both are gone once it is destroyed; the row stays.
CREATE TABLE IF NOT EXISTS vault.subjects (
	subject      text PRIMARY KEY,
	lookup       bytea UNIQUE,
	hour         timestamptz NOT NULL REFERENCES vault.buckets,
	sealed       bytea,
	created      timestamptz NOT NULL,
	destroyed_at timestamptz,
	CHECK ((sealed IS NULL) = (destroyed_at IS NOT NULL)),
	CHECK (destroyed_at IS NULL OR lookup IS NULL)
);
