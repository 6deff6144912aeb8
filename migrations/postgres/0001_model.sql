-- The multi-profile model and the state of its migration. Keys and codes sort by their bytes, as the program sorts them.
-- The tables of the bulk load come without keys and indexes: a fresh target is loaded bare, and the files in
-- index/ follow, step by step.

-- One migration. `fixed` is a JSON object: what the judge sees, key by key, by hash.

CREATE TABLE run (
    run_id BIGINT PRIMARY KEY,
    phase TEXT COLLATE "C" NOT NULL CHECK (phase IN (
        'created', 'locked', 'loading', 'loaded', 'indexed', 'verified', 'verification_failed',
        'cut_over', 'finished', 'aborting', 'aborted')),
    as_of DATE NOT NULL,
    fixed TEXT COLLATE "C" NOT NULL CHECK (fixed::json IS NOT NULL),
    target_fresh BOOLEAN NOT NULL,
    id_base BIGINT,
    id_end BIGINT,
    digest TEXT COLLATE "C" CHECK (length(digest) = 32),
    created_at TIMESTAMPTZ NOT NULL,
    cut_over_at TIMESTAMPTZ,
    finished_at TIMESTAMPTZ
);

-- At most one run is under way.
CREATE UNIQUE INDEX run_under_way ON run ((1)) WHERE phase NOT IN ('finished', 'aborted');

CREATE TABLE model_state (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    model TEXT COLLATE "C" NOT NULL CHECK (model IN ('legacy', 'multiprofile')),
    run_id BIGINT REFERENCES run (run_id),
    changed_at TIMESTAMPTZ NOT NULL
);

-- The catalogue as loaded.

CREATE TABLE profile (
    profile TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    entity_rule TEXT COLLATE "C" NOT NULL CHECK (entity_rule IN ('required', 'optional', 'none')),
    max_age_days INTEGER NOT NULL CHECK (max_age_days > 0),
    minimum_level TEXT COLLATE "C" NOT NULL CHECK (minimum_level IN ('ordinary', 'dispositive')),
    documents TEXT COLLATE "C" NOT NULL CHECK (documents::json IS NOT NULL),
    run_id BIGINT NOT NULL REFERENCES run (run_id)
);

CREATE TABLE service (
    service TEXT COLLATE "C" PRIMARY KEY
);

CREATE TABLE profile_service (
    profile TEXT COLLATE "C" NOT NULL REFERENCES profile (profile),
    service TEXT COLLATE "C" NOT NULL REFERENCES service (service),
    PRIMARY KEY (profile, service)
);

-- What a run read of each source: fingerprint (32 hexadecimal digits) and number of records.
CREATE TABLE run_source (
    run_id BIGINT NOT NULL REFERENCES run (run_id),
    source TEXT COLLATE "C" NOT NULL,
    precedence INTEGER NOT NULL,
    location TEXT COLLATE "C" NOT NULL,
    fingerprint TEXT COLLATE "C" CHECK (length(fingerprint) = 32),
    records BIGINT,
    PRIMARY KEY (run_id, source)
);

-- A range of sort keys. `cursor` is the key of the last record committed, empty before the first; `tally`
-- counts what was committed, as JSON.
CREATE TABLE run_partition (
    run_id BIGINT NOT NULL REFERENCES run (run_id),
    partition_no INTEGER NOT NULL,
    key_from BYTEA NOT NULL,
    key_to BYTEA,
    first_position BIGINT NOT NULL,
    position BIGINT NOT NULL,
    cursor BYTEA NOT NULL,
    done BOOLEAN NOT NULL,
    tally TEXT COLLATE "C" NOT NULL CHECK (tally::json IS NOT NULL),
    PRIMARY KEY (run_id, partition_no)
);

-- Steps that are done once, each marked in the transaction that did it.
CREATE TABLE run_step (
    run_id BIGINT NOT NULL REFERENCES run (run_id),
    step TEXT COLLATE "C" NOT NULL,
    done_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (run_id, step)
);

CREATE TABLE run_event (
    event_id BIGINT PRIMARY KEY,
    run_id BIGINT NOT NULL REFERENCES run (run_id),
    at TIMESTAMPTZ NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL CHECK (detail::json IS NOT NULL),
    chain TEXT COLLATE "C" NOT NULL
);

-- The right of one process to work on a run. The epoch is the fencing token; the heartbeat is another row,
-- so that many writers can hold on to the epoch while it beats.
CREATE TABLE runner_lease (
    run_id BIGINT PRIMARY KEY REFERENCES run (run_id),
    epoch BIGINT NOT NULL
);

