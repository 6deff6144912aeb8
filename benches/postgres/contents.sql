-- What the tables of the load hold, whatever the surrogate ids: number of rows and a sum of their hashes, people by
-- their code. A record without an id is named after another hash by each.
WITH holder AS (
    SELECT person_id, fiscal_code FROM fiscal_code WHERE current
), contents (name, line) AS (
    SELECT 'person', jsonb_build_array(fiscal_code, surname, given_name, birth_date, email, phone)::text
    FROM person JOIN holder USING (person_id)
    UNION ALL
    SELECT 'fiscal_code', concat_ws('|', holder.fiscal_code, fiscal_code.fiscal_code, current)
    FROM fiscal_code JOIN holder USING (person_id)
    UNION ALL
    SELECT 'pin ' || pin.status, jsonb_build_array(fiscal_code, pin.disposition, pin.level, pin.credential,
        pin.credential_scheme, pin.credential_salt, pin.halves_delivered, pin.issued_on, pin.expires_on,
        pin.last_used_on, pin.office, pin.channel, pin.source, pin.legacy_id, pin.legacy_profile, pin.legacy_entity, pin.legacy_status,
        survivor.source, survivor.legacy_id)::text
    FROM pin JOIN holder USING (person_id) LEFT JOIN pin AS survivor ON survivor.pin_id = pin.superseded_by
    UNION ALL
    SELECT 'grant ' || status, concat_ws('|', fiscal_code, profile, entity, level, valid_from, evidence)
    FROM profile_grant JOIN holder USING (person_id)
    UNION ALL
    SELECT 'delegation', concat_ws('|', fiscal_code, guardian_fiscal_code, evidence)
    FROM delegation JOIN holder USING (person_id)
    UNION ALL
    SELECT 'quarantine ' || reason,
        concat_ws('|', source, CASE WHEN reason <> 'id_missing' THEN legacy_id END, copy, detail, payload, state)
    FROM quarantine
    UNION ALL
    SELECT 'finding ' || kind, concat_ws('|', source, legacy_id) FROM finding
)
SELECT name, count(*), sum(hashtextextended(line, 0)) FROM contents GROUP BY name ORDER BY name
