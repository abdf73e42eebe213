SELECT number, at, bytes, hash, change FROM entry ORDER BY number LIMIT ?1
