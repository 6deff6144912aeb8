//! The statements of the queue.

/// A request that was accepted, `{next}` being its number; a known id changes nothing.
pub(super) const INSERT_ACCEPTED: &str = "
INSERT INTO delayed_activation (
    activation_id, state, reason, request_id, origin, fiscal_code, surname, given_name, birth_date, profile, entity, level,
    credential, credential_scheme, credential_salt, issued_on, expires_on, halves_delivered, office, channel,
    email, phone, guardian_fiscal_code, documents, payload, accepted_at, not_before, kind, competent_office, requester,
    mandate)
VALUES ({next}, 'accepted', '', ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
    ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28)
ON CONFLICT (request_id) DO NOTHING";

/// A request that was refused, ?3 being why; a known id changes nothing.
pub(super) const INSERT_REFUSED: &str = "
INSERT INTO delayed_activation (
    activation_id, state, level, halves_delivered, request_id, origin, reason, fiscal_code, surname, given_name, profile,
    entity, office, documents, payload, accepted_at, not_before, kind)
VALUES ({next}, 'refused', '', 0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
ON CONFLICT (request_id) DO NOTHING";

/// The requests beside ?1 that give rights and are for the same code, profile and entity, ?2 to ?4, as far as they wait
/// or took effect. Said of values: a join is planned by counts, and those of a queue that has just begun to fill say
/// that it is empty.
pub(super) const RIVALS: &str = "
SELECT request_id, state, kind, accepted_at, surname, given_name, birth_date FROM delayed_activation
WHERE fiscal_code = ?2 AND profile = ?3 AND entity = ?4 AND state IN ('accepted', 'done') AND request_id <> ?1
    AND kind IN ('new_pin', 'further_profile', 'replacement')
ORDER BY activation_id{hold}";

/// The request ?1, which waits, gives its place to ?2.
pub(super) const SUPERSEDE: &str = "
UPDATE delayed_activation SET state = 'superseded', reason = 'by ' || ?2
WHERE request_id = ?1 AND state = 'accepted'";

/// What gave its place to one of the requests `{listed}` waits again.
pub(super) const BRING_BACK: &str = "
UPDATE delayed_activation SET state = 'accepted', reason = ''
WHERE activation_id IN (
    SELECT earlier.activation_id FROM delayed_activation AS later
    JOIN delayed_activation AS earlier ON earlier.fiscal_code = later.fiscal_code
    WHERE later.activation_id IN (SELECT listed.activation_id FROM {listed})
        AND earlier.state = 'superseded' AND earlier.reason = 'by ' || later.request_id)
RETURNING activation_id";

/// What the queue knows of the request ?1.
pub(super) const KNOWN: &str =
    "SELECT state, reason, not_before, payload FROM delayed_activation WHERE request_id = ?1";
