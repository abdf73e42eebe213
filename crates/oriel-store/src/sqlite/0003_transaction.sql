-- Which changes were written together: each holds the sequence of the first of its transaction. Of what was
-- written before this was kept, changes by one author at one microsecond belong together.
DROP TRIGGER change_is_not_updated;

ALTER TABLE change ADD COLUMN transaction_first INTEGER NOT NULL DEFAULT 0;

UPDATE change SET transaction_first = together.first
FROM (
    SELECT sequence, min(sequence) OVER (PARTITION BY at, author, via, address) AS first FROM change
) AS together
WHERE together.sequence = change.sequence;

CREATE INDEX change_of_transaction ON change (transaction_first);

CREATE TRIGGER change_is_not_updated BEFORE UPDATE ON change
BEGIN
    SELECT RAISE(ABORT, 'the change log is append-only');
END;
