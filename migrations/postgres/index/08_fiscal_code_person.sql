CREATE INDEX fiscal_code_person ON fiscal_code (person_id);
