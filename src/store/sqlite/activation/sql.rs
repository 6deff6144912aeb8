//! The statements of the queue that both drivers use.

/// ?1 request_id … in the order of the columns. A known id changes nothing.
pub(super) const INSERT: &str = "
INSERT INTO delayed_activation (
    request_id, origin, state, reason, fiscal_code, surname, given_name, birth_date, profile, entity, level,
    credential, credential_scheme, credential_salt, issued_on, expires_on, halves_delivered, office, channel,
    email, phone, guardian_fiscal_code, documents, payload, accepted_at, not_before)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
    ?23, ?24, ?25, ?26)
ON CONFLICT (request_id) DO NOTHING";

/// The request ?1 takes the place of those accepted before it for the same person, profile and entity.
pub(super) const SUPERSEDE_EARLIER: &str = "
UPDATE delayed_activation AS earlier
SET state = 'superseded', reason = 'by ' || this.request_id
FROM delayed_activation AS this
WHERE this.request_id = ?1 AND this.state = 'accepted' AND earlier.state = 'accepted'
    AND earlier.fiscal_code = this.fiscal_code AND earlier.profile = this.profile
    AND earlier.entity = this.entity
    AND (earlier.accepted_at, earlier.activation_id) < (this.accepted_at, this.activation_id)";

/// The request ?1 came late: one accepted after it waits already or took effect.
pub(super) const SUPERSEDED_BY_LATER: &str = "
UPDATE delayed_activation AS this
SET state = 'superseded', reason = 'by ' || later.request_id
FROM delayed_activation AS later
WHERE this.request_id = ?1 AND this.state = 'accepted' AND later.state IN ('accepted', 'done')
    AND later.fiscal_code = this.fiscal_code AND later.profile = this.profile
    AND later.entity = this.entity
    AND (later.accepted_at, later.activation_id) > (this.accepted_at, this.activation_id)";

/// What the queue knows of the request ?1.
pub(super) const KNOWN: &str =
    "SELECT state, reason, not_before, payload FROM delayed_activation WHERE request_id = ?1";
