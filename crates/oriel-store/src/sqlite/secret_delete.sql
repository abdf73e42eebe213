DELETE FROM secret WHERE owner = ?1 AND name = ?2
