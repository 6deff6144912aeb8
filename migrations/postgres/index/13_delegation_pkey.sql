CREATE UNIQUE INDEX delegation_pkey ON delegation (person_id, guardian_fiscal_code);
