CREATE INDEX pin_person ON pin (person_id);
