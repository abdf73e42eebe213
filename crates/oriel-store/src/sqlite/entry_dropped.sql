SELECT details FROM entry WHERE code = 'log.dropped' ORDER BY number DESC LIMIT 1
