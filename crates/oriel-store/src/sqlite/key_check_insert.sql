INSERT INTO store (id, key_check) VALUES (1, ?1)
