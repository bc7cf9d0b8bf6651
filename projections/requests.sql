CREATE TABLE requests (
	code             text PRIMARY KEY,          -- tracking code
	channel          text NOT NULL,
	certificate_type text NOT NULL,
	basis            text,                      -- renewal, re-key, modification; of what follows a certificate
	renews           text,                      -- serial of that certificate
	status           text NOT NULL,
	status_since     timestamptz NOT NULL,
	opened_by        text NOT NULL,
	counter          text,                      -- office that opened it for a visitor
	opened_at        timestamptz NOT NULL,
	person           text,
	organization     text,
	province         text,
	form_version     int NOT NULL DEFAULT 0,
	entry            text,
	form             jsonb,                     -- sealed
	person_term      bytea,                     -- keyed search terms
	mobile_term      bytea,
	surname_term     bytea,
	last4_term       bytea,                     -- of tracking code and last four digits of the mobile
	email_confirmed  boolean NOT NULL DEFAULT false,
	unit             text,                      -- channel B
	dossier          text,                      -- place that has the papers, or sent them
	dossier_to       text,
	origin           text,                      -- where the token goes back to
	token_at         text,
	user_name        text,                      -- of CPMIS, channel B
	office           text,
	submitted_at     timestamptz,
	sighted          text[] NOT NULL DEFAULT '{}',
	corrections      text[] NOT NULL DEFAULT '{}', -- fields that the office asked to mend
	identity         text,                      -- waiting, matched, mismatch
	registry_code    text,                      -- the registry's tracking code
	fee_rial         bigint,
	rejection        text,
	token            text,
	attempts         int NOT NULL DEFAULT 0,    -- serials that were tried
	failure          text,                      -- why the CA gave it back; until it is issued
	serial           text,
	fingerprint      text,
	copies           int NOT NULL DEFAULT 0,
	delivered_at     timestamptz,
	to_attorney      boolean NOT NULL DEFAULT false, -- received for the applicant
	attorney         jsonb,                     -- by whom and by which power; sealed
	revision         bigint NOT NULL
);
CREATE TABLE steps (
	code     text NOT NULL,
	revision bigint NOT NULL,                   -- of the event that brought it there
	state    text NOT NULL,
	since    timestamptz NOT NULL,
	failure  text,                              -- why the CA gave it back, if that brought it there
	PRIMARY KEY (code, revision)
);
CREATE INDEX ON requests (office, status, status_since);
CREATE INDEX ON requests (status_since) WHERE status = 'at-ca' OR failure IS NOT NULL;
CREATE INDEX ON requests (opened_by);
CREATE INDEX ON requests (unit, status);
CREATE INDEX ON requests (dossier);
CREATE INDEX ON requests (origin);
CREATE INDEX ON requests (token_at);
CREATE INDEX ON requests (person);
CREATE INDEX ON requests (person_term);
CREATE INDEX ON requests (mobile_term);
CREATE INDEX ON requests (surname_term);
