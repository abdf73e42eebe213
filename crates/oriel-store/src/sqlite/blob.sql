SELECT bytes FROM blob WHERE id = ?1
