CREATE TABLE tokens (
	serial      text PRIMARY KEY,
	model       text NOT NULL,
	office      text NOT NULL,
	status      text NOT NULL,  -- in-stock, reserved, personalised, delivered
	request     text,
	certificate text,
	holder      text,           -- the applicant, once delivered
	since       timestamptz NOT NULL
);
CREATE INDEX ON tokens (office, status);
