-- Filter, order and limit are appended. From `hash` on as they are hashed.
SELECT entry.hash, entry.number, entry.at, entry.author, entry.via, entry.address, entry.code, entry.outcome,
       entry.subjects, entry.details, entry.change,
       change.sequence, change.at, change.author, change.via, change.address, change.kind, change.object,
       change.name, change.action, change.secret, change.state_before, change.state_after, change.revision,
       change.transaction_first
FROM entry LEFT JOIN change ON change.sequence = entry.change
WHERE entry.number > ?1 AND entry.number < ?2
