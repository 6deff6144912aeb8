CREATE UNIQUE INDEX person_pkey ON person (person_id);
