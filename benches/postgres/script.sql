-- The rival of `pinferry run`: the same migration as one careful script in one transaction. It neither locks, verifies
-- nor resumes, and believes its own COMMIT.
--
-- It reads legacy.pin_legacy and legacy.fiscal_code_link (old, new), and fills the bare tables of
-- migrations/postgres in the same database, where run and profile stand already. Indexes, keys and foreign keys
-- follow it, by the files of migrations/postgres, before the COMMIT.
--
-- What it leaves out of the rules, since no generated record needs it: ids with control characters, which would have to
-- be escaped, and timestamps with a zone. A record without an id is named after another hash of what was read.

\set ON_ERROR_STOP on
\set source legacy

BEGIN ISOLATION LEVEL REPEATABLE READ;

SET LOCAL client_min_messages = warning;
-- Everything sorts and hashes in memory. Compiling the large expressions costs more than it saves.
SET LOCAL work_mem = '1GB';
SET LOCAL hash_mem_multiplier = 1;
SET LOCAL maintenance_work_mem = '1GB';
SET LOCAL max_parallel_workers_per_gather = 2;
SET LOCAL jit = off;

SELECT run_id, as_of FROM run \gset

-- Working tables are UNLOGGED and not temporary: parallel workers may read them. They go with their schema.
CREATE SCHEMA script;
SET LOCAL search_path = script, public;

-- The planner puts functions of one expression in place; those with a FROM are called, for few values only.

-- Without Unicode white space around it; NULL where nothing is left.
CREATE FUNCTION tidied(value text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT nullif(btrim(value, E'\u0009\u000a\u000b\u000c\u000d\u0020\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004'
        '\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'), '') $$;

CREATE FUNCTION tidied_code(value text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT upper(tidied(value) COLLATE "C") $$;

CREATE FUNCTION has_control(value text) RETURNS boolean IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT tidied(value) ~ '[\u0001-\u001f\u007f-\u009f]' $$;

-- The date of a tidied text, NULL where it is none. The time behind it is dropped.
CREATE FUNCTION iso_date(value text) RETURNS date IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT CASE
        WHEN value !~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])([T ][0-9][0-9:.,+Z -]*)?$' THEN NULL
        WHEN left(value, 4) = '0000' THEN NULL
        WHEN substr(value, 9, 2)::integer <= date_part('day',
            make_date(left(value, 4)::integer, substr(value, 6, 2)::integer, 1) + interval '1 month - 1 day')
            THEN make_date(left(value, 4)::integer, substr(value, 6, 2)::integer, substr(value, 9, 2)::integer)
    END $$;

