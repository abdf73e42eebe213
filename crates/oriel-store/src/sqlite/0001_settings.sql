-- Settings objects, their sealed secrets, the change log, and what a broker keeps beside them.
-- Times are microseconds since 1970 (UTC); ids are hyphenated lower-case UUIDs.

CREATE TABLE store (
    id        INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    key_check BLOB    NOT NULL -- opens only with the farm key that the secrets are sealed with
) STRICT;

CREATE TABLE object (
    id          TEXT    NOT NULL PRIMARY KEY,
    kind        TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    folded_name TEXT    NOT NULL,
    site        TEXT,
    spec        TEXT    NOT NULL CHECK (json_valid(spec)),
    revision    INTEGER NOT NULL CHECK (revision > 0),
    changed_at  INTEGER NOT NULL,
    changed_by  TEXT    NOT NULL,
    UNIQUE (kind, folded_name)
) STRICT;

CREATE TABLE secret (
    owner  TEXT NOT NULL REFERENCES object (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (owner, name)
) STRICT;

CREATE TABLE change (
    sequence    INTEGER NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    author      TEXT    NOT NULL,
    via         TEXT    NOT NULL,
    address     TEXT,
    kind        TEXT    NOT NULL,
    object      TEXT    NOT NULL,
    name        TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    secret      TEXT,
    state_before TEXT    CHECK (state_before IS NULL OR json_valid(state_before)),
    state_after  TEXT    CHECK (state_after IS NULL OR json_valid(state_after)),
    revision    INTEGER NOT NULL
) STRICT;

-- The sequence is the row id, so each index is in its order.
CREATE INDEX change_of_object ON change (object);
CREATE INDEX change_of_kind ON change (kind);

-- Replacing a row counts as deleting it (recursive_triggers is on).
CREATE TRIGGER change_is_not_updated BEFORE UPDATE ON change
BEGIN
    SELECT RAISE(ABORT, 'the change log is append-only');
END;

CREATE TRIGGER change_is_not_deleted BEFORE DELETE ON change
BEGIN
    SELECT RAISE(ABORT, 'the change log is append-only');
END;

CREATE TABLE user_state (
    user  TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (json_valid(state))
) STRICT;

-- Not a foreign key: users of other directories have no settings object.
CREATE TRIGGER user_state_goes_with_its_user AFTER DELETE ON object
BEGIN
    DELETE FROM user_state WHERE user = OLD.id;
END;

CREATE TABLE blob (
    id    TEXT NOT NULL PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE ended_sign_in (
    id         TEXT    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
