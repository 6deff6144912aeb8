CREATE UNIQUE INDEX fiscal_code_pkey ON fiscal_code (fiscal_code);
