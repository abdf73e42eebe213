SELECT id, kind, name, site, spec, revision, changed_at, changed_by FROM object ORDER BY id
