INSERT INTO person (user, at, person) VALUES (?1, ?2, ?3)
ON CONFLICT (user) DO UPDATE SET at = excluded.at, person = excluded.person WHERE excluded.at >= at
