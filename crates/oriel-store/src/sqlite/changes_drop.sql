DELETE FROM change WHERE sequence <= ?1
