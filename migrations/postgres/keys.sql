ALTER TABLE person ADD CONSTRAINT person_pkey PRIMARY KEY USING INDEX person_pkey;
ALTER TABLE fiscal_code ADD CONSTRAINT fiscal_code_pkey PRIMARY KEY USING INDEX fiscal_code_pkey;
ALTER TABLE pin ADD CONSTRAINT pin_pkey PRIMARY KEY USING INDEX pin_pkey;
ALTER TABLE profile_grant ADD CONSTRAINT profile_grant_pkey PRIMARY KEY USING INDEX profile_grant_pkey;
ALTER TABLE delegation ADD CONSTRAINT delegation_pkey PRIMARY KEY USING INDEX delegation_pkey;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_pkey PRIMARY KEY USING INDEX quarantine_pkey;

ALTER TABLE person ADD CONSTRAINT person_run_fkey FOREIGN KEY (run_id) REFERENCES run NOT VALID;
ALTER TABLE fiscal_code ADD CONSTRAINT fiscal_code_person_fkey FOREIGN KEY (person_id) REFERENCES person NOT VALID;
ALTER TABLE pin ADD CONSTRAINT pin_person_fkey FOREIGN KEY (person_id) REFERENCES person NOT VALID;
ALTER TABLE pin ADD CONSTRAINT pin_superseded_fkey FOREIGN KEY (superseded_by) REFERENCES pin
    DEFERRABLE INITIALLY DEFERRED NOT VALID;
ALTER TABLE pin ADD CONSTRAINT pin_run_fkey FOREIGN KEY (run_id) REFERENCES run NOT VALID;
ALTER TABLE profile_grant ADD CONSTRAINT profile_grant_person_fkey FOREIGN KEY (person_id) REFERENCES person NOT VALID;
ALTER TABLE profile_grant ADD CONSTRAINT profile_grant_profile_fkey FOREIGN KEY (profile) REFERENCES profile NOT VALID;
ALTER TABLE profile_grant ADD CONSTRAINT profile_grant_run_fkey FOREIGN KEY (run_id) REFERENCES run NOT VALID;
ALTER TABLE delegation ADD CONSTRAINT delegation_person_fkey FOREIGN KEY (person_id) REFERENCES person NOT VALID;
ALTER TABLE delegation ADD CONSTRAINT delegation_run_fkey FOREIGN KEY (run_id) REFERENCES run NOT VALID;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_run_fkey FOREIGN KEY (run_id) REFERENCES run NOT VALID;
ALTER TABLE finding ADD CONSTRAINT finding_run_fkey FOREIGN KEY (run_id) REFERENCES run NOT VALID;
ALTER TABLE delayed_activation ADD CONSTRAINT delayed_activation_pin_fkey FOREIGN KEY (pin_id) REFERENCES pin NOT VALID;