CREATE TABLE runner_heartbeat (
    run_id BIGINT PRIMARY KEY REFERENCES run (run_id),
    epoch BIGINT NOT NULL,
    holder TEXT COLLATE "C" NOT NULL,
    beat_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

-- People: the tables of the bulk load.

CREATE TABLE person (
    person_id BIGINT NOT NULL,
    surname TEXT COLLATE "C" NOT NULL CHECK (surname <> ''),
    given_name TEXT COLLATE "C" CHECK (given_name <> ''),
    birth_date DATE,
    email TEXT COLLATE "C" CHECK (email <> ''),
    phone TEXT COLLATE "C" CHECK (phone <> ''),
    run_id BIGINT NOT NULL
);

CREATE TABLE fiscal_code (
    fiscal_code TEXT COLLATE "C" NOT NULL,
    person_id BIGINT NOT NULL,
    current BOOLEAN NOT NULL
);

CREATE TABLE pin (
    pin_id BIGINT NOT NULL,
    person_id BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (
        status = 'active' OR status = 'suspended' OR status = 'pending' OR status = 'retired'
        OR status = 'revoked' OR status = 'ceased'),
    disposition TEXT COLLATE "C" NOT NULL CHECK (disposition = 'survivor' OR disposition = 'retired' OR disposition = 'history'),
    level TEXT COLLATE "C" NOT NULL CHECK (level IN ('ordinary', 'dispositive')),
    credential TEXT COLLATE "C" CHECK (credential <> ''),
    credential_scheme TEXT COLLATE "C" CHECK (credential_scheme <> ''),
    credential_salt TEXT COLLATE "C" CHECK (credential_salt <> ''),
    halves_delivered SMALLINT NOT NULL CHECK (halves_delivered BETWEEN 0 AND 2),
    issued_on DATE NOT NULL,
    expires_on DATE,
    last_used_on DATE,
    office TEXT COLLATE "C" CHECK (office <> ''),
    channel TEXT COLLATE "C" CHECK (channel <> ''),
    source TEXT COLLATE "C" NOT NULL CHECK (source <> ''),
    legacy_id TEXT COLLATE "C" NOT NULL CHECK (legacy_id <> ''),
    legacy_profile TEXT COLLATE "C" NOT NULL,
    legacy_entity TEXT COLLATE "C" NOT NULL,
    legacy_status TEXT COLLATE "C" NOT NULL CHECK (
        legacy_status = 'active' OR legacy_status = 'suspended' OR legacy_status = 'pending'
        OR legacy_status = 'revoked' OR legacy_status = 'ceased'),
    superseded_by BIGINT,
    run_id BIGINT NOT NULL,
    CHECK (superseded_by IS NULL OR status = 'retired'),
    CHECK (credential IS NOT NULL OR status = 'retired' OR status = 'revoked' OR status = 'ceased')
);

CREATE TABLE profile_grant (
    person_id BIGINT NOT NULL,
    profile TEXT COLLATE "C" NOT NULL,
    entity TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status = 'active' OR status = 'suspended' OR status = 'pending' OR status = 'ended'),
    level TEXT COLLATE "C" NOT NULL CHECK (level IN ('ordinary', 'dispositive')),
    valid_from DATE NOT NULL,
    evidence TEXT COLLATE "C" NOT NULL CHECK (evidence <> ''),
    run_id BIGINT NOT NULL
);

CREATE TABLE delegation (
    person_id BIGINT NOT NULL,
    guardian_fiscal_code TEXT COLLATE "C" NOT NULL,
    evidence TEXT COLLATE "C" NOT NULL CHECK (evidence <> ''),
    run_id BIGINT NOT NULL
);

CREATE TABLE quarantine (
    source TEXT COLLATE "C" NOT NULL CHECK (source <> ''),
    legacy_id TEXT COLLATE "C" NOT NULL CHECK (legacy_id <> ''),
    copy INTEGER NOT NULL CHECK (copy >= 0),
    reason TEXT COLLATE "C" NOT NULL CHECK (reason <> ''),
    detail TEXT COLLATE "C" NOT NULL,
    payload TEXT COLLATE "C" NOT NULL CHECK (payload::json IS NOT NULL),
    run_id BIGINT NOT NULL,
    state TEXT COLLATE "C" NOT NULL DEFAULT 'open' CHECK (state = 'open' OR state = 'replayed' OR state = 'closed')
);

