CREATE TABLE offices (
	code     text PRIMARY KEY,
	sort     text NOT NULL,  -- registration-office, research-unit, contracted-authority, company-unit
	name     text NOT NULL,
	province text NOT NULL,
	city     text NOT NULL,
	company  text,
	licence  text,
	until    timestamptz  -- end of the licence
);
CREATE TABLE tariffs (
	product       text NOT NULL,
	version       int NOT NULL,
	token_rial    bigint NOT NULL,
	issuance_rial bigint NOT NULL,
	valid_from    timestamptz NOT NULL,
	PRIMARY KEY (product, version)
);
