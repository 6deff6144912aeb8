//! The query that finds whom to tell.
//!
//! One arm for each sort of notice. ?1 is the moment from which events count, ?2 the number of the last request that
//! was taken in before it, ?3 the offices asked for as a JSON array of objects with a `code`, NULL for all,
//! ?4 the number of the last receipt before it.

use crate::{domain::notice::Sort, store::database::Database};

/// The columns of every arm, in order: those of a request are NULL for what is no request, and so on.
const COLUMNS: &str = "
    office, sort, known_code, known_surname, known_given_name, known_email, known_phone, asked_code, asked_surname,
    asked_given_name, asked_email, asked_phone, profile, entity, at, name, kind, state, reason, not_before,
    halves_delivered, half, outcome, last_used_on, staying_name, staying_office, staying_channel, staying_last_used_on,
    staying_status, profile_now";

/// Runs whose rows are valid; people and requests with what the model knows of them; what the audit log says of when
/// a request failed, a migrated pending PIN became active, and one that was delivered gave what was granted with it.
const GIVEN: &str = "
WITH live AS (SELECT run_id, cut_over_at FROM run WHERE cut_over_at IS NOT NULL),
request AS (
    SELECT asked.*, coalesce(nullif(asked.competent_office, ''), asked.office, '') AS at_office,
        present.fiscal_code AS known_code, person.surname AS known_surname, person.given_name AS known_given_name,
        person.email AS known_email, person.phone AS known_phone, person.person_id AS known_person,
        asked.activation_id > ?2 OR (asked.origin = 'divert' AND EXISTS (
            SELECT 1 FROM run WHERE run.finished_at >= ?1)) AS is_new
    FROM delayed_activation AS asked
    LEFT JOIN fiscal_code AS given ON given.fiscal_code = asked.fiscal_code
    LEFT JOIN person ON person.person_id = given.person_id AND person.run_id IN (SELECT run_id FROM live)
    LEFT JOIN fiscal_code AS present ON present.person_id = person.person_id AND present.current),
failure AS (
    SELECT {failed_id} AS request_id, max(audit_event.at) AS at
    FROM audit_event CROSS JOIN {failed} WHERE audit_event.action = 'activation' GROUP BY {failed_id}),
became_active AS (
    SELECT CAST(CAST(listed.value AS TEXT) AS BIGINT) AS pin_id, min(audit_event.at) AS at
    FROM audit_event CROSS JOIN {pending} WHERE audit_event.action = 'activation'
    GROUP BY CAST(CAST(listed.value AS TEXT) AS BIGINT)),
gave AS (
    SELECT CAST(CAST(listed.value AS TEXT) AS BIGINT) AS pin_id, max(audit_event.at) AS at
    FROM audit_event CROSS JOIN {granted} WHERE audit_event.action = 'activation'
    GROUP BY CAST(CAST(listed.value AS TEXT) AS BIGINT))";

/// The PIN that a person has.
const PRESENT: &str =
    "staying.person_id = {person_id} AND staying.status IN ('active', 'suspended', 'pending')";

/// The columns of the PIN that stays.
const STAYING: &str = "staying.source || ':' || staying.legacy_id, coalesce(staying.office, ''),
    coalesce(staying.channel, ''), staying.last_used_on, staying.status, NULL";
const NO_STAYING: &str = "NULL, NULL, NULL, NULL, NULL, NULL";

/// The same, and what became of the profile of the `pin` that gave way to it.
const STAYING_INSTEAD: &str =
    "staying.source || ':' || staying.legacy_id, coalesce(staying.office, ''),
    coalesce(staying.channel, ''), staying.last_used_on, staying.status, {profile_now}";
const PROFILE_NOW: &str = "(SELECT held.status FROM profile_grant AS held
    WHERE held.person_id = pin.person_id AND held.profile = pin.legacy_profile AND held.entity = pin.legacy_entity)";

/// Of a `pin` that gave way: the PIN the person has now, or else the one that took its place.
const IN_ITS_PLACE: &str = "JOIN pin AS staying ON staying.pin_id = coalesce(
    (SELECT present.pin_id FROM pin AS present
        WHERE present.person_id = pin.person_id AND present.status IN ('active', 'suspended', 'pending')),
    pin.superseded_by)";

