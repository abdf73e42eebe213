SELECT at, sealed FROM answer WHERE caller = ?1 AND key = ?2
