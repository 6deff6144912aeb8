-- What the application does when somebody loses a PIN. A revocation must not wait: it passes the lock, is
-- captured, and the person is judged again before cut-over: sqlite3 sportello.db < counter-revocation.sql
UPDATE pin_sportello SET stato = 'REV' WHERE id = 'used-2';
