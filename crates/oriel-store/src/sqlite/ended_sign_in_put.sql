INSERT INTO ended_sign_in (id, expires_at) VALUES (?1, ?2)
ON CONFLICT (id) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)
