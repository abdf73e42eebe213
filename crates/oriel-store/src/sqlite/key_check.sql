SELECT key_check FROM store WHERE id = 1
