CREATE TABLE tokens (
	serial      text PRIMARY KEY,
	model       text NOT NULL,
	office      text NOT NULL,
	status      text NOT NULL,  -- domain/token, Statuses
	request     text,
	certificate text,
	holder      text,           -- place that has it, or has sent it on
	holder_to   text,
	person      text,           -- the applicant, once delivered
	born        timestamptz,    -- personalised
	alarm       text,
	since       timestamptz NOT NULL
);
CREATE INDEX ON tokens (office, status);
CREATE INDEX ON tokens (holder);
CREATE INDEX ON tokens (holder_to);
CREATE INDEX ON tokens (since) WHERE status IN ('personalised', 'in-transit', 'delivered');
