-- What the counters' application does when somebody asks for a PIN. While the lock is held it is refused:
-- sqlite3 sportello.db < counter-new-pin.sql
INSERT INTO pin_sportello (id, cf, cognome, nome, classe_utente, stato, tipo_pin, pin_hash, algoritmo, data_rilascio)
VALUES ('new-1', 'RSSMRA80A01H501U', 'Rossi', 'Mario', 'CIT', 'ATT', 'ORD', x'00', 'SHA256', '2013-11-04');
