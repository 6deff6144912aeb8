CREATE UNIQUE INDEX quarantine_pkey ON quarantine (source, legacy_id, copy);
