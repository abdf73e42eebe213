SELECT EXISTS (SELECT 1 FROM blob WHERE id = ?1), (SELECT count(*) FROM blob)
