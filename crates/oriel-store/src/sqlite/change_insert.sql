INSERT INTO change (sequence, at, author, via, address, kind, object, name, action, secret,
                    state_before, state_after, revision, transaction_first)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
