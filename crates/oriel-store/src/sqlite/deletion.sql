SELECT kind, name, revision, author, at FROM change
WHERE object = ?1 AND action = 'deleted' ORDER BY sequence DESC LIMIT 1
