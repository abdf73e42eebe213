INSERT INTO object (id, kind, name, folded_name, site, spec, revision, changed_at, changed_by)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
