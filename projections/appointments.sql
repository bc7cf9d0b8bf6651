CREATE TABLE appointments (
	person       text NOT NULL,         -- pseudonym
	role         text NOT NULL,
	place        text NOT NULL,         -- office or unit; empty for the whole house
	until        timestamptz NOT NULL,  -- a post that has ended stays until it is taken back
	since        timestamptz NOT NULL,  -- of the latest appointment to the post
	appointed_by text NOT NULL,
	PRIMARY KEY (person, role, place)
);
CREATE INDEX ON appointments (place, role);
