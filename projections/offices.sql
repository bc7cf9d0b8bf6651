CREATE TABLE offices (
	code     text PRIMARY KEY,
	sort     text NOT NULL,  -- registration-office, research-unit, contracted-authority, company-unit
	name     text NOT NULL,
	province text NOT NULL,
	city     text NOT NULL,
	company  text,
	licence  text,
	until    timestamptz, -- end of the licence

	controls     text[] NOT NULL, -- further ones that it announced
	announcement text
);
CREATE TABLE tariffs (
	product       text NOT NULL,
	version       int NOT NULL,
	level         int NOT NULL,   -- of assurance, 1 to 4
	issuer_kind   text NOT NULL,  -- governmental, non-governmental
	token_rial    bigint NOT NULL,
	issuance_rial bigint NOT NULL,
	valid_from    timestamptz NOT NULL,
	PRIMARY KEY (product, version)
);
