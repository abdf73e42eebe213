INSERT INTO answer (caller, key, at, sealed) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (caller, key) DO UPDATE SET at = excluded.at, sealed = excluded.sealed
