SELECT max(coalesce((SELECT max(sequence) FROM change), 0), (SELECT dropped_change FROM log_head))