/// PINs that gave way at migration. Which one stays is said as it is now.
const RETIRED: &str = "
SELECT coalesce(pin.office, '') AS office, CAST({sort} AS BIGINT) AS sort, code.fiscal_code AS known_code,
    person.surname AS known_surname, person.given_name AS known_given_name, person.email AS known_email,
    person.phone AS known_phone, {no_text} AS asked_code, {no_text} AS asked_surname, {no_text} AS asked_given_name,
    {no_text} AS asked_email, {no_text} AS asked_phone, pin.legacy_profile AS profile, pin.legacy_entity AS entity,
    live.cut_over_at AS at, pin.source || ':' || pin.legacy_id AS name, {no_text} AS kind, {no_text} AS state,
    {no_text} AS reason, CAST(NULL AS {time}) AS not_before, CAST(NULL AS BIGINT) AS halves_delivered,
    {no_text} AS half, {no_text} AS outcome, pin.last_used_on AS last_used_on,
    staying.source || ':' || staying.legacy_id AS staying_name, coalesce(staying.office, '') AS staying_office,
    coalesce(staying.channel, '') AS staying_channel, staying.last_used_on AS staying_last_used_on,
    staying.status AS staying_status, {profile_now} AS profile_now
FROM pin
JOIN live ON live.run_id = pin.run_id
JOIN person ON person.person_id = pin.person_id
JOIN fiscal_code AS code ON code.person_id = pin.person_id AND code.current
{in_its_place}
WHERE pin.disposition = 'retired' AND pin.superseded_by IS NOT NULL AND live.cut_over_at >= ?1";

/// Migrated PINs, {at} being when what is told of them happened, and {which} which are meant.
const MIGRATED: &str = "
SELECT coalesce(pin.office, ''), {sort}, code.fiscal_code, person.surname, person.given_name, person.email,
    person.phone, NULL, NULL, NULL, NULL, NULL, pin.legacy_profile, pin.legacy_entity, {at},
    pin.source || ':' || pin.legacy_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, pin.last_used_on, {staying}
FROM pin
JOIN person ON person.person_id = pin.person_id
JOIN fiscal_code AS code ON code.person_id = pin.person_id AND code.current
{which}";

/// A request, {at} being when what is told of it happened, and {which} which requests are meant.
const REQUESTS: &str = "
SELECT request.at_office, {sort}, request.known_code, request.known_surname, request.known_given_name,
    request.known_email, request.known_phone, request.fiscal_code, request.surname, request.given_name,
    request.email, request.phone, request.profile, request.entity, {at}, {name}, request.kind,
    request.state, request.reason, request.not_before, request.halves_delivered, NULL, NULL, NULL, {staying}
FROM request";

/// The newest receipt of each half that is still missed.
const HALVES: &str = "
SELECT {office}, {sort}, {person}, {profile}, receipt.accepted_at, {name}, NULL, NULL, NULL, NULL, NULL,
    receipt.half, receipt.outcome, NULL, {staying}
FROM delivery_receipt AS receipt";
const NO_LATER_RECEIPT: &str = "
    receipt.outcome IN ('refused', 'returned') AND receipt.state <> 'failed' AND receipt.receipt_id > ?4
    AND NOT EXISTS (
        SELECT 1 FROM delivery_receipt AS later
        WHERE later.half = receipt.half AND later.state <> 'failed' AND {same}
            AND (later.accepted_at, later.receipt_id) > (receipt.accepted_at, receipt.receipt_id))";

/// The whole query for this engine.
pub(super) fn query(database: &Database) -> String {
    let mut arms = vec![RETIRED.replace("{sort}", &number(Sort::PinRetired))];
    arms.extend(of_pins());
    arms.extend(of_profiles());
    arms.extend(without_effect());
    arms.push(halves_of_requests());
    arms.extend(halves_of_pins());
    arms.push(taken_away());
    let query = format!(
        "{GIVEN} SELECT {COLUMNS} FROM ({}) AS notice
         WHERE ?3 IS NULL OR office IN (SELECT listed.code FROM {})
         ORDER BY office, sort, coalesce(nullif(asked_surname, ''), known_surname),
             coalesce(asked_given_name, known_given_name), coalesce(known_code, asked_code), at, name",
        arms.join(" UNION ALL "),
        database.listed("?3", &[("code", "TEXT")]),
    );
    let listed = |member| database.elements("audit_event.detail", member);
    query
        .replace("{in_its_place}", IN_ITS_PLACE)
        .replace("{profile_now}", PROFILE_NOW)
        .replace("{failed_id}", "listed.value ->> 'request_id'")
        .replace("{failed}", &listed("failed"))
        .replace("{pending}", &listed("pending_pin_ids"))
        .replace("{granted}", &listed("granted_pin_ids"))
        .replace("{no_text}", "CAST(NULL AS TEXT)")
        .replace("{time}", database.time_type())
}

