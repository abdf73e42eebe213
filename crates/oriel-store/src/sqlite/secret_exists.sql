SELECT EXISTS (SELECT 1 FROM secret WHERE owner = ?1 AND name = ?2)
