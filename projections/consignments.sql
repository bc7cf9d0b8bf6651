CREATE TABLE consignments (
	number      text PRIMARY KEY,
	status      text NOT NULL,  -- on-its-way, complete, discrepant, resolved
	sender      text NOT NULL,
	receiver    text NOT NULL,
	dossiers    text[] NOT NULL,
	missing     text[] NOT NULL,
	surplus     text[] NOT NULL,
	seal        text NOT NULL,
	seal_intact boolean,
	cause       text,
	sent_at     timestamptz NOT NULL,
	since       timestamptz NOT NULL
);
CREATE INDEX ON consignments (sender, status);
CREATE INDEX ON consignments (receiver, status);
