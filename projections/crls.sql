CREATE TABLE crls (
	issuer      text NOT NULL,
	number      bigint NOT NULL,
	this_update timestamptz NOT NULL,
	next_update timestamptz NOT NULL,
	entries     int NOT NULL,
	der         bytea,            -- of the latest signed list of an issuer
	sha256      text,
	PRIMARY KEY (issuer, number)
);
