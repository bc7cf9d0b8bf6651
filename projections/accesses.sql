CREATE TABLE accesses (
	user_name   text PRIMARY KEY,
	level       text NOT NULL,
	person      text NOT NULL,
	request     text NOT NULL,
	serial      text NOT NULL,
	fingerprint text NOT NULL,
	unit        text NOT NULL,
	active      boolean NOT NULL,
	pending     boolean NOT NULL, -- until the certificate is accepted, channel B
	since       timestamptz NOT NULL,
	cause       text
);
CREATE INDEX ON accesses (serial);
CREATE INDEX ON accesses (unit, level);
