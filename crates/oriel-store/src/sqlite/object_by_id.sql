SELECT id, kind, name, site, spec, revision, changed_at, changed_by FROM object WHERE id = ?1
