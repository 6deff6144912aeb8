CREATE UNIQUE INDEX finding_record ON finding (source, legacy_id, kind);
