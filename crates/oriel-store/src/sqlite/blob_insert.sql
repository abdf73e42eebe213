INSERT INTO blob (id, bytes) VALUES (?1, ?2)
