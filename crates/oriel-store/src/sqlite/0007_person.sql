-- What a directory said of a person last, for when it does not answer. Not settings: not in the change log.
CREATE TABLE person (
    user   TEXT NOT NULL PRIMARY KEY,
    at     INTEGER NOT NULL,
    person TEXT NOT NULL CHECK (json_valid(person))
) STRICT;

CREATE INDEX person_by_age ON person (at);
