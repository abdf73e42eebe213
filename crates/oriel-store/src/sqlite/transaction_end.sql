-- The last change of the transaction that a change belongs to.
SELECT max(sequence) FROM change
WHERE transaction_first = (SELECT transaction_first FROM change WHERE sequence = ?1)
