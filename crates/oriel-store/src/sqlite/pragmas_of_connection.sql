-- What holds for one connection.
PRAGMA busy_timeout = 5000;
PRAGMA foreign_keys = ON;
PRAGMA recursive_triggers = ON;
PRAGMA trusted_schema = OFF;
-- Every commit reaches the disk before it is answered: neither kill -9 nor a loss of power loses it.
PRAGMA synchronous = FULL;
