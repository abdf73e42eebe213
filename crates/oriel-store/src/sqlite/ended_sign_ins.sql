SELECT id, expires_at FROM ended_sign_in WHERE expires_at > ?1 ORDER BY id
