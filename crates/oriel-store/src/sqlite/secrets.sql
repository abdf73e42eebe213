SELECT object.kind, secret.owner, secret.name, secret.sealed
FROM secret JOIN object ON object.id = secret.owner ORDER BY secret.owner, secret.name
