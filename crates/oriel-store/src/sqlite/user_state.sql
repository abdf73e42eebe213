SELECT state FROM user_state WHERE user = ?1
