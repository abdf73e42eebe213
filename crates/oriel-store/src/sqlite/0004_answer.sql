-- Answers to requests with a key, sealed. They go with the token that asked.
CREATE TABLE answer (
    caller TEXT    NOT NULL,
    key    TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    sealed BLOB    NOT NULL,
    PRIMARY KEY (caller, key)
) STRICT;

CREATE INDEX answer_by_time ON answer (at);

CREATE TRIGGER answer_goes_with_its_caller AFTER DELETE ON object
BEGIN
    DELETE FROM answer WHERE caller = OLD.id;
END;