/// How the query names a sort, so that an office's list has them in order.
pub(super) fn number(sort: Sort) -> String {
    (sort as i64).to_string()
}

/// PINs that became active, as they are now: one that was revoked or suspended since is told of where that was asked.
fn of_pins() -> [String; 5] {
    let gave_way =
        "LEFT JOIN delayed_activation AS later ON later.pin_id = pin.superseded_by {in_its_place}";
    [
        requests(Sort::PinActive, "request.done_at", &issued("", "active")),
        requests(
            Sort::PinSuspended,
            "request.done_at",
            &(issued("", "suspended") + " AND pin.legacy_status = 'suspended'"),
        ),
        // When it gave way: with the later one, or as soon as it came.
        request(
            Sort::PinRetired,
            "CASE WHEN later.done_at > request.done_at THEN later.done_at ELSE request.done_at END",
            ("'activation:' || request.request_id", STAYING_INSTEAD),
            &issued(gave_way, "retired"),
        ),
        migrated(
            Sort::PinActive,
            "became_active.at",
            NO_STAYING,
            &delivered("", "active"),
        ),
        migrated(
            Sort::PinRetired,
            "coalesce(later.done_at, became_active.at)",
            STAYING_INSTEAD,
            &delivered(gave_way, "retired"),
        ),
    ]
}

/// The requests that brought PINs which are in that status now.
fn issued(join: &str, status: &str) -> String {
    format!(
        "JOIN pin ON pin.pin_id = request.pin_id {join}
         WHERE request.state = 'done' AND request.done_at >= ?1 AND pin.status = '{status}'"
    )
}

/// The migrated pending PINs that became active and are in that status now.
fn delivered(join: &str, status: &str) -> String {
    format!(
        "JOIN became_active ON became_active.pin_id = pin.pin_id {join}
         WHERE became_active.at >= ?1 AND pin.status = '{status}'"
    )
}

/// Profiles that became active and are, of people who have a PIN: by a request, or with a retired PIN that was delivered.
fn of_profiles() -> [String; 2] {
    let active = |person_id: &str, profile: &str, entity: &str| {
        format!(
            "JOIN profile_grant AS held ON held.person_id = {person_id} AND held.profile = {profile}
                 AND held.entity = {entity} AND held.status = 'active'
             JOIN pin AS staying ON {}",
            PRESENT.replace("{person_id}", person_id)
        )
    };
    [
        request(
            Sort::ProfileActive,
            "request.done_at",
            ("request.request_id", STAYING),
            &(active("request.known_person", "request.profile", "request.entity")
                + " WHERE request.state = 'done' AND request.kind = 'further_profile' AND request.done_at >= ?1"),
        ),
        migrated(
            Sort::ProfileActive,
            "gave.at",
            STAYING,
            &("JOIN gave ON gave.pin_id = pin.pin_id ".to_owned()
                + &active("pin.person_id", "pin.legacy_profile", "pin.legacy_entity")
                + " WHERE pin.disposition = 'retired' AND gave.at >= ?1"),
        ),
    ]
}

fn without_effect() -> [String; 4] {
    [
        requests(
            Sort::NotDone,
            "request.accepted_at",
            "WHERE request.state = 'refused' AND request.is_new",
        ),
        requests(
            Sort::NotDone,
            "coalesce(failure.at, request.accepted_at)",
            "LEFT JOIN failure ON failure.request_id = request.request_id
             WHERE request.state = 'failed' AND (failure.at >= ?1 OR failure.at IS NULL)",
        ),
        // What it gave way to may be the newer one, or the older one that came late.
        requests(
            Sort::NotDone,
            "coalesce(later.accepted_at, request.accepted_at)",
            "LEFT JOIN request AS later ON later.request_id = substr(request.reason, 4)
             WHERE request.state = 'superseded' AND (request.is_new OR later.is_new)",
        ),
        requests(
            Sort::Waiting,
            "request.accepted_at",
            "WHERE request.state = 'accepted' AND request.is_new",
        ),
    ]
}

