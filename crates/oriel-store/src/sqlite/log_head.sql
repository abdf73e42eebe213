SELECT number, hash, bytes, dropped_entry, dropped_change FROM log_head WHERE id = 1
