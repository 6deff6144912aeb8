CREATE UNIQUE INDEX pin_one_live ON pin (person_id) WHERE status IN ('active', 'suspended', 'pending');