/// What was taken away, with the PIN that is in use all the same: one asked for later, with the profile or another.
fn taken_away() -> String {
    let which = "LEFT JOIN pin AS staying ON staying.person_id = request.known_person AND staying.status = 'active'
             AND (request.profile = '' OR EXISTS (
                 SELECT 1 FROM profile_grant AS held
                 WHERE held.person_id = staying.person_id AND held.profile = request.profile
                     AND held.entity = request.entity AND held.status = 'active'))
         WHERE request.state = 'done' AND request.kind IN ('revocation', 'suspension') AND request.done_at >= ?1";
    let columns = ("request.request_id", STAYING);
    request(Sort::TakenAway, "request.done_at", columns, which)
}

fn requests(sort: Sort, at: &str, which: &str) -> String {
    request(sort, at, ("request.request_id", NO_STAYING), which)
}

fn request(sort: Sort, at: &str, (name, staying): (&str, &str), which: &str) -> String {
    let select = REQUESTS
        .replace("{sort}", &number(sort))
        .replace("{name}", name)
        .replace("{staying}", staying)
        .replace("{at}", at);
    format!("{select} {which}")
}

fn migrated(sort: Sort, at: &str, staying: &str, which: &str) -> String {
    MIGRATED
        .replace("{sort}", &number(sort))
        .replace("{staying}", staying)
        .replace("{at}", at)
        .replace("{which}", which)
}

fn halves_of_requests() -> String {
    let select = HALVES
        .replace("{office}", "request.at_office")
        .replace(
            "{person}",
            "request.known_code, request.known_surname, request.known_given_name, request.known_email,
             request.known_phone, request.fiscal_code, request.surname, request.given_name, request.email,
             request.phone",
        )
        .replace("{profile}", "request.profile, request.entity")
        .replace("{name}", "request.request_id")
        .replace("{staying}", NO_STAYING)
        .replace("{sort}", &number(Sort::HalfBack));
    format!(
        "{select} JOIN request ON request.request_id = receipt.of_request
         WHERE request.state = 'accepted' AND request.halves_delivered < 2 AND {}",
        NO_LATER_RECEIPT.replace("{same}", "later.of_request = receipt.of_request")
    )
}

/// Of pending PINs, and of those that gave way to another one while the profile they were assigned for waits for them.
fn halves_of_pins() -> [String; 2] {
    let waits = format!("pin.status = 'retired' AND {PROFILE_NOW} = 'pending'");
    [
        halves_of_pin(NO_STAYING, "", "pin.status = 'pending'"),
        halves_of_pin(STAYING, "{in_its_place}", &waits),
    ]
}

fn halves_of_pin(staying: &str, join: &str, which: &str) -> String {
    let select = HALVES
        .replace("{office}", "coalesce(pin.office, '')")
        .replace(
            "{person}",
            "code.fiscal_code, person.surname, person.given_name, person.email, person.phone, NULL, NULL, NULL,
             NULL, NULL",
        )
        .replace("{profile}", "pin.legacy_profile, pin.legacy_entity")
        .replace("{name}", "pin.source || ':' || pin.legacy_id")
        .replace("{staying}", staying)
        .replace("{sort}", &number(Sort::HalfBack));
    format!(
        "{select} JOIN pin ON pin.source = receipt.of_source AND pin.legacy_id = receipt.of_legacy_id
         JOIN live ON live.run_id = pin.run_id
         JOIN person ON person.person_id = pin.person_id
         JOIN fiscal_code AS code ON code.person_id = pin.person_id AND code.current
         {join}
         WHERE {which} AND pin.legacy_status = 'pending' AND pin.halves_delivered < 2 AND {}",
        NO_LATER_RECEIPT.replace(
            "{same}",
            "later.of_source = receipt.of_source AND later.of_legacy_id = receipt.of_legacy_id"
        )
    )
}
