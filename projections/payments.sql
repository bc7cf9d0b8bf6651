CREATE TABLE orders (
	code           text PRIMARY KEY,      -- tracking code
	product        text NOT NULL,
	tariff_version int NOT NULL,
	amount_rial    bigint NOT NULL,
	raised_at      timestamptz NOT NULL,
	open           text[] NOT NULL,       -- attempts whose end is not known yet
	mode           text,                  -- pos, gateway, contract
	provider       text,
	terminal       text,
	rrn            text,
	trace          text,
	card           text,                  -- masked
	contract       text,
	settled_at     timestamptz,
	settled_by     text,
	closed_at      timestamptz,
	cause          text                   -- of the closing
);
CREATE TABLE refunds (
	code        text NOT NULL,
	number      int NOT NULL,
	cause       text NOT NULL,
	mode        text NOT NULL,
	provider    text,
	rrn         text,
	card        text,
	amount_rial bigint NOT NULL,
	opened_at   timestamptz NOT NULL,
	reference   text,                     -- of the transfer
	refunded_at timestamptz,
	refunded_by text,
	PRIMARY KEY (code, number)
);
CREATE TABLE attempts (
	id          text PRIMARY KEY,
	code        text NOT NULL,
	provider    text NOT NULL,
	amount_rial bigint NOT NULL,
	status      text NOT NULL,
	begun_at    timestamptz NOT NULL,
	since       timestamptz NOT NULL,
	due_at      timestamptz,
	set_at      timestamptz NOT NULL,     -- when due_at was chosen
	looks       int NOT NULL,
	rrn         text,
	cause       text
);
CREATE TABLE contracts (
	company  text PRIMARY KEY,            -- national ID
	number   text NOT NULL,
	until    timestamptz NOT NULL,
	since    timestamptz NOT NULL,
	ended_at timestamptz
);
CREATE INDEX ON orders (raised_at);
CREATE INDEX ON refunds (opened_at) WHERE refunded_at IS NULL;
CREATE INDEX ON attempts (code);
CREATE INDEX ON attempts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX ON attempts (set_at) WHERE due_at IS NOT NULL;
