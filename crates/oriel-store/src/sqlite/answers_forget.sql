DELETE FROM answer WHERE at <= ?1
   OR rowid IN (SELECT rowid FROM answer ORDER BY at DESC LIMIT -1 OFFSET ?2)
