CREATE TABLE crls (
	issuer      text NOT NULL,
	number      bigint NOT NULL,
	this_update timestamptz NOT NULL,
	next_update timestamptz NOT NULL,
	entries     int NOT NULL,
	sha256      text,             -- of the DER; null if it was never signed
	size        bigint,
	signed_at   timestamptz,
	PRIMARY KEY (issuer, number)
);
