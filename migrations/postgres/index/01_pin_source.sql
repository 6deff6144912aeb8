CREATE UNIQUE INDEX pin_source ON pin (legacy_id, source);
