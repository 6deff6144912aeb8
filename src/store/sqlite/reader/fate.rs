//! What became of one legacy record, or of one person's.

use serde::Serialize;
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Reader, failed};
use crate::store::{StoreError, sqlite::run::json};

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
    pub async fn fate_of_record(
        &mut self,
        source: &str,
        legacy_id: &str,
    ) -> Result<Fate, StoreError> {
        let people = sqlx::query("SELECT person_id FROM pin WHERE source = ?1 AND legacy_id = ?2")
            .bind(source)
            .bind(legacy_id)
            .fetch_all(&mut self.connection)
            .await
            .map_err(failed(ACTION))?;
        let quarantine = sqlx::query(
            "SELECT source, legacy_id, copy, reason, detail, state FROM quarantine
             WHERE source = ?1 AND legacy_id = ?2 ORDER BY copy",
        )
        .bind(source)
        .bind(legacy_id)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        self.fate(&people, &quarantine).await
    }

    /// What became of the records written with these fiscal codes, which are one person's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn fate_of_codes(&mut self, codes: &[String]) -> Result<Fate, StoreError> {
        let codes = json(&codes)?;
        let people = sqlx::query(
            "SELECT DISTINCT person_id FROM fiscal_code
             WHERE fiscal_code IN (SELECT value FROM json_each(?1))",
        )
        .bind(&codes)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        let quarantine = sqlx::query(
            "SELECT source, legacy_id, copy, reason, detail, state FROM quarantine
             WHERE upper(trim(payload ->> 'fiscal_code')) IN (SELECT value FROM json_each(?1))
             ORDER BY source, legacy_id, copy",
        )
        .bind(&codes)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        self.fate(&people, &quarantine).await
    }

    async fn fate(
        &mut self,
        people: &[SqliteRow],
        quarantine: &[SqliteRow],
    ) -> Result<Fate, StoreError> {
        let quarantine = quarantine.iter().map(quarantine_fate);
        let mut fate = Fate {
            quarantine: quarantine
                .collect::<Result<_, _>>()
                .map_err(failed(ACTION))?,
            ..Fate::default()
        };
        for row in people {
            let person_id = row.try_get(0).map_err(failed(ACTION))?;
            self.add_person(person_id, &mut fate).await?;
        }
        Ok(fate)
    }

    async fn add_person(&mut self, person_id: i64, fate: &mut Fate) -> Result<(), StoreError> {
        let pins = sqlx::query(
            "SELECT pin.source, pin.legacy_id, pin.disposition, pin.status, pin.level, pin.legacy_status,
                 pin.legacy_profile, pin.legacy_entity, pin.issued_on, pin.expires_on,
                 later.source || ':' || later.legacy_id
             FROM pin LEFT JOIN pin AS later ON later.pin_id = pin.superseded_by
             WHERE pin.person_id = ?1 ORDER BY pin.pin_id",
        )
        .bind(person_id)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        for row in &pins {
            fate.pins.push(pin_fate(row).map_err(failed(ACTION))?);
        }
        let grants = sqlx::query(
            "SELECT profile, entity, status, level, valid_from, evidence FROM profile_grant
             WHERE person_id = ?1 ORDER BY profile, entity",
        )
        .bind(person_id)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        for row in &grants {
            fate.grants.push(grant_fate(row).map_err(failed(ACTION))?);
        }
        let findings = sqlx::query(
            "SELECT DISTINCT finding.kind FROM pin
             JOIN finding ON finding.source = pin.source AND finding.legacy_id = pin.legacy_id
             WHERE pin.person_id = ?1 ORDER BY finding.kind",
        )
        .bind(person_id)
        .fetch_all(&mut self.connection)
        .await
        .map_err(failed(ACTION))?;
        for row in &findings {
            fate.findings.push(row.try_get(0).map_err(failed(ACTION))?);
        }
        Ok(())
    }
}

fn pin_fate(row: &SqliteRow) -> Result<PinFate, sqlx::Error> {
    Ok(PinFate {
        source: row.try_get(0)?,
        legacy_id: row.try_get(1)?,
        disposition: row.try_get(2)?,
        status: row.try_get(3)?,
        level: row.try_get(4)?,
        legacy_status: row.try_get(5)?,
        legacy_profile: row.try_get(6)?,
        legacy_entity: row.try_get(7)?,
        issued_on: row.try_get(8)?,
        expires_on: row.try_get(9)?,
        superseded_by: row.try_get(10)?,
    })
}

fn grant_fate(row: &SqliteRow) -> Result<GrantFate, sqlx::Error> {
    Ok(GrantFate {
        profile: row.try_get(0)?,
        entity: row.try_get(1)?,
        status: row.try_get(2)?,
        level: row.try_get(3)?,
        valid_from: row.try_get(4)?,
        evidence: row.try_get(5)?,
    })
}

fn quarantine_fate(row: &SqliteRow) -> Result<QuarantineFate, sqlx::Error> {
    Ok(QuarantineFate {
        source: row.try_get(0)?,
        legacy_id: row.try_get(1)?,
        copy: row.try_get(2)?,
        reason: row.try_get(3)?,
        detail: row.try_get(4)?,
        state: row.try_get(5)?,
    })
}
