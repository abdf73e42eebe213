INSERT INTO used_code (user, step) VALUES (?1, ?2)
ON CONFLICT (user) DO UPDATE SET step = excluded.step WHERE excluded.step > step
