UPDATE log_head SET number = ?1, hash = ?2, bytes = ?3, dropped_entry = ?4, dropped_change = ?5 WHERE id = 1
