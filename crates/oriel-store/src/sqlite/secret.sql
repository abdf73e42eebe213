SELECT object.kind, secret.sealed FROM secret JOIN object ON object.id = secret.owner
WHERE secret.owner = ?1 AND secret.name = ?2
