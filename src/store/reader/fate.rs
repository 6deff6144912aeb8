//! What became of one legacy record, or of one person's.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Reader;
use crate::store::{
    StoreError,
    database::{Row, Value, values},
};

const ACTION: &str = "look for the record";

/// Everything the target says of some records; neither names nor codes nor credentials.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Fate {
    /// The records that were migrated.
    pub pins: Vec<PinFate>,
    /// What their people may do.
    pub grants: Vec<GrantFate>,
    /// Warnings about their people.
    pub findings: Vec<String>,
    /// The records that were left out.
    pub quarantine: Vec<QuarantineFate>,
}

/// A legacy record in `pin`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct PinFate {
    pub source: String,
    pub legacy_id: String,
    pub disposition: String,
    pub status: String,
    pub level: String,
    pub legacy_status: String,
    pub legacy_profile: String,
    pub legacy_entity: String,
    pub issued_on: String,
    pub expires_on: Option<String>,
    /// `source:id` of the PIN that replaced it.
    pub superseded_by: Option<String>,
}

/// A row of `profile_grant`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct GrantFate {
    pub profile: String,
    pub entity: String,
    pub status: String,
    pub level: String,
    pub valid_from: String,
    pub evidence: String,
}

/// A legacy record in `quarantine`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct QuarantineFate {
    pub source: String,
    pub legacy_id: String,
    pub copy: i64,
    pub reason: String,
    pub detail: String,
    pub state: String,
}

impl Fate {
    /// Whether the target knows nothing of them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty() && self.quarantine.is_empty()
    }
}

impl Reader {
    /// What became of the record `source:legacy_id`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn fate_of_record(&self, source: &str, legacy_id: &str) -> Result<Fate, StoreError> {
        let people = self.people(
            "SELECT person_id FROM pin WHERE source = ?1 AND legacy_id = ?2",
            values![source, legacy_id],
        )?;
        let quarantine = self.quarantined(
            "SELECT source, legacy_id, copy, reason, detail, state FROM quarantine
             WHERE source = ?1 AND legacy_id = ?2 ORDER BY copy",
            values![source, legacy_id],
        )?;
        self.fate(people, quarantine)
    }

    /// What became of the records written with these fiscal codes, which are one person's.
    ///
    /// # Errors
    /// When the database fails.
    pub fn fate_of_codes(&self, codes: &[String]) -> Result<Fate, StoreError> {
        let (mut people, mut quarantine) = (BTreeSet::new(), Vec::new());
        let written_with = format!(
            "SELECT source, legacy_id, copy, reason, detail, state FROM quarantine
             WHERE upper(trim({})) = ?1 ORDER BY source, legacy_id, copy",
            self.database.json_text("payload", "fiscal_code")
        );
        for code in codes {
            people.extend(self.people(
                "SELECT person_id FROM fiscal_code WHERE fiscal_code = ?1",
                values![code],
            )?);
            quarantine.extend(self.quarantined(&written_with, values![code])?);
        }
        self.fate(people, quarantine)
    }

    fn people(&self, sql: &str, values: &[Value<'_>]) -> Result<BTreeSet<i64>, StoreError> {
        let rows = self.database.rows(ACTION, sql, values)?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    fn quarantined(
        &self,
        sql: &str,
        values: &[Value<'_>],
    ) -> Result<Vec<QuarantineFate>, StoreError> {
        let rows = self.database.rows(ACTION, sql, values)?;
        rows.iter().map(quarantine_fate).collect()
    }

    fn fate(
        &self,
        people: BTreeSet<i64>,
        quarantine: Vec<QuarantineFate>,
    ) -> Result<Fate, StoreError> {
        let mut fate = Fate {
            quarantine,
            ..Fate::default()
        };
        for person_id in people {
            self.add_person(person_id, &mut fate)?;
        }
        Ok(fate)
    }

    fn add_person(&self, person_id: i64, fate: &mut Fate) -> Result<(), StoreError> {
        let of = |sql: &str| self.database.rows(ACTION, sql, values![person_id]);
        let pins = of(
            "SELECT pin.source, pin.legacy_id, pin.disposition, pin.status, pin.level, pin.legacy_status,
                 pin.legacy_profile, pin.legacy_entity, pin.issued_on, pin.expires_on,
                 later.source || ':' || later.legacy_id
             FROM pin LEFT JOIN pin AS later ON later.pin_id = pin.superseded_by
             WHERE pin.person_id = ?1 ORDER BY pin.pin_id",
        )?;
        for row in &pins {
            fate.pins.push(pin_fate(row)?);
        }
        let grants = of(
            "SELECT profile, entity, status, level, valid_from, evidence FROM profile_grant
             WHERE person_id = ?1 ORDER BY profile, entity",
        )?;
        for row in &grants {
            fate.grants.push(grant_fate(row)?);
        }
        let findings = of("SELECT DISTINCT finding.kind FROM pin
             JOIN finding ON finding.source = pin.source AND finding.legacy_id = pin.legacy_id
             WHERE pin.person_id = ?1 ORDER BY finding.kind")?;
        for row in &findings {
            fate.findings.push(row.get(0)?);
        }
        Ok(())
    }
}

fn pin_fate(row: &Row) -> Result<PinFate, StoreError> {
    let mut columns = row.columns();
    Ok(PinFate {
        source: columns.next()?,
        legacy_id: columns.next()?,
        disposition: columns.next()?,
        status: columns.next()?,
        level: columns.next()?,
        legacy_status: columns.next()?,
        legacy_profile: columns.next()?,
        legacy_entity: columns.next()?,
        issued_on: columns.next()?,
        expires_on: columns.next()?,
        superseded_by: columns.next()?,
    })
}

fn grant_fate(row: &Row) -> Result<GrantFate, StoreError> {
    let mut columns = row.columns();
    Ok(GrantFate {
        profile: columns.next()?,
        entity: columns.next()?,
        status: columns.next()?,
        level: columns.next()?,
        valid_from: columns.next()?,
        evidence: columns.next()?,
    })
}

fn quarantine_fate(row: &Row) -> Result<QuarantineFate, StoreError> {
    let mut columns = row.columns();
    Ok(QuarantineFate {
        source: columns.next()?,
        legacy_id: columns.next()?,
        copy: columns.next()?,
        reason: columns.next()?,
        detail: columns.next()?,
        state: columns.next()?,
    })
}