-- The letters A to Z of a name, else the name in upper case.
CREATE FUNCTION fold(name text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT coalesce(nullif(regexp_replace(
        replace(replace(replace(replace(replace(
            translate(normalize(upper(name), NFKD), 'ŁØĐı', 'LODI'),
            'Æ', 'AE'), 'Œ', 'OE'), 'ß', 'SS'), 'ẞ', 'SS'), 'Þ', 'TH'),
        '[^A-Z]', '', 'g'), ''), upper(name)) $$;

-- Three letters of a folded name as a fiscal code spells them: consonants, then vowels, then X. Of four or more
-- consonants a given name leaves out the second.
CREATE FUNCTION spell_letters(folded text, leave_out boolean) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT left(
        CASE WHEN leave_out AND length(consonants) >= 4 THEN left(consonants, 1) || substr(consonants, 3)
            ELSE consonants END || vowels || 'XXX', 3)
    FROM (SELECT regexp_replace(folded, '[^B-DF-HJ-NP-TV-Z]', '', 'g') AS consonants,
                 regexp_replace(folded, '[^AEIOU]', '', 'g') AS vowels) AS split $$;

-- What a byte of a personal code stands for, from '0' to 'Z': what it adds to the check character in an odd or even
-- place, the value of a digit or omocodia letter, the days of a month (29 for February). A character that may not stand
-- there adds far too much; below '0' and beyond 'Z' is NULL.
CREATE FUNCTION letter_odd(byte integer) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT ('{
        9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,1,0,5,7,9,13,15,17,
        19,21,2,4,18,20,11,3,6,8,12,14,16,10,22,25,24,23
    }'::integer[])[byte - 47] $$;
CREATE FUNCTION letter_even(byte integer) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT ('{
        9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,0,1,2,3,4,5,6,7,8,
        9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25
    }'::integer[])[byte - 47] $$;
CREATE FUNCTION digit_odd(byte integer) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT ('{
        1,0,5,7,9,13,15,17,19,21,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,
        9000,9000,9000,4,18,20,9000,3,6,8,12,14,16,10,9000,9000,9000,9000
    }'::integer[])[byte - 47] $$;
CREATE FUNCTION digit_even(byte integer) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT ('{
        0,1,2,3,4,5,6,7,8,9,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,
        9000,9000,11,12,13,9000,15,16,17,18,19,20,21,9000,9000,9000,9000
    }'::integer[])[byte - 47] $$;
CREATE FUNCTION month_odd(byte integer) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT ('{
        9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,1,0,5,7,9,9000,
        9000,17,9000,9000,9000,4,18,9000,9000,3,9000,8,12,14,9000,9000,9000,9000,9000,9000
    }'::integer[])[byte - 47] $$;
CREATE FUNCTION digit_value(byte integer) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT ('{
        0,1,2,3,4,5,6,7,8,9,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,9000,
        9000,9000,0,1,2,9000,3,4,5,6,7,8,9,9000,9000,9000,9000
    }'::integer[])[byte - 47] $$;
CREATE FUNCTION month_days(byte integer) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT ('{
        0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,31,29,31,30,31,0,0,30,0,0,0,31,31,0,0,30,0,31,30,31,0,0,0,0,0,0
    }'::integer[])[byte - 47] $$;

-- The sum behind the check character; 9000 and more where a character may not stand where it does.
CREATE FUNCTION personal_sum(code bytea) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT letter_odd(get_byte(code, 0)) + letter_even(get_byte(code, 1)) + letter_odd(get_byte(code, 2))
        + letter_even(get_byte(code, 3)) + letter_odd(get_byte(code, 4)) + letter_even(get_byte(code, 5))
        + digit_odd(get_byte(code, 6)) + digit_even(get_byte(code, 7)) + month_odd(get_byte(code, 8))
        + digit_even(get_byte(code, 9)) + digit_odd(get_byte(code, 10)) + letter_even(get_byte(code, 11))
        + digit_odd(get_byte(code, 12)) + digit_even(get_byte(code, 13)) + digit_odd(get_byte(code, 14)) $$;

-- The day in a personal code of valid form, 40 and more for women, and whether its month has it.
CREATE FUNCTION personal_day(code bytea) RETURNS integer IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT 10 * digit_value(get_byte(code, 9)) + digit_value(get_byte(code, 10)) $$;

CREATE FUNCTION day_exists(day integer, code bytea) RETURNS boolean IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT day < 80 AND day % 40 > 0 AND day % 40 <= month_days(get_byte(code, 8))
        AND (get_byte(code, 8) <> ascii('B') OR day % 40 < 29
            OR (10 * digit_value(get_byte(code, 6)) + digit_value(get_byte(code, 7))) % 4 = 0) $$;

CREATE FUNCTION numeric_fits(code text) RETURNS boolean IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT code ~ '^[0-9]{11}$' AND code <> '00000000000' AND (
        SELECT sum(CASE WHEN place % 2 = 1 THEN digit WHEN digit < 5 THEN 2 * digit ELSE 2 * digit - 9 END) % 10 = 0
        FROM (SELECT substr(code, place, 1)::integer AS digit, place FROM generate_series(1, 11) AS place) AS digits
    ) $$;

-- What is wrong with a code, NULL for a valid one. Too slow for every record.
CREATE FUNCTION code_problem(code text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT CASE
        WHEN code ~ '^[0-9]{11}$' AND code <> '00000000000'
            THEN CASE WHEN NOT numeric_fits(code) THEN 'the check character does not fit' END
        WHEN coalesce(personal_sum(bytes), 9000) >= 9000 OR substr(code, 16) !~ '^[A-Z]$'
            THEN 'neither the personal nor the numeric form'
        WHEN NOT day_exists(personal_day(bytes), bytes) THEN 'the date in the code does not exist'
        WHEN personal_sum(bytes) % 26 <> get_byte(bytes, 15) - 65 THEN 'the check character does not fit'
    END
    FROM (SELECT CASE WHEN octet_length(code) = 16 THEN convert_to(code, 'UTF8') END AS bytes OFFSET 0) AS spelt $$;

-- A personal code without its check character, digits for its omocodia letters.
CREATE FUNCTION spelt_digits(code text) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT left(code, 6) || translate(substr(code, 7, 2), 'LMNPQRSTUV', '0123456789') || substr(code, 9, 1)
        || translate(substr(code, 10, 2), 'LMNPQRSTUV', '0123456789') || substr(code, 12, 1)
        || translate(substr(code, 13, 3), 'LMNPQRSTUV', '0123456789') $$;

-- Where each old code leads in the end.
CREATE UNLOGGED TABLE renamed AS
WITH RECURSIVE link AS (
    SELECT DISTINCT tidied_code(old) AS old, tidied_code(new) AS new FROM legacy.fiscal_code_link
), chain AS (
    SELECT old, old AS code FROM link
    UNION ALL
    SELECT chain.old, link.new FROM chain JOIN link ON link.old = chain.code WHERE link.new IS NOT NULL
)
SELECT chain.old COLLATE "C" AS old, chain.code COLLATE "C" AS code, link.old IS NOT NULL AS discarded
FROM chain LEFT JOIN link ON link.old = chain.code
WHERE link.new IS NULL;

-- Names, dates and codes are few beside the records: each that occurs is looked at once and then looked up.

CREATE UNLOGGED TABLE surname AS
SELECT raw, text, has_control(text) AS control, dense_rank() OVER (ORDER BY folded) AS folded_no,
    spell_letters(folded, false) AS letters
FROM (
    SELECT raw, tidied(raw) AS text, fold(tidied(raw)) AS folded
    FROM (SELECT DISTINCT cognome AS raw FROM legacy.pin_legacy WHERE cognome IS NOT NULL) AS found
) AS name;

-- An absent given name folds to another number than any other.
CREATE UNLOGGED TABLE given_name AS
SELECT raw, text, coalesce(has_control(text), false) AS control, dense_rank() OVER (ORDER BY folded) AS folded_no,
    spell_letters(coalesce(folded, ''), true) AS letters
FROM (
    SELECT raw, tidied(raw) AS text, fold(tidied(raw)) AS folded
    FROM (SELECT DISTINCT coalesce(nome, '') AS raw FROM legacy.pin_legacy) AS found
) AS name;

-- With the five characters of a fiscal code for that day, of a man and of a woman.
CREATE UNLOGGED TABLE day AS
SELECT raw, control, date, text IS NOT NULL AND date IS NULL AS invalid,
    year || month || lpad(day::text, 2, '0') AS man, year || month || (day + 40) AS woman
FROM (
    SELECT raw, text, control, date, lpad((date_part('year', date)::integer % 100)::text, 2, '0') AS year,
        substr('ABCDEHLMPRST', date_part('month', date)::integer, 1) AS month, date_part('day', date)::integer AS day
    FROM (
        SELECT raw, text, has_control(text) AS control, iso_date(text) AS date
        FROM (
            SELECT raw, tidied(raw) AS text
            FROM (
                SELECT DISTINCT data_nascita AS raw FROM legacy.pin_legacy
                UNION SELECT DISTINCT data_rilascio FROM legacy.pin_legacy
                UNION SELECT DISTINCT data_scadenza FROM legacy.pin_legacy
                UNION SELECT DISTINCT ultimo_accesso FROM legacy.pin_legacy
            ) AS found
            WHERE raw IS NOT NULL
            OFFSET 0
        ) AS tidy
        OFFSET 0
    ) AS read
) AS known;

-- The six codes of a record together are looked up by one key. No sane code holds its separator; a doubled key
-- would double a record, which the unique indexes refuse.
CREATE FUNCTION coding_key(profile text, status text, level text, scheme text, channel text, halves text) RETURNS text
    IMMUTABLE PARALLEL SAFE LANGUAGE sql AS $$
    SELECT coalesce(profile, '') || E'\u001f' || coalesce(status, '') || E'\u001f' || coalesce(level, '') || E'\u001f'
        || coalesce(scheme, '') || E'\u001f' || coalesce(channel, '') || E'\u001f' || coalesce(halves, '') $$;

CREATE UNLOGGED TABLE coding AS
SELECT coding_key(classe_utente, stato, tipo_pin, algoritmo, canale, meta_consegnate) AS key,
    profile.profile, coalesce(profile.entity_rule, 'none') AS entity_rule, profile.max_age_days,
    status.status COLLATE "C" AS status, status.rank,
    CASE tidied_code(tipo_pin) WHEN 'ORD' THEN false WHEN 'DISP' THEN true END AS dispositive,
    tidied_code(algoritmo) AS scheme,
    coalesce(tidied_code(algoritmo) IN ('SHA256', 'SHA1', 'MD5', 'PBKDF2', 'BCRYPT', 'ARGON2ID'), false) AS accepted,
    tidied_code(canale) AS channel,
    CASE tidied(meta_consegnate) WHEN '0' THEN 0 WHEN '1' THEN 1 WHEN '2' THEN 2 ELSE
        CASE WHEN tidied(meta_consegnate) IS NULL THEN CASE status.status WHEN 'pending' THEN 1 ELSE 2 END END
    END AS halves,
    coalesce(has_control(concat_ws(' ', tidied(classe_utente), tidied(stato), tidied(tipo_pin), tidied(algoritmo),
        tidied(canale), tidied(meta_consegnate))), false) AS control
FROM (
    SELECT DISTINCT coalesce(classe_utente, '') AS classe_utente, coalesce(stato, '') AS stato,
        coalesce(tipo_pin, '') AS tipo_pin, coalesce(algoritmo, '') AS algoritmo, coalesce(canale, '') AS canale,
        coalesce(meta_consegnate, '') AS meta_consegnate
    FROM legacy.pin_legacy
) AS found
LEFT JOIN profile ON profile.profile = tidied_code(found.classe_utente)
LEFT JOIN (VALUES
    ('A', 'active', 0), ('S', 'suspended', 1), ('P', 'pending', 2), ('R', 'revoked', 3), ('C', 'ceased', 3)
) AS status (code, status, rank) ON status.code = tidied_code(found.stato);

-- Ids that occur more than once, then their records: of copies with the same content one goes on.
CREATE UNLOGGED TABLE repeated AS
SELECT tidied(id) AS id FROM legacy.pin_legacy
GROUP BY 1 HAVING count(*) > 1 AND left(tidied(id), 1) <> '@';

ANALYZE repeated;

CREATE UNLOGGED TABLE duplicate AS
SELECT tid, copy FROM (
    SELECT tid, row_number() OVER (PARTITION BY id ORDER BY content, raw)
        - (min(content) OVER same = max(content) OVER same)::integer AS copy
    FROM (
        SELECT legacy.ctid AS tid, repeated.id,
            ARRAY[tidied_code(codice_fiscale), tidied(cognome), tidied(nome),
                coalesce(iso_date(tidied(data_nascita))::text, tidied(data_nascita)), tidied_code(classe_utente),
                tidied_code(codice_ente), tidied_code(stato), tidied_code(tipo_pin), tidied(pin_hash),
                tidied_code(algoritmo), coalesce(iso_date(tidied(data_rilascio))::text, tidied(data_rilascio)),
                coalesce(iso_date(tidied(data_scadenza))::text, tidied(data_scadenza)),
                coalesce(iso_date(tidied(ultimo_accesso))::text, tidied(ultimo_accesso)), tidied(sede),
                tidied_code(canale), tidied(meta_consegnate), tidied(email), tidied(telefono), tidied_code(cf_tutore)
            ] COLLATE "C" AS content,
            ARRAY[legacy.id, codice_fiscale, cognome, nome, data_nascita, classe_utente, codice_ente, stato, tipo_pin,
                pin_hash, algoritmo, data_rilascio, data_scadenza, ultimo_accesso, sede, canale, meta_consegnate, email,
                telefono, cf_tutore] COLLATE "C" AS raw
        FROM legacy.pin_legacy AS legacy JOIN repeated ON repeated.id = tidied(legacy.id)
    ) AS copies
    WINDOW same AS (PARTITION BY id)
) AS numbered
WHERE copy > 0;

ANALYZE surname (raw), given_name (raw), day (raw), coding (key), duplicate, renamed;

-- Every record with the first reason against it, else in the order of its person's records. One sort by code serves
-- the ids and all windows; records with a reason stand behind all people. OFFSET 0 keeps what is worked out in one
-- step from being worked out again wherever the next one refers to it.
CREATE UNLOGGED TABLE judged AS
SELECT tid, reason, copy, code, old_code, legacy_id, omocode, name_fits, birth_fits, surname, surname_no, given_name,
    given_name_no, birth_date, profile, entity, entity_ignored, status, rank, dispositive, credential, scheme,
    issued_on, expires_on, last_used_on, office, channel, halves, email, phone, guardian,
    row_number() OVER (
        ORDER BY code, rank, dispositive DESC, last_used_on DESC NULLS LAST, issued_on DESC, legacy_id) AS pin_id,
    row_number() OVER person AS place,
    count(*) OVER person AS records,
    min(max_age_days) FILTER (WHERE rank = 0) OVER person AS days
FROM (
    SELECT record.*,
        CASE WHEN reason IS NULL THEN current_code END AS code,
        CASE WHEN reason IS NULL AND written <> current_code THEN written END AS old_code,
        left(current_code, 6) = letters AS name_fits,
        substr(current_code, 7, 5) IN (man, woman)
            OR substr(spelt_digits(current_code), 7, 5) IN (man, woman) AS birth_fits,
        CASE entity_rule WHEN 'none' THEN '' ELSE coalesce(given_entity, '') END AS entity,
        entity_rule = 'none' AND given_entity IS NOT NULL AS entity_ignored
    FROM (
        SELECT summed.*, duplicate.copy,
            surname.text AS surname, surname.folded_no AS surname_no,
            given_name.text AS given_name, given_name.folded_no AS given_name_no,
            surname.letters || given_name.letters AS letters,
            birth.date AS birth_date, birth.man, birth.woman,
            issued.date AS issued_on, expires.date AS expires_on, used.date AS last_used_on,
            coding.profile, entity_rule, max_age_days, coding.status, rank, dispositive, scheme, channel, halves,
            CASE
                WHEN legacy_id IS NULL OR left(legacy_id, 1) = '@' THEN 'id_missing'
                WHEN copy IS NOT NULL THEN 'duplicate_id'
                WHEN summed.control OR surname.control OR given_name.control OR birth.control OR issued.control
                    OR expires.control OR used.control OR coding.control THEN 'encoding_invalid'
                WHEN NOT coalesce(
                    CASE WHEN numeric_code THEN numeric_fits(current_code)
                        ELSE total < 9000 AND total % 26 = get_byte(bytes, 15) - 65 AND day_exists(code_day, bytes) END,
                    false) THEN 'fiscal_code_invalid'
                WHEN discarded THEN 'fiscal_code_discarded'
                WHEN surname.text IS NULL OR given_name.text IS NULL AND NOT numeric_code THEN 'identity_missing'
                WHEN birth.invalid OR issued.date IS NULL OR expires.invalid OR used.invalid THEN 'date_invalid'
                WHEN coding.profile IS NULL THEN 'profile_unknown'
                WHEN entity_rule = 'required' AND given_entity IS NULL THEN 'entity_missing'
                WHEN coding.status IS NULL THEN 'status_unknown'
                WHEN dispositive IS NULL THEN 'level_unknown'
                WHEN rank < 3 AND credential IS NULL THEN 'credential_missing'
                WHEN rank < 3 AND NOT accepted THEN 'credential_unsupported'
                WHEN halves IS NULL THEN 'halves_invalid'
                WHEN guardian = current_code OR guardian_discarded
                    OR guardian IS NOT NULL AND code_problem(guardian) IS NOT NULL THEN 'guardian_invalid'
            END AS reason
        FROM (
            SELECT *, personal_sum(bytes) AS total, personal_day(bytes) AS code_day,
                greatest(get_byte(bytes, 6), get_byte(bytes, 7), get_byte(bytes, 9), get_byte(bytes, 10),
                    get_byte(bytes, 12), get_byte(bytes, 13), get_byte(bytes, 14)) > ascii('9') AS omocode
            FROM (
                SELECT tidy.*,
                    coalesce(renamed.code, written) AS current_code, coalesce(renamed.discarded, false) AS discarded,
                    octet_length(coalesce(renamed.code, written)) = 11 AS numeric_code,
                    CASE WHEN octet_length(coalesce(renamed.code, written)) = 16
                        THEN convert_to(coalesce(renamed.code, written), 'UTF8') END AS bytes,
                    coalesce(guardians.code, written_guardian) AS guardian, guardians.discarded AS guardian_discarded
                FROM (
                    SELECT tid, cognome, coalesce(nome, '') AS nome, data_nascita, data_rilascio, data_scadenza,
                        ultimo_accesso,
                        coding_key(classe_utente, stato, tipo_pin, algoritmo, canale, meta_consegnate) AS key,
                        CASE WHEN untidy THEN tidied(id) ELSE nullif(id, '') END COLLATE "C" AS legacy_id,
                        CASE WHEN untidy THEN tidied_code(codice_fiscale)
                            ELSE upper(nullif(codice_fiscale, '') COLLATE "C") END AS written,
                        CASE WHEN untidy THEN tidied_code(codice_ente)
                            ELSE upper(nullif(codice_ente, '') COLLATE "C") END AS given_entity,
                        CASE WHEN untidy THEN tidied(pin_hash) ELSE nullif(pin_hash, '') END AS credential,
                        CASE WHEN untidy THEN tidied(sede) ELSE nullif(sede, '') END AS office,
                        CASE WHEN untidy THEN tidied(email) ELSE nullif(email, '') END AS email,
                        CASE WHEN untidy THEN tidied(telefono) ELSE nullif(telefono, '') END AS phone,
                        tidied_code(cf_tutore) AS written_guardian,
                        untidy AND (has_control(id) OR has_control(codice_fiscale) OR has_control(codice_ente)
                            OR has_control(pin_hash) OR has_control(sede) OR has_control(email)
                            OR has_control(telefono) OR has_control(cf_tutore)) AS control
                    FROM (
                        -- One look at all free text tells that there is nothing to trim nor refuse in it.
                        SELECT ctid AS tid, *, concat_ws('|', id, codice_fiscale, codice_ente, pin_hash, sede, email,
                            telefono, cf_tutore) COLLATE "C" ~ '[^!-~]' AS untidy
                        FROM legacy.pin_legacy
                        OFFSET 0
                    ) AS read
                    OFFSET 0
                ) AS tidy
                LEFT JOIN renamed ON renamed.old = written
                LEFT JOIN renamed AS guardians ON guardians.old = written_guardian
                OFFSET 0
            ) AS spelt
            OFFSET 0
        ) AS summed
        LEFT JOIN duplicate USING (tid)
        LEFT JOIN surname ON surname.raw = cognome
        LEFT JOIN given_name ON given_name.raw = nome
        LEFT JOIN day AS birth ON birth.raw = data_nascita
        LEFT JOIN day AS issued ON issued.raw = data_rilascio
        LEFT JOIN day AS expires ON expires.raw = data_scadenza
        LEFT JOIN day AS used ON used.raw = ultimo_accesso
        LEFT JOIN coding USING (key)
        OFFSET 0
    ) AS record
    OFFSET 0
) AS record
WINDOW person AS (
    PARTITION BY code ORDER BY rank, dispositive DESC, last_used_on DESC NULLS LAST, issued_on DESC, legacy_id
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING);

ANALYZE judged (reason, code, records, place, rank, guardian, omocode);

-- People on whom their records disagree: compared among those written with one code.
CREATE UNLOGGED TABLE conflict AS
SELECT person_id, 'records written with the same fiscal code disagree on ' || concat_ws(', ',
    CASE WHEN bool_or(surname) THEN 'surname' END, CASE WHEN bool_or(given_name) THEN 'given_name' END,
    CASE WHEN bool_or(birth_date) THEN 'birth_date' END) AS detail
FROM (
    SELECT pin_id - place + 1 AS person_id, min(surname_no) <> max(surname_no) AS surname,
        min(given_name_no) <> max(given_name_no) AS given_name, min(birth_date) <> max(birth_date) AS birth_date
    FROM judged
    WHERE reason IS NULL AND records > 1
    GROUP BY pin_id - place + 1, old_code
) AS alike
WHERE surname OR given_name OR birth_date
GROUP BY person_id;

-- Codes that differ from another one by omocodia only.
CREATE UNLOGGED TABLE sibling AS
WITH omocode AS (
    SELECT DISTINCT code, left(spelt_digits(code), 15) AS base FROM judged WHERE reason IS NULL AND omocode
), plain AS (
    SELECT code, left(code, 15) AS base FROM judged WHERE reason IS NULL AND place = 1 AND NOT omocode
)
SELECT code FROM (
    SELECT code, count(*) OVER (PARTITION BY base) AS codes FROM (
        TABLE omocode
        UNION ALL
        SELECT code, base FROM plain WHERE base IN (SELECT base FROM omocode)
    ) AS spelt
) AS counted
WHERE codes > 1;

-- The people: what one record says where there is no other; else the first that has it, in the order of the survivor
-- rule, those written with the current code before others.
CREATE UNLOGGED TABLE people AS
SELECT pin_id AS person_id, code, legacy_id, surname, given_name, birth_date, email, phone, name_fits, birth_fits,
    guardian IS NOT NULL AND rank < 3 AS guarded, entity_ignored, rank = 0 AND halves < 2 AS halves_open,
    rank < 3 AND expires_on < :'as_of' AS expired, false AS upgrade_lost, false AS last_used_retired
FROM judged
WHERE reason IS NULL AND records = 1
UNION ALL
SELECT person_id, min(code), (array_agg(legacy_id) FILTER (WHERE place = 1))[1], (array_agg(surname))[1],
    (array_agg(given_name))[1], (array_agg(birth_date) FILTER (WHERE birth_date IS NOT NULL))[1],
    (array_agg(email) FILTER (WHERE email IS NOT NULL))[1], (array_agg(phone) FILTER (WHERE phone IS NOT NULL))[1],
    (array_agg(name_fits))[1], (array_agg(birth_fits) FILTER (WHERE birth_date IS NOT NULL))[1],
    bool_or(guardian IS NOT NULL AND rank < 3), bool_or(entity_ignored), bool_or(rank = 0 AND halves < 2),
    bool_or(place = 1 AND rank < 3 AND expires_on < :'as_of'),
    bool_or(place > 1 AND rank = 2 AND dispositive) AND NOT bool_or(place = 1 AND dispositive),
    coalesce(max(last_used_on) FILTER (WHERE place > 1 AND rank < 3), '-infinity')
        > coalesce(max(last_used_on) FILTER (WHERE place = 1), '-infinity')
FROM (
    SELECT *, pin_id - place + 1 AS person_id
    FROM judged
    WHERE reason IS NULL AND records > 1 AND pin_id - place + 1 NOT IN (SELECT person_id FROM conflict)
    ORDER BY pin_id - place + 1, old_code IS NOT NULL, place
) AS ordered
GROUP BY person_id;

ANALYZE conflict, sibling, people (person_id, code);

INSERT INTO person (person_id, surname, given_name, birth_date, email, phone, run_id)
SELECT person_id, surname, given_name, birth_date, email, phone, :run_id FROM people;

INSERT INTO fiscal_code (fiscal_code, person_id, current)
SELECT code, person_id, true FROM people;

INSERT INTO fiscal_code (fiscal_code, person_id, current)
SELECT old, person_id, false FROM renamed JOIN people USING (code) WHERE old <> code AND NOT discarded;

-- A survivor is a person's first record, if that is a candidate; then all other candidates are retired.
INSERT INTO pin (pin_id, person_id, status, disposition, level, credential, credential_scheme, credential_salt,
    halves_delivered, issued_on, expires_on, last_used_on, office, channel, source, legacy_id, legacy_profile,
    legacy_entity, legacy_status, superseded_by, run_id)
SELECT pin_id, pin_id - place + 1,
    CASE WHEN rank < 3 AND place > 1 THEN 'retired' ELSE status END,
    CASE WHEN rank = 3 THEN 'history' WHEN place = 1 THEN 'survivor' ELSE 'retired' END,
    CASE WHEN dispositive THEN 'dispositive' ELSE 'ordinary' END, credential, scheme, NULL, halves, issued_on,
    CASE WHEN rank < 3 AND place = 1 THEN least(expires_on, date :'as_of' + days) ELSE expires_on END, last_used_on,
    office, channel, :'source', legacy_id, profile, entity, status,
    CASE WHEN rank < 3 AND place > 1 THEN pin_id - place + 1 END, :run_id
FROM judged
WHERE reason IS NULL AND (records = 1 OR pin_id - place + 1 NOT IN (SELECT person_id FROM conflict));

-- The best status first, among its records the earliest issue; the level is the highest of that status.
INSERT INTO profile_grant (person_id, profile, entity, status, level, valid_from, evidence, run_id)
SELECT person_id, profile, entity, CASE rank WHEN 3 THEN 'ended' ELSE status END,
    CASE WHEN dispositive THEN 'dispositive' ELSE 'ordinary' END, issued_on,
    'legacy:' || :'source' || ':' || legacy_id, :run_id
FROM (
    SELECT pin_id AS person_id, profile, entity, status, rank, dispositive, issued_on, legacy_id
    FROM judged
    WHERE reason IS NULL AND records = 1
    UNION ALL
    (SELECT DISTINCT ON (person_id, profile, entity) person_id, profile, entity, status, rank,
        bool_or(dispositive) OVER (PARTITION BY person_id, profile, entity, rank) AS dispositive, issued_on, legacy_id
    FROM (
        SELECT pin_id - place + 1 AS person_id, * FROM judged WHERE reason IS NULL AND records > 1
    ) AS several
    WHERE person_id NOT IN (SELECT person_id FROM conflict)
    ORDER BY person_id, profile, entity, rank, issued_on, legacy_id)
) AS granted;

INSERT INTO delegation (person_id, guardian_fiscal_code, evidence, run_id)
SELECT DISTINCT ON (person_id, guardian) person_id, guardian, 'legacy:' || :'source' || ':' || legacy_id, :run_id
FROM (
    SELECT pin_id - place + 1 AS person_id, *
    FROM judged
    WHERE reason IS NULL AND guardian IS NOT NULL AND rank < 3
) AS guarded
WHERE person_id NOT IN (SELECT person_id FROM conflict)
ORDER BY person_id, guardian, place;

INSERT INTO finding (run_id, kind, source, legacy_id)
SELECT :run_id, kind, :'source', legacy_id
FROM (
    SELECT legacy_id, code IN (SELECT code FROM sibling) AS has_sibling,
        NOT numeric_code AND NOT name_fits AS other_name, NOT numeric_code AND NOT birth_fits AS other_birth,
        NOT guarded AND minor AS minor_alone, guarded AND NOT minor AS adult,
        expired, numeric_code, entity_ignored, halves_open, upgrade_lost, last_used_retired,
        person_id IN (
            SELECT person_id FROM profile_grant JOIN profile USING (profile)
            WHERE status <> 'ended' AND level = 'ordinary' AND minimum_level = 'dispositive') AS below
    FROM (
        SELECT *, length(code) = 11 AS numeric_code, birth_date > date :'as_of' - interval '18 years' AS minor
        FROM people
    ) AS person
    OFFSET 0
) AS person
CROSS JOIN LATERAL (VALUES
    ('omocodia_pair', has_sibling), ('name_code_mismatch', other_name), ('birth_date_mismatch', other_birth),
    ('minor_without_guardian', minor_alone), ('guardian_of_adult', adult), ('pin_expired', expired),
    ('numeric_code', numeric_code), ('entity_ignored', entity_ignored), ('halves_open', halves_open),
    ('pending_upgrade_lost', upgrade_lost), ('last_used_pin_retired', last_used_retired), ('below_minimum_level', below)
) AS found (kind, applies)
WHERE (has_sibling OR other_name OR other_birth OR minor_alone OR adult OR expired OR numeric_code OR entity_ignored
    OR halves_open OR upgrade_lost OR last_used_retired OR below) AND applies;

-- Quarantined records are few: what was read, and what is wrong with it, is fetched from the legacy table again.
INSERT INTO quarantine (source, legacy_id, copy, reason, detail, payload, run_id)
SELECT :'source',
    CASE reason WHEN 'id_missing' THEN '@' || left(md5(payload), 16) ELSE legacy_id END,
    CASE reason WHEN 'id_missing' THEN row_number() OVER (PARTITION BY reason, payload) - 1 ELSE coalesce(copy, 0) END,
    reason,
    CASE reason
        WHEN 'id_missing' THEN CASE WHEN tidied(id) IS NULL THEN 'legacy_id is empty'
            ELSE 'legacy_id begins with @, which is reserved' END
        WHEN 'duplicate_id' THEN 'legacy_id is that of another record of the source'
        WHEN 'encoding_invalid' THEN CASE
            WHEN has_control(codice_fiscale) THEN 'fiscal_code' WHEN has_control(cognome) THEN 'surname'
            WHEN has_control(nome) THEN 'given_name' WHEN has_control(data_nascita) THEN 'birth_date'
            WHEN has_control(classe_utente) THEN 'profile' WHEN has_control(codice_ente) THEN 'entity'
            WHEN has_control(stato) THEN 'status' WHEN has_control(tipo_pin) THEN 'level'
            WHEN has_control(pin_hash) THEN 'credential' WHEN has_control(algoritmo) THEN 'credential_scheme'
            WHEN has_control(data_rilascio) THEN 'issued_on' WHEN has_control(data_scadenza) THEN 'expires_on'
            WHEN has_control(ultimo_accesso) THEN 'last_used_on' WHEN has_control(sede) THEN 'office'
            WHEN has_control(canale) THEN 'channel' WHEN has_control(meta_consegnate) THEN 'halves_delivered'
            WHEN has_control(email) THEN 'email' WHEN has_control(telefono) THEN 'phone'
            ELSE 'guardian_fiscal_code' END || ' holds a control character'
        WHEN 'fiscal_code_invalid' THEN CASE WHEN written IS NULL THEN 'fiscal_code is empty'
            ELSE 'fiscal_code: ' || code_problem(coalesce(renamed.code, written)) END
        WHEN 'fiscal_code_discarded' THEN 'fiscal_code: the links file discards it'
        WHEN 'identity_missing' THEN
            CASE WHEN tidied(cognome) IS NULL THEN 'surname' ELSE 'given_name' END || ' is empty'
        WHEN 'date_invalid' THEN CASE
            WHEN iso_date(tidied(data_nascita)) IS NULL AND tidied(data_nascita) IS NOT NULL
                THEN 'birth_date is not an ISO date'
            WHEN tidied(data_rilascio) IS NULL THEN 'issued_on is empty'
            WHEN iso_date(tidied(data_rilascio)) IS NULL THEN 'issued_on is not an ISO date'
            WHEN iso_date(tidied(data_scadenza)) IS NULL AND tidied(data_scadenza) IS NOT NULL
                THEN 'expires_on is not an ISO date'
            ELSE 'last_used_on is not an ISO date' END
        WHEN 'profile_unknown' THEN CASE WHEN tidied(classe_utente) IS NULL THEN 'profile is empty'
            ELSE 'profile is not in the catalogue' END
        WHEN 'entity_missing' THEN 'entity is empty and the profile requires one'
        WHEN 'status_unknown' THEN 'status is no code of this source'
        WHEN 'level_unknown' THEN 'level is no code of this source'
        WHEN 'credential_missing' THEN 'credential is empty'
        WHEN 'credential_unsupported' THEN CASE WHEN tidied(algoritmo) IS NULL THEN 'credential_scheme is empty'
            ELSE 'credential_scheme is not among the accepted ones' END
        WHEN 'halves_invalid' THEN 'halves_delivered is none of 0, 1, 2'
        WHEN 'guardian_invalid' THEN 'guardian_fiscal_code: ' || coalesce(code_problem(guardian),
            CASE WHEN guardian IN (SELECT code FROM renamed WHERE discarded) THEN 'the links file discards it'
                ELSE 'it is the holder''s own' END)
        ELSE detail
    END,
    payload, :run_id
FROM (
    SELECT left_out.*, read.*, tidied_code(codice_fiscale) AS written,
        '{' || concat_ws(',',
            '"legacy_id":' || to_json(nullif(id, '')), '"fiscal_code":' || to_json(nullif(codice_fiscale, '')),
            '"surname":' || to_json(nullif(cognome, '')), '"given_name":' || to_json(nullif(nome, '')),
            '"birth_date":' || to_json(nullif(data_nascita, '')), '"profile":' || to_json(nullif(classe_utente, '')),
            '"entity":' || to_json(nullif(codice_ente, '')), '"status":' || to_json(nullif(stato, '')),
            '"level":' || to_json(nullif(tipo_pin, '')), '"credential":' || to_json(nullif(pin_hash, '')),
            '"credential_scheme":' || to_json(nullif(algoritmo, '')),
            '"issued_on":' || to_json(nullif(data_rilascio, '')),
            '"expires_on":' || to_json(nullif(data_scadenza, '')),
            '"last_used_on":' || to_json(nullif(ultimo_accesso, '')),
            '"office":' || to_json(nullif(sede, '')), '"channel":' || to_json(nullif(canale, '')),
            '"halves_delivered":' || to_json(nullif(meta_consegnate, '')), '"email":' || to_json(nullif(email, '')),
            '"phone":' || to_json(nullif(telefono, '')), '"guardian_fiscal_code":' || to_json(nullif(cf_tutore, ''))
        ) || '}' AS payload
    FROM (
        SELECT tid, reason, copy, legacy_id, guardian, NULL AS detail FROM judged WHERE reason IS NOT NULL
        UNION ALL
        SELECT tid, 'identity_conflict', NULL, legacy_id, guardian, detail
        FROM judged JOIN conflict ON person_id = pin_id - place + 1
        WHERE reason IS NULL AND records > 1
    ) AS left_out
    JOIN legacy.pin_legacy AS read ON read.ctid = left_out.tid
) AS left_out
LEFT JOIN renamed ON renamed.old = written;

DROP SCHEMA script CASCADE;
