CREATE UNIQUE INDEX pin_pkey ON pin (pin_id);
