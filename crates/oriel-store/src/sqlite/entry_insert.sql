INSERT INTO entry (number, at, author, via, address, code, outcome, subjects, details, change, bytes, hash)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
