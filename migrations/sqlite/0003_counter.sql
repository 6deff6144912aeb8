-- What people ask for at the counters beside a new PIN.

-- Of a request that brings no PIN level, credential and day of issue are empty. One that takes rights away may mean
-- all of them: its profile is empty then.
CREATE TABLE delayed_activation_new (
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
    kind TEXT NOT NULL DEFAULT 'new_pin' CHECK (
        kind IN ('new_pin', 'further_profile', 'replacement', 'revocation', 'suspension')),
    competent_office TEXT,
    requester TEXT CHECK (requester IN ('self', 'guardian', 'proxy', 'relative')),
    mandate TEXT,
    CHECK ((state = 'done') = (done_at IS NOT NULL)),
    CHECK ((state = 'done' AND kind IN ('new_pin', 'replacement')) = (pin_id IS NOT NULL)),
    CHECK (state <> 'refused' OR credential IS NULL),
    CHECK ((state <> 'refused' AND kind IN ('new_pin', 'replacement')) = (credential IS NOT NULL AND issued_on IS NOT NULL))
) STRICT;

INSERT INTO delayed_activation_new (
    activation_id, request_id, origin, state, reason, fiscal_code, surname, given_name,
    birth_date, profile, entity, level, credential, credential_scheme, credential_salt, issued_on,
    expires_on, halves_delivered, office, channel, email, phone, guardian_fiscal_code, documents,
    payload, accepted_at, not_before, attempts, done_at, pin_id)
SELECT
    activation_id, request_id, origin, state, reason, fiscal_code, surname, given_name,
    birth_date, profile, entity, level, credential, credential_scheme, credential_salt, issued_on,
    expires_on, halves_delivered, office, channel, email, phone, guardian_fiscal_code, documents,
    payload, accepted_at, not_before, attempts, done_at, pin_id
FROM delayed_activation;
DROP TABLE delayed_activation;
ALTER TABLE delayed_activation_new RENAME TO delayed_activation;

CREATE INDEX delayed_activation_due ON delayed_activation (accepted_at, activation_id) WHERE state = 'accepted';
CREATE INDEX delayed_activation_person ON delayed_activation (fiscal_code, activation_id);
CREATE INDEX delayed_activation_taking ON delayed_activation (fiscal_code) WHERE kind IN ('revocation', 'suspension');

-- What became of the halves of PINs that were sent: of those of requests, and of migrated ones that were pending.
-- A receipt of a PIN that is not there yet waits for it.
CREATE TABLE delivery_receipt (
    receipt_id INTEGER PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL UNIQUE CHECK (request_id <> ''),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'failed')),
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    of_request TEXT,
    of_source TEXT,
    of_legacy_id TEXT,
    half TEXT NOT NULL CHECK (half IN ('first', 'second')),
    outcome TEXT NOT NULL CHECK (outcome IN ('delivered', 'refused', 'returned')),
    way TEXT CHECK (way IN ('letter', 'email', 'text')),
    office TEXT,
    payload TEXT NOT NULL CHECK (json_valid(payload)),
    accepted_at TEXT NOT NULL,
    CHECK ((of_request IS NULL) = (of_source IS NOT NULL)),
    CHECK ((of_source IS NULL) = (of_legacy_id IS NULL))
) STRICT;

CREATE INDEX delivery_receipt_request ON delivery_receipt (of_request);
CREATE INDEX delivery_receipt_pin ON delivery_receipt (of_source, of_legacy_id);
CREATE INDEX delivery_receipt_waiting ON delivery_receipt (receipt_id) WHERE state = 'waiting';

-- What the lock let through, as it was replayed: which fields of a record changed, never to what.
CREATE TABLE captured_change (
    source TEXT NOT NULL,
    legacy_id TEXT NOT NULL,
    at TEXT NOT NULL,
    seq INTEGER NOT NULL,
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    fields TEXT NOT NULL,
    status_before TEXT,
    status_after TEXT,
    PRIMARY KEY (source, legacy_id, at, seq, run_id)
) STRICT;
