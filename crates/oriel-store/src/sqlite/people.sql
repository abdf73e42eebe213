SELECT user, at, person FROM person ORDER BY at DESC LIMIT ?1
