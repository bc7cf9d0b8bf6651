CREATE TABLE audits (
	day          text PRIMARY KEY, -- of Tehran, as 2026-11-22
	handler      text NOT NULL,    -- of who is, or was, at work on it
	started_at   timestamptz NOT NULL,
	completed_at timestamptz,
	checked      bigint,
	abandoned    bigint,
	erased       bigint,
	listed       bigint,
	asked        bigint,
	differences  jsonb             -- by kind
);
CREATE INDEX ON audits (completed_at);
