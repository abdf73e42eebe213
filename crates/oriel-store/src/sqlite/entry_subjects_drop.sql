DELETE FROM entry_subject WHERE entry <= ?1
