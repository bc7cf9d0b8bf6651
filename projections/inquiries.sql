CREATE TABLE inquiries (
	id            text PRIMARY KEY,
	request       text NOT NULL,
	person        text NOT NULL,
	purpose       text NOT NULL,
	legal_basis   text NOT NULL,
	asked_by      text NOT NULL,
	asked_at      timestamptz NOT NULL,
	status        text NOT NULL,     -- due, answered, inconclusive
	due_at        timestamptz,
	set_at        timestamptz NOT NULL, -- when due_at was chosen
	attempts      int NOT NULL DEFAULT 0,
	cause         text,              -- why it waits, or the registry's code
	matched       boolean,
	differs       text[],
	tracking_code text,
	finding       text,              -- matched, mismatch, no-record, cancelled, dead
	answered_at   timestamptz
);
CREATE INDEX ON inquiries (due_at) WHERE status = 'due';
CREATE INDEX ON inquiries (set_at) WHERE status = 'due';
CREATE INDEX ON inquiries (request);
CREATE INDEX ON inquiries (asked_at, id);
