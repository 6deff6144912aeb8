-- Sources that come after cut-over are loaded into a target in use.

-- Codes of people who stood in the target when a later run began: to which current code each leads, and whether
-- the target knew it then. Fixed for the run, so that a process that resumes it groups records as the first one did.
CREATE TABLE run_code (
    run_id INTEGER NOT NULL REFERENCES run (run_id),
    fiscal_code TEXT NOT NULL,
    leads_to TEXT NOT NULL,
    known INTEGER NOT NULL CHECK (known IN (0, 1)),
    PRIMARY KEY (run_id, fiscal_code)
) STRICT, WITHOUT ROWID;

-- What a later run has loaded opens nothing before that run is cut over.
DROP VIEW effective_access;
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
WHERE pin.status = 'active'
    AND pin.run_id IS NOT (
        SELECT run_id FROM run WHERE NOT target_fresh AND phase NOT IN ('cut_over', 'finished', 'aborted'))
    AND profile_grant.run_id IS NOT (
        SELECT run_id FROM run WHERE NOT target_fresh AND phase NOT IN ('cut_over', 'finished', 'aborted'));
