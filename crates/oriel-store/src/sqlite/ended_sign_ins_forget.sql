DELETE FROM ended_sign_in WHERE expires_at <= ?1
