CREATE UNIQUE INDEX pin_one_live ON pin (person_id)
    WHERE status = 'active' OR status = 'suspended' OR status = 'pending';
