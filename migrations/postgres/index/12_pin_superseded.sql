CREATE INDEX pin_superseded ON pin (superseded_by) WHERE superseded_by IS NOT NULL;
