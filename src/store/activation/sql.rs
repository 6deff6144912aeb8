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

/// The newest request, ?1, of kind ?6, which was accepted at ?5, takes the place of those accepted before it for the
/// same person, profile and entity, ?2 to ?4, which brought nothing that it does not bring: a new PIN comes in the place
/// of all of them, anything else in that of its like. Said of values, not of its row: a join is planned by counts, and
/// those of a queue that has just begun to fill say that it is empty.
pub(super) const SUPERSEDE_EARLIER: &str = "
UPDATE delayed_activation
SET state = 'superseded', reason = 'by ' || ?1
WHERE fiscal_code = ?2 AND profile = ?3 AND entity = ?4 AND state = 'accepted' AND request_id <> ?1
    AND accepted_at <= ?5 AND kind IN ('new_pin', 'further_profile', 'replacement') AND ?6 IN ('new_pin', kind)";

/// The newest request, ?1, came late: one accepted after it that brings as much waits already or took effect.
pub(super) const SUPERSEDED_BY_LATER: &str = "
UPDATE delayed_activation
SET state = 'superseded', reason = 'by ' || (
    SELECT later.request_id FROM delayed_activation AS later
    WHERE later.fiscal_code = ?2 AND later.profile = ?3 AND later.entity = ?4
        AND later.state IN ('accepted', 'done') AND later.accepted_at > ?5 AND later.kind IN ('new_pin', ?6)
    ORDER BY later.activation_id LIMIT 1)
WHERE request_id = ?1 AND EXISTS (
    SELECT 1 FROM delayed_activation AS later
    WHERE later.fiscal_code = ?2 AND later.profile = ?3 AND later.entity = ?4
        AND later.state IN ('accepted', 'done') AND later.accepted_at > ?5 AND later.kind IN ('new_pin', ?6))";

/// What the queue knows of the request ?1.
pub(super) const KNOWN: &str =
    "SELECT state, reason, not_before, payload FROM delayed_activation WHERE request_id = ?1";
