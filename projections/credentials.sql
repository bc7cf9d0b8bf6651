CREATE TABLE credentials (
	number  text PRIMARY KEY,
	person  text NOT NULL,
	office  text NOT NULL,
	status  text NOT NULL,
	serial  text,
	since   timestamptz NOT NULL
);
CREATE INDEX ON credentials (person);
CREATE INDEX ON credentials (status, since);
