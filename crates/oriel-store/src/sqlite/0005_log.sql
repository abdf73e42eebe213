-- The log: an entry for every change and for what happened beside, each with a hash over itself and the entry
-- before it. Entries of changes from before this are written when the store is opened.
CREATE TABLE entry (
    number   INTEGER NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL,
    author   TEXT    NOT NULL,
    via      TEXT    NOT NULL,
    address  TEXT,
    code     TEXT    NOT NULL,
    outcome  TEXT    NOT NULL,
    subjects TEXT    NOT NULL CHECK (json_valid(subjects)),
    details  TEXT    NOT NULL CHECK (json_valid(details)),
    change   INTEGER,
    bytes    INTEGER NOT NULL, -- that the hash covers
    hash     TEXT    NOT NULL
) STRICT;

-- The number is the row id, so each index is in its order.
CREATE INDEX entry_of_code ON entry (code);
CREATE UNIQUE INDEX entry_of_change ON entry (change) WHERE change IS NOT NULL;

-- For finding, not for telling: it is not hashed.
CREATE TABLE entry_subject (
    object TEXT    NOT NULL,
    entry  INTEGER NOT NULL,
    PRIMARY KEY (object, entry)
) STRICT, WITHOUT ROWID;

-- Where the log ends, and where it begins since the oldest were dropped.
CREATE TABLE log_head (
    id             INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    number         INTEGER NOT NULL,
    hash           TEXT    NOT NULL,
    bytes          INTEGER NOT NULL,
    dropped_entry  INTEGER NOT NULL,
    dropped_change INTEGER NOT NULL
) STRICT;

INSERT INTO log_head (id, number, hash, bytes, dropped_entry, dropped_change)
VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000', 0, 0, 0);

CREATE TRIGGER entry_is_not_updated BEFORE UPDATE ON entry
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;

-- Only the oldest go, and only after the head says so.
CREATE TRIGGER entry_is_not_deleted BEFORE DELETE ON entry
WHEN OLD.number > (SELECT dropped_entry FROM log_head)
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;

DROP TRIGGER change_is_not_deleted;

CREATE TRIGGER change_is_not_deleted BEFORE DELETE ON change
WHEN OLD.sequence > (SELECT dropped_change FROM log_head)
BEGIN
    SELECT RAISE(ABORT, 'the change log is append-only');
END;
