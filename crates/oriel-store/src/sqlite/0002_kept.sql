-- What brokers remember of their duties, by the duty's name. Not settings: not in the change log.
CREATE TABLE kept (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL CHECK (json_valid(value))
) STRICT;
