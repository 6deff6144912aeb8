//! What a report shows of a run beside its counts, from the rows as they are now.

use super::Reader;
use crate::{
    domain::{
        finding::FindingKind,
        quarantine::Reason,
        status::GrantStatus,
        survey::{EXAMPLES_MAX, Survey},
    },
    store::{
        StoreError,
        database::{Row, Value, damaged, values},
    },
};

const ACTION: &str = "survey the run";

/// Rows of the quarantine read at once.
const PAGE: u32 = 2_000;

impl Reader {
    /// The survey of what this run brought.
    ///
    /// # Errors
    /// When the database fails or holds what this program does not understand.
    pub fn survey(&self, run_id: i64) -> Result<Survey, StoreError> {
        let mut survey = Survey::default();
        self.survey_pins(run_id, &mut survey)?;
        self.survey_grants(run_id, &mut survey)?;
        self.survey_findings(run_id, &mut survey)?;
        self.survey_quarantine(run_id, &mut survey)?;
        Ok(survey)
    }

    fn survey_pins(&self, run_id: i64, survey: &mut Survey) -> Result<(), StoreError> {
        let persons = "SELECT pins, count(*) FROM (
                 SELECT count(*) AS pins FROM pin JOIN person ON person.person_id = pin.person_id
                 WHERE pin.run_id = ?1 AND person.run_id = ?1 AND pin.source <> 'activation'
                 GROUP BY pin.person_id
             ) AS counted GROUP BY pins";
        for row in self.surveyed(persons, values![run_id])? {
            let pins: i64 = row.get(0)?;
            let pins = u32::try_from(pins).unwrap_or(u32::MAX);
            survey.persons_by_pins.insert(pins, row.get(1)?);
        }
        let profiles = "SELECT legacy_profile, count(*) FROM pin
             WHERE run_id = ?1 AND source <> 'activation' GROUP BY legacy_profile";
        for row in self.surveyed(profiles, values![run_id])? {
            survey.profile(&row.get::<String>(0)?).records = row.get(1)?;
        }
        let offices = "SELECT coalesce(office, ''), count(*) FROM pin
             WHERE run_id = ?1 AND source <> 'activation' GROUP BY office ORDER BY count(*) DESC, 1";
        for row in self.surveyed(offices, values![run_id])? {
            survey.office(&row.get::<String>(0)?).records += row.get::<i64>(1)?;
        }
        Ok(())
    }

    fn survey_grants(&self, run_id: i64, survey: &mut Survey) -> Result<(), StoreError> {
        let grants = "SELECT profile, status, count(*) FROM profile_grant
             WHERE run_id = ?1 AND evidence LIKE 'legacy:%' GROUP BY profile, status";
        for row in self.surveyed(grants, values![run_id])? {
            let status = GrantStatus::by_name(&row.get::<String>(1)?);
            let status = status.ok_or_else(|| damaged("a grant of an unknown status"))?;
            let profile = survey.profile(&row.get::<String>(0)?);
            profile.grants.insert(status, row.get(2)?);
        }
        Ok(())
    }

    fn survey_findings(&self, run_id: i64, survey: &mut Survey) -> Result<(), StoreError> {
        let offices = "SELECT coalesce(pin.office, ''), count(*) FROM finding
             LEFT JOIN pin ON pin.source = finding.source AND pin.legacy_id = finding.legacy_id
             WHERE finding.run_id = ?1 GROUP BY pin.office";
        for row in self.surveyed(offices, values![run_id])? {
            survey.office(&row.get::<String>(0)?).findings += row.get::<i64>(1)?;
        }
        let examples = "SELECT kind, source, legacy_id FROM (
                 SELECT kind, source, legacy_id,
                     row_number() OVER (PARTITION BY kind ORDER BY source, legacy_id) AS place
                 FROM finding WHERE run_id = ?1
             ) AS placed WHERE place <= ?2";
        for row in self.surveyed(examples, values![run_id, EXAMPLES_MAX as i64])? {
            let kind = FindingKind::by_name(&row.get::<String>(0)?);
            let kind = kind.ok_or_else(|| damaged("a finding of an unknown kind"))?;
            survey.add_example(kind, &row.get::<String>(1)?, &row.get::<String>(2)?);
        }
        Ok(())
    }

    fn survey_quarantine(&self, run_id: i64, survey: &mut Survey) -> Result<(), StoreError> {
        let mut after = (String::new(), String::new(), -1);
        loop {
            let (source, legacy_id, copy) = &after;
            let rows = self.surveyed(
                "SELECT source, legacy_id, copy, reason, detail, payload FROM quarantine
                 WHERE run_id = ?1 AND (source, legacy_id, copy) > (?2, ?3, ?4)
                 ORDER BY source, legacy_id, copy LIMIT ?5",
                values![run_id, source, legacy_id, *copy, PAGE],
            )?;
            for row in &rows {
                let mut columns = row.columns();
                let (source, legacy_id): (String, String) = (columns.next()?, columns.next()?);
                let copy: i64 = columns.next()?;
                let reason = columns.word(Reason::by_name)?;
                let (detail, payload): (String, String) = (columns.next()?, columns.next()?);
                survey.add_left_out((&source, &legacy_id), reason, &detail, &payload);
                after = (source, legacy_id, copy);
            }
            if rows.len() < PAGE as usize {
                return Ok(());
            }
        }
    }

    fn surveyed(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.database.rows(ACTION, sql, values)
    }
}
