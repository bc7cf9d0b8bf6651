CREATE TABLE certificates (
	serial      text PRIMARY KEY,  -- hexadecimal
	request     text,              -- tracking code
	person      text,
	profile     text NOT NULL,
	status      text NOT NULL,     -- intended, signing, valid, abandoned, suspended, revoked
	fingerprint text,
	not_before  timestamptz,
	not_after   timestamptz,
	issued_at   timestamptz,
	token       text,
	certificate jsonb,             -- sealed DER of a person's certificate
	public      bytea,             -- DER of the CA's own
	reason      text,
	ground      text,
	revoked_at  timestamptz,
	revoked_by  text,
	cause       text,              -- revocation case
	held_at     timestamptz,       -- of a suspension that lasts
	held_until  timestamptz
);
CREATE INDEX ON certificates (status, not_after);
CREATE INDEX ON certificates (request);
CREATE INDEX ON certificates (fingerprint);
CREATE INDEX ON certificates (person);
CREATE INDEX ON certificates (held_until) WHERE status = 'suspended';
