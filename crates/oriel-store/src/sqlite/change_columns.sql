SELECT sequence, at, author, via, address, kind, object, name, action, secret,
       state_before, state_after, revision, transaction_first
FROM change WHERE sequence = ?1
