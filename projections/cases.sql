CREATE TABLE cases (
	number      text PRIMARY KEY,
	serial      text NOT NULL,
	status      text NOT NULL,  -- open, refuted, established
	reporter    text NOT NULL,
	statement   jsonb,          -- sealed
	reported_at timestamptz NOT NULL,
	decided_by  text,
	verdict     jsonb,          -- sealed
	decided_at  timestamptz
);
CREATE INDEX ON cases (status, reported_at);
CREATE INDEX ON cases (serial);
