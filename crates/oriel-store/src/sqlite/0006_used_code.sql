-- The newest one-time code that each user has used, by its time step: none is taken twice, also after a
-- restart. Not settings: not in the change log.
CREATE TABLE used_code (
    user TEXT NOT NULL PRIMARY KEY,
    step INTEGER NOT NULL
) STRICT;

-- Not a foreign key: users of other directories have no settings object.
CREATE TRIGGER used_code_goes_with_its_user AFTER DELETE ON object
BEGIN
    DELETE FROM used_code WHERE user = OLD.id;
END;
