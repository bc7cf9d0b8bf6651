CREATE TABLE notifications (
	id           text PRIMARY KEY,
	template     text NOT NULL,
	request      text NOT NULL,
	person       text NOT NULL,          -- whom it is written to
	requested_at timestamptz NOT NULL,
	status       text NOT NULL,          -- due, sent, failed
	due_at       timestamptz,
	set_at       timestamptz NOT NULL,   -- when due_at was chosen
	attempts     int NOT NULL DEFAULT 0,
	sent_at      timestamptz,
	cause        text,
	bounced      text                    -- status of the delivery, if it came back
);
CREATE INDEX ON notifications (due_at) WHERE status = 'due';
CREATE INDEX ON notifications (set_at) WHERE status = 'due';
CREATE INDEX ON notifications (request);
CREATE INDEX ON notifications (person, requested_at);
