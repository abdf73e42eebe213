SELECT id, kind, name, site, spec, revision, changed_at, changed_by
FROM object WHERE kind = ?1 AND folded_name = ?2
