INSERT OR IGNORE INTO entry_subject (object, entry) VALUES (?1, ?2)
