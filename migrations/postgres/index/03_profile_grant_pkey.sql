CREATE UNIQUE INDEX profile_grant_pkey ON profile_grant (person_id, profile, entity);