CREATE TABLE finding (
    run_id BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    legacy_id TEXT COLLATE "C" NOT NULL
);

CREATE VIEW effective_access (fiscal_code, profile, entity, level) AS
SELECT
    fiscal_code.fiscal_code,
    profile_grant.profile,
    profile_grant.entity,
    CASE WHEN pin.level = 'dispositive' AND profile_grant.level = 'dispositive'
        THEN 'dispositive' ELSE 'ordinary' END
FROM pin
JOIN profile_grant ON profile_grant.person_id = pin.person_id AND profile_grant.status = 'active'
JOIN fiscal_code ON fiscal_code.person_id = pin.person_id AND fiscal_code.current
WHERE pin.status = 'active';

-- Requests accepted (or refused) at the counters while PIN management is locked, in order of acceptance.

CREATE TABLE delayed_activation (
    activation_id BIGINT PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    request_id TEXT COLLATE "C" NOT NULL UNIQUE CHECK (request_id <> ''),
    origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('intake', 'divert')),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('accepted', 'refused', 'superseded', 'done', 'failed', 'returned')),
    reason TEXT COLLATE "C" NOT NULL,
    fiscal_code TEXT COLLATE "C" NOT NULL,
    surname TEXT COLLATE "C" NOT NULL,
    given_name TEXT COLLATE "C",
    birth_date DATE,
    profile TEXT COLLATE "C" NOT NULL,
    entity TEXT COLLATE "C" NOT NULL,
    level TEXT COLLATE "C" NOT NULL,
    credential TEXT COLLATE "C",
    credential_scheme TEXT COLLATE "C",
    credential_salt TEXT COLLATE "C",
    issued_on DATE,
    expires_on DATE,
    halves_delivered SMALLINT NOT NULL CHECK (halves_delivered BETWEEN 0 AND 2),
    office TEXT COLLATE "C",
    channel TEXT COLLATE "C",
    email TEXT COLLATE "C",
    phone TEXT COLLATE "C",
    guardian_fiscal_code TEXT COLLATE "C",
    documents TEXT COLLATE "C" NOT NULL CHECK (documents::json IS NOT NULL),
    payload TEXT COLLATE "C" NOT NULL CHECK (payload::json IS NOT NULL),
    accepted_at TIMESTAMPTZ NOT NULL,
    not_before TIMESTAMPTZ NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    done_at TIMESTAMPTZ,
    pin_id BIGINT,
    CHECK ((state = 'done') = (done_at IS NOT NULL)),
    CHECK ((state = 'done') = (pin_id IS NOT NULL)),
    CHECK (state <> 'refused' OR credential IS NULL),
    CHECK (state = 'refused' OR (credential IS NOT NULL AND issued_on IS NOT NULL))
);

CREATE INDEX delayed_activation_due ON delayed_activation (accepted_at, activation_id) WHERE state = 'accepted';
CREATE INDEX delayed_activation_person ON delayed_activation (fiscal_code, activation_id);

-- What pinferry changed after cut-over, as the difference it makes to the tally (JSON).
CREATE TABLE digest_ledger (
    entry_id BIGINT PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY,
    at TIMESTAMPTZ NOT NULL,
    cause TEXT COLLATE "C" NOT NULL,
    tally TEXT COLLATE "C" NOT NULL CHECK (tally::json IS NOT NULL)
);

-- Who did what and why; each row carries the SHA-256 of itself and the row before.
CREATE TABLE audit_event (
    audit_id BIGINT PRIMARY KEY,
    at TIMESTAMPTZ NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL CHECK (detail::json IS NOT NULL),
    chain TEXT COLLATE "C" NOT NULL
);

-- How many rows each of the two chained logs was given: they are numbered without gaps, which a sequence would
-- leave, and a row taken off the end is missed.
CREATE TABLE log_length (
    log TEXT COLLATE "C" PRIMARY KEY CHECK (log IN ('run_event', 'audit_event')),
    length BIGINT NOT NULL CHECK (length >= 0)
);

INSERT INTO log_length (log, length) VALUES ('run_event', 0), ('audit_event', 0);

INSERT INTO model_state (id, model, changed_at) VALUES (1, 'legacy', date_trunc('milliseconds', clock_timestamp()));

-- The mark by which a later version knows its own.
COMMENT ON TABLE model_state IS 'pinferry';
