DELETE FROM object WHERE id = ?1
