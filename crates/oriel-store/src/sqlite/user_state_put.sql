INSERT INTO user_state (user, state) VALUES (?1, ?2)
ON CONFLICT (user) DO UPDATE SET state = excluded.state
