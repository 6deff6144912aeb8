-- The multi-profile model and the state of its migration. Dates are ISO text, times ISO text in UTC.

-- "PINF": the database is ours.
PRAGMA application_id = 1346981446;

CREATE TABLE model_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    model TEXT NOT NULL CHECK (model IN ('legacy', 'multiprofile')),
    run_id INTEGER REFERENCES run (run_id),
    changed_at TEXT NOT NULL
) STRICT;

-- The catalogue as loaded.

CREATE TABLE profile (
    profile TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    entity_rule TEXT NOT NULL CHECK (entity_rule IN ('required', 'optional', 'none')),
    max_age_days INTEGER NOT NULL CHECK (max_age_days > 0),
    minimum_level TEXT NOT NULL CHECK (minimum_level IN ('ordinary', 'dispositive')),
    documents TEXT NOT NULL CHECK (json_valid(documents)),
    run_id INTEGER NOT NULL REFERENCES run (run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE service (
    service TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE profile_service (
    profile TEXT NOT NULL REFERENCES profile (profile),
    service TEXT NOT NULL REFERENCES service (service),
    PRIMARY KEY (profile, service)
) STRICT, WITHOUT ROWID;

-- One migration. `fixed` is a JSON object: what the judge sees, key by key, by hash.

CREATE TABLE run (
    run_id INTEGER PRIMARY KEY,
    phase TEXT NOT NULL CHECK (phase IN (
        'created', 'locked', 'loading', 'loaded', 'indexed', 'verified', 'verification_failed',
        'cut_over', 'finished', 'aborting', 'aborted')),
    as_of TEXT NOT NULL,
    fixed TEXT NOT NULL CHECK (json_valid(fixed)),
    target_fresh INTEGER NOT NULL CHECK (target_fresh IN (0, 1)),
    id_base INTEGER,
    id_end INTEGER,
    digest TEXT CHECK (length(digest) = 32),
    created_at TEXT NOT NULL,
    cut_over_at TEXT,
    finished_at TEXT
) STRICT;

-- At most one run is under way.
CREATE UNIQUE INDEX run_under_way ON run ((1)) WHERE phase NOT IN ('finished', 'aborted');

-- What a run read of each source: fingerprint (32 hexadecimal digits) and number of records.
CREATE TABLE run_source (
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    source TEXT NOT NULL,
    precedence INTEGER NOT NULL,
    location TEXT NOT NULL,
    fingerprint TEXT CHECK (length(fingerprint) = 32),
    records INTEGER,
    PRIMARY KEY (run_id, source)
) STRICT, WITHOUT ROWID;

-- A range of sort keys. `cursor` is the key of the last record committed, empty before the first; `tally`
-- counts what was committed, as JSON.
CREATE TABLE run_partition (
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    partition_no INTEGER NOT NULL,
    key_from BLOB NOT NULL,
    key_to BLOB,
    first_position INTEGER NOT NULL,
    position INTEGER NOT NULL,
    cursor BLOB NOT NULL,
    done INTEGER NOT NULL CHECK (done IN (0, 1)),
    tally TEXT NOT NULL CHECK (json_valid(tally)),
    PRIMARY KEY (run_id, partition_no)
) STRICT, WITHOUT ROWID;

-- Steps that are done once, each marked in the transaction that did it.
CREATE TABLE run_step (
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    step TEXT NOT NULL,
    done_at TEXT NOT NULL,
    PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_event (
    event_id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    at TEXT NOT NULL,
    event TEXT NOT NULL,
    detail TEXT NOT NULL CHECK (json_valid(detail)),
    chain TEXT NOT NULL
) STRICT;

-- The right of one process to work on a run. The epoch is the fencing token; the heartbeat is another row,
-- so that many writers can hold on to the epoch while it beats.
CREATE TABLE runner_lease (
    run_id INTEGER PRIMARY KEY REFERENCES run (run_id),
    epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE runner_heartbeat (
    run_id INTEGER PRIMARY KEY REFERENCES run (run_id),
    epoch INTEGER NOT NULL,
    holder TEXT NOT NULL,
    beat_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
) STRICT;

-- People. In the tables of the bulk load a CHECK spells out what IN would say: for a list of more than two
-- values SQLite builds a temporary index per inserted row, which takes four times as long as the row.

CREATE TABLE person (
    person_id INTEGER PRIMARY KEY,
    surname TEXT NOT NULL CHECK (surname <> ''),
    given_name TEXT CHECK (given_name <> ''),
    birth_date TEXT CHECK (length(birth_date) = 10),
    email TEXT CHECK (email <> ''),
    phone TEXT CHECK (phone <> ''),
    run_id INTEGER NOT NULL REFERENCES run (run_id)
) STRICT;

CREATE TABLE fiscal_code (
    fiscal_code TEXT PRIMARY KEY,
    person_id INTEGER NOT NULL REFERENCES person (person_id),
    current INTEGER NOT NULL CHECK (current IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE pin (
    pin_id INTEGER PRIMARY KEY,
    person_id INTEGER NOT NULL REFERENCES person (person_id),
    status TEXT NOT NULL CHECK (
        status = 'active' OR status = 'suspended' OR status = 'pending' OR status = 'retired'
        OR status = 'revoked' OR status = 'ceased'),
    disposition TEXT NOT NULL CHECK (disposition = 'survivor' OR disposition = 'retired' OR disposition = 'history'),
    level TEXT NOT NULL CHECK (level IN ('ordinary', 'dispositive')),
    credential TEXT CHECK (credential <> ''),
    credential_scheme TEXT CHECK (credential_scheme <> ''),
    credential_salt TEXT CHECK (credential_salt <> ''),
    halves_delivered INTEGER NOT NULL CHECK (halves_delivered BETWEEN 0 AND 2),
    issued_on TEXT NOT NULL CHECK (length(issued_on) = 10),
    expires_on TEXT CHECK (length(expires_on) = 10),
    last_used_on TEXT CHECK (length(last_used_on) = 10),
    office TEXT CHECK (office <> ''),
    channel TEXT CHECK (channel <> ''),
    source TEXT NOT NULL CHECK (source <> ''),
    legacy_id TEXT NOT NULL CHECK (legacy_id <> ''),
    legacy_profile TEXT NOT NULL,
    legacy_entity TEXT NOT NULL,
    legacy_status TEXT NOT NULL CHECK (
        legacy_status = 'active' OR legacy_status = 'suspended' OR legacy_status = 'pending'
        OR legacy_status = 'revoked' OR legacy_status = 'ceased'),
    superseded_by INTEGER REFERENCES pin (pin_id) DEFERRABLE INITIALLY DEFERRED,
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    CHECK (superseded_by IS NULL OR status = 'retired'),
    CHECK (credential IS NOT NULL OR status = 'retired' OR status = 'revoked' OR status = 'ceased')
) STRICT;

CREATE TABLE profile_grant (
    person_id INTEGER NOT NULL REFERENCES person (person_id),
    profile TEXT NOT NULL REFERENCES profile (profile),
    entity TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status = 'active' OR status = 'suspended' OR status = 'pending' OR status = 'ended'),
    level TEXT NOT NULL CHECK (level IN ('ordinary', 'dispositive')),
    valid_from TEXT NOT NULL CHECK (length(valid_from) = 10),
    evidence TEXT NOT NULL CHECK (evidence <> ''),
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    PRIMARY KEY (person_id, profile, entity)
) STRICT, WITHOUT ROWID;

CREATE TABLE delegation (
    person_id INTEGER NOT NULL REFERENCES person (person_id),
    guardian_fiscal_code TEXT NOT NULL,
    evidence TEXT NOT NULL CHECK (evidence <> ''),
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    PRIMARY KEY (person_id, guardian_fiscal_code)
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
    source TEXT NOT NULL CHECK (source <> ''),
    legacy_id TEXT NOT NULL CHECK (legacy_id <> ''),
    copy INTEGER NOT NULL CHECK (copy >= 0),
    reason TEXT NOT NULL CHECK (reason <> ''),
    detail TEXT NOT NULL,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    state TEXT NOT NULL DEFAULT 'open' CHECK (state = 'open' OR state = 'replayed' OR state = 'closed'),
    PRIMARY KEY (source, legacy_id, copy)
) STRICT;

CREATE TABLE finding (
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    legacy_id TEXT NOT NULL
) STRICT;

CREATE VIEW effective_access (fiscal_code, profile, entity, level) AS
SELECT
    fiscal_code.fiscal_code,
    profile_grant.profile,
    profile_grant.entity,
    CASE WHEN pin.level = 'dispositive' AND profile_grant.level = 'dispositive'
        THEN 'dispositive' ELSE 'ordinary' END
FROM pin
JOIN profile_grant ON profile_grant.person_id = pin.person_id AND profile_grant.status = 'active'
JOIN fiscal_code ON fiscal_code.person_id = pin.person_id AND fiscal_code.current = 1
WHERE pin.status = 'active';

-- Requests accepted (or refused) at the counters while PIN management is locked, in order of acceptance.

CREATE TABLE delayed_activation (
    activation_id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE CHECK (request_id <> ''),
    origin TEXT NOT NULL CHECK (origin IN ('intake', 'divert')),
    state TEXT NOT NULL CHECK (state IN ('accepted', 'refused', 'superseded', 'done', 'failed', 'returned')),
    reason TEXT NOT NULL,
    fiscal_code TEXT NOT NULL,
    surname TEXT NOT NULL,
    given_name TEXT,
    birth_date TEXT,
    profile TEXT NOT NULL,
    entity TEXT NOT NULL,
    level TEXT NOT NULL,
    credential TEXT,
    credential_scheme TEXT,
    credential_salt TEXT,
    issued_on TEXT CHECK (length(issued_on) = 10),
    expires_on TEXT CHECK (length(expires_on) = 10),
    halves_delivered INTEGER NOT NULL CHECK (halves_delivered BETWEEN 0 AND 2),
    office TEXT,
    channel TEXT,
    email TEXT,
    phone TEXT,
    guardian_fiscal_code TEXT,
    documents TEXT NOT NULL CHECK (json_valid(documents)),
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    accepted_at TEXT NOT NULL,
    not_before TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    done_at TEXT,
    pin_id INTEGER REFERENCES pin (pin_id),
    CHECK ((state = 'done') = (done_at IS NOT NULL)),
    CHECK ((state = 'done') = (pin_id IS NOT NULL)),
    CHECK (state <> 'refused' OR credential IS NULL),
    CHECK (state = 'refused' OR (credential IS NOT NULL AND issued_on IS NOT NULL))
) STRICT;

CREATE INDEX delayed_activation_due ON delayed_activation (accepted_at, activation_id) WHERE state = 'accepted';
CREATE INDEX delayed_activation_person ON delayed_activation (fiscal_code, activation_id);

-- What pinferry changed after cut-over, as the difference it makes to the tally (JSON).
CREATE TABLE digest_ledger (
    entry_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    cause TEXT NOT NULL,
    tally TEXT NOT NULL CHECK (json_valid(tally))
) STRICT;

-- Who did what and why; each row carries the SHA-256 of itself and the row before.
CREATE TABLE audit_event (
    audit_id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL CHECK (json_valid(detail)),
    chain TEXT NOT NULL
) STRICT;

INSERT INTO model_state (id, model, changed_at) VALUES (1, 'legacy', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'));
