-- The legacy database of the counters: sqlite3 sportello.db < sportello.sql
-- Its column of fiscal codes and its statuses are named otherwise than in the default layout; pinferry.toml
-- maps them. `note` is not mapped: it stays free to change while the lock is held.
PRAGMA journal_mode = WAL;
CREATE TABLE pin_sportello (
    id TEXT PRIMARY KEY NOT NULL,
    cf TEXT NOT NULL,
    cognome TEXT,
    nome TEXT,
    data_nascita TEXT,
    classe_utente TEXT NOT NULL,
    codice_ente TEXT,
    stato TEXT NOT NULL,
    tipo_pin TEXT NOT NULL,
    pin_hash BLOB,
    algoritmo TEXT,
    data_rilascio TEXT NOT NULL,
    data_scadenza TEXT,
    ultimo_accesso TEXT,
    sede TEXT,
    canale TEXT,
    meta_consegnate INTEGER,
    email TEXT,
    telefono TEXT,
    cf_tutore TEXT,
    note TEXT
);
INSERT INTO pin_sportello VALUES ('merge-2', 'RSSMRA75D12H501J', 'Rossi', 'Mario', '1975-04-12', 'CDL', 'STU00001', 'ATT', 'DISP', x'1888abeca5cd4a98200d32ea83898fbe6e9ce7e578afc69ac894346f0ca915d1', 'SHA256', '2011-03-01', NULL, '2013-09-01', '0700', 'WEB', 2, NULL, '0612345678', NULL, NULL);
INSERT INTO pin_sportello VALUES ('status-2', 'VRDNNA68M63H501L', 'Verdi', 'Anna', '1968-08-23', 'AVV', NULL, 'SOS', 'DISP', x'c0860ca6d74477af0aed19e54b099a9d032bd763f286349b440ff1c682ba2e8f', 'SHA256', '2011-03-01', NULL, '2013-10-10', '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('used-2', 'GRCLCU81B54H501X', 'Greco', 'Lucia', '1981-02-14', 'COM', NULL, 'ATT', 'DISP', x'77fb3b5dca00672e69e6e00624aaedc43214e04e4b64bc3d22094e7c96dd9289', 'SHA256', '2011-03-01', NULL, '2013-06-06T08:15:00', '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('issued-2', 'CNTMRC70L30H501V', 'Conti', 'Marco', '1970-07-30', 'AVV', 'STU00002', 'ATT', 'DISP', x'a5a27c0aa722392040bb242697d6d5cc39a742c4218fec89a704fa007fbe730d', 'SHA256', '2010-01-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('source-2', 'GLLLNE85S51H501W', 'Gallo', 'Elena', '1985-11-11', 'DIP', 'UFF00003', 'ATT', 'DISP', x'0ca483029bda97c7e71aef6a17da45d72515ac8ae3f4631dfa8bc32483defd77', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('pending-1', 'MNTLGU62C27H501W', 'Monti', 'Luigi', '1962-03-27', 'CIT', NULL, 'ASS', 'DISP', x'2bc164af89c0cebc769b86cf4d5d2f916fb1e1468f081ab730e960c07d91155e', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 1, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('history-2', 'VLLCRL48P55H501A', 'Villa', 'Carla', '1948-09-15', 'CIT', NULL, 'CES', 'DISP', x'916c4e686f537d52e9c307dab92f61bd0f8f3d5f2aebb2a8c09d8302430bee65', 'SHA256', '2008-08-08', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('grant-3', 'CSTFBA73R02H501R', 'Costa', 'Fabio', '1973-10-02', 'AZI', 'AZI00005', 'REV', 'DISP', x'30c0b07ecaae00bc0706673881027c1ff7e23fa87e7dcfd733fdc5656f39d1fd', 'SHA256', '2007-01-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('rights-2', 'FNTRTI66H46H501A', 'Fontana', 'Rita', '1966-06-06', 'MED', NULL, 'ATT', 'ORD', x'ca6f71dd89993d180a1100d515c532274b34c2297d37a0d4a666bf4d68ca5b50', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('name-2', 'NCLFNC71A31H501R', 'Nicolò', 'Franco', '1971-01-31', 'AVV', NULL, 'ATT', 'DISP', x'0e08149a361b90cf84b6b9d524fc81f5025079fa68106f044e0fd3978357cacd', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('link-old', 'LNEVNI64E44H501G', 'Leone', 'Ivana', '1964-05-04', 'COM', NULL, 'ATT', 'DISP', x'920aac8c1c821deccefcd8fc61c5701bb68efb47da4ec9a8e785d23672832f41', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('omocodia-2', 'FRRNNA80H55H50MH', 'Ferri', 'Anna', '1980-06-15', 'CIT', NULL, 'ATT', 'DISP', x'446ea0ea8c31fb2a6bc1df60a41570aa7714094f452f83b5c19e544f8f6b4af0', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('finding-minor', 'CRSLIA01R50H501W', 'Caruso', 'Lia', '2001-10-10', 'CIT', NULL, 'ATT', 'ORD', x'7c814e378f80eadecaf30741ec925df8fa32667ed80dc1b3e86d06ff39f42b61', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('finding-expired', 'PRSRSO69P59H501S', 'Parisi', 'Rosa', '1969-09-19', 'CIT', NULL, 'ATT', 'DISP', x'64cd467dda7bd6bb8f365f98f3597edefe830f202e7ff3c336293717fdbd0035', 'SHA256', '2011-03-01', '2012-12-31', '2012-06-30', '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('finding-halves', 'NRESLV88M58H501W', 'Neri', 'Silvia', '1988-08-18', 'CIT', NULL, 'ATT', 'DISP', x'd1f38e48862b646e4047d9d4daf25c2ef0dea99deb0c355a9cd33fb09309bd1e', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 1, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('bad-control', 'FRILEI86H26H501A', 'Fiore' || char(7), 'Elia', '1986-06-26', 'CIT', NULL, 'ATT', 'DISP', x'0240a5285e7dfb6bbf3425a9ea801d23bd923b8f3725f413136b26515ba2d250', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('discarded', 'TSTBRN50E05H501T', 'Testa', 'Bruno', '1950-05-05', 'CIT', NULL, 'ATT', 'DISP', x'7e9f20acda0f4a0b721d834a2567e18921a928540086c4cab50562ab7e21b633', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('bad-profile', 'DNTGAI87L57H501R', 'Donati', 'Gaia', '1987-07-17', 'XYZ', NULL, 'ATT', 'DISP', x'cd29a004811b896875aab8b1c2deaeeda647170f7f60cf02038385bab0a44350', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('bad-status', 'NGRLCU94D64H501H', 'Negri', 'Lucia', '1994-04-24', 'CIT', NULL, 'X', 'DISP', x'aae351c5f2c5bb74d8d5c160ae1c99032062e91e8688027fa7495af66e3591a8', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('bad-scheme', 'SRTCLD65E15H501L', 'Sartori', 'Claudio', '1965-05-15', 'CIT', NULL, 'ATT', 'DISP', x'a1a4dde5a47d56a017335dbe5d625d629c1f4072200d64797e041040a6b5774e', 'ROT13', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
INSERT INTO pin_sportello VALUES ('conflict-2', 'RZZMTT72B02H501P', 'Rizzi', 'Matteo', '1972-02-02', 'AVV', NULL, 'ATT', 'DISP', x'0846e1d532d3e5c6be7c13554739c5584a84476ff233002282d1c22e7332f0c9', 'SHA256', '2011-03-01', NULL, NULL, '0700', 'WEB', 2, NULL, NULL, NULL, NULL);
