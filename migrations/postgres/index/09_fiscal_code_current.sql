CREATE UNIQUE INDEX fiscal_code_current ON fiscal_code (person_id) WHERE current;
