CREATE TABLE cases (
	number      text PRIMARY KEY,
	serial      text NOT NULL,
	status      text NOT NULL,  -- open, investigating, refuted, established
	source      text NOT NULL,
	reporter    text,           -- null for the house, and for who did not sign in
	statement   jsonb,          -- sealed
	reported_at timestamptz NOT NULL,
	evidence    int NOT NULL,   -- pieces
	finding     text,           -- of an established case
	decided_by  text,
	verdict     jsonb,          -- sealed
	decided_at  timestamptz
);
CREATE INDEX ON cases (status, reported_at);
CREATE INDEX ON cases (serial);
