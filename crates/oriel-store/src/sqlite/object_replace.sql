UPDATE object
SET name = ?3, folded_name = ?4, site = ?5, spec = ?6, revision = ?7, changed_at = ?8, changed_by = ?9
WHERE id = ?1 AND kind = ?2
