//! The run row: created, read.

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::{connection, connection::Durability, event, target::Target};
use crate::{
    domain::catalogue::Catalogue,
    failpoint,
    store::{NewRun, RunPhase, RunRow, RunSourceRow, StoreError},
};

const COLUMNS: &str = "run_id, phase, as_of, fixed, target_fresh, id_base, id_end, digest, created_at, \
                       cut_over_at, finished_at";

impl Target {
    /// The newest run, whatever its phase.
    ///
    /// # Errors
    ///
    /// When the database fails or holds what this program does not understand.
    pub fn current_run(&self) -> Result<Option<RunRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM run ORDER BY run_id DESC LIMIT 1");
        read(&self.connection, &sql, [])
    }

    /// One run.
    ///
    /// # Errors
    ///
    /// When there is no such run, or the database fails.
    pub fn run(&self, run_id: i64) -> Result<RunRow, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM run WHERE run_id = ?1");
        read(&self.connection, &sql, [run_id])?.ok_or(StoreError::NoRun { run_id })
    }

    /// Begins a run, in one transaction: its row, its sources and the catalogue.
    ///
    /// # Errors
    ///
    /// When another run is under way, or the database fails; nothing is committed then.
    pub fn create_run(&mut self, new: &NewRun<'_>) -> Result<RunRow, StoreError> {
        let failed = StoreError::sqlite;
        let action = "create the run";
        connection::set_durable(&self.connection, Durability::Commit)?;
        failpoint::reached("run.create");
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed(action))?;
        refuse_second(&transaction)?;
        let fixed = json(new.fixed)?;
        let run_id: i64 = transaction
            .query_row(
                &format!(
                    "INSERT INTO run (phase, as_of, fixed, target_fresh, created_at) VALUES (
                         ?1, ?2, ?3,
                         NOT EXISTS (SELECT 1 FROM person) AND NOT EXISTS (SELECT 1 FROM pin)
                             AND NOT EXISTS (SELECT 1 FROM quarantine),
                         {now})
                     RETURNING run_id",
                    now = connection::NOW
                ),
                params![RunPhase::Created.as_str(), new.as_of.to_string(), fixed],
                |row| row.get(0),
            )
            .map_err(failed(action))?;
        for (precedence, source) in (0_i64..).zip(new.sources) {
            transaction
                .execute(
                    "INSERT INTO run_source (run_id, source, precedence, location) VALUES (?1, ?2, ?3, ?4)",
                    params![run_id, source.name, precedence, source.location],
                )
                .map_err(failed(action))?;
        }
        load_catalogue(&transaction, run_id, new.catalogue)?;
        event::append(&transaction, run_id, "run.created", &serde_json::json!({}))?;
        failpoint::reached("run.commit");
        transaction.commit().map_err(failed(action))?;
        failpoint::reached("run.created");
        self.run(run_id)
    }
}

fn refuse_second(connection: &Connection) -> Result<(), StoreError> {
    let newest: Option<(i64, String)> = connection
        .query_row(
            "SELECT run_id, phase FROM run WHERE phase NOT IN ('finished', 'aborted')",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(StoreError::sqlite("create the run"))?;
    match newest {
        Some((run_id, name)) => Err(StoreError::RunUnderWay {
            run_id,
            phase: phase(&name)?,
        }),
        None => Ok(()),
    }
}

/// Loads the profiles; those an earlier run brought keep their owner.
fn load_catalogue(
    connection: &Connection,
    run_id: i64,
    catalogue: &Catalogue,
) -> Result<(), StoreError> {
    let failed = StoreError::sqlite;
    let action = "load the catalogue";
    for profile in catalogue.profiles() {
        connection
            .execute(
                "INSERT INTO profile (profile, name, entity_rule, max_age_days, minimum_level, documents, run_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (profile) DO UPDATE SET name = excluded.name, entity_rule = excluded.entity_rule,
                     max_age_days = excluded.max_age_days, minimum_level = excluded.minimum_level,
                     documents = excluded.documents",
                params![
                    profile.code,
                    profile.name,
                    profile.entity.as_str(),
                    profile.max_age_days,
                    profile.minimum_level.as_str(),
                    json(&profile.documents)?,
                    run_id
                ],
            )
            .map_err(failed(action))?;
        connection
            .execute(
                "DELETE FROM profile_service WHERE profile = ?1",
                [&profile.code],
            )
            .map_err(failed(action))?;
        for service in &profile.services {
            connection
                .execute(
                    "INSERT INTO service (service) VALUES (?1) ON CONFLICT (service) DO NOTHING",
                    [service],
                )
                .and_then(|_| {
                    connection.execute(
                        "INSERT INTO profile_service (profile, service) VALUES (?1, ?2)
                         ON CONFLICT (profile, service) DO NOTHING",
                        [&profile.code, service],
                    )
                })
                .map_err(failed(action))?;
        }
    }
    Ok(())
}

fn read(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
) -> Result<Option<RunRow>, StoreError> {
    let Some(row) = connection
        .query_row(sql, params, columns)
        .optional()
        .map_err(StoreError::sqlite("read the run"))?
    else {
        return Ok(None);
    };
    let run_id = row.run_id;
    Ok(Some(RunRow {
        run_id,
        phase: phase(&row.phase)?,
        as_of: date(&row.as_of)?,
        fixed: parse(&row.fixed, "run.fixed")?,
        target_fresh: row.target_fresh,
        id_base: row.id_base,
        id_end: row.id_end,
        digest: digest(row.digest)?,
        created_at: row.created_at,
        cut_over_at: row.cut_over_at,
        finished_at: row.finished_at,
        sources: sources(connection, run_id)?,
    }))
}

struct RunColumns {
    run_id: i64,
    phase: String,
    as_of: String,
    fixed: String,
    target_fresh: bool,
    id_base: Option<i64>,
    id_end: Option<i64>,
    digest: Option<String>,
    created_at: String,
    cut_over_at: Option<String>,
    finished_at: Option<String>,
}

fn columns(row: &Row<'_>) -> rusqlite::Result<RunColumns> {
    Ok(RunColumns {
        run_id: row.get(0)?,
        phase: row.get(1)?,
        as_of: row.get(2)?,
        fixed: row.get(3)?,
        target_fresh: row.get(4)?,
        id_base: row.get(5)?,
        id_end: row.get(6)?,
        digest: row.get(7)?,
        created_at: row.get(8)?,
        cut_over_at: row.get(9)?,
        finished_at: row.get(10)?,
    })
}

fn sources(connection: &Connection, run_id: i64) -> Result<Vec<RunSourceRow>, StoreError> {
    let failed = StoreError::sqlite;
    let action = "read the run's sources";
    let mut statement = connection
        .prepare_cached(
            "SELECT source, location, fingerprint, records FROM run_source WHERE run_id = ?1
             ORDER BY precedence",
        )
        .map_err(failed(action))?;
    let mut rows = statement.query([run_id]).map_err(failed(action))?;
    let mut sources = Vec::new();
    while let Some(row) = rows.next().map_err(failed(action))? {
        let fingerprint: Option<String> = row.get(2).map_err(failed(action))?;
        sources.push(RunSourceRow {
            name: row.get(0).map_err(failed(action))?,
            location: row.get(1).map_err(failed(action))?,
            fingerprint: digest(fingerprint)?,
            records: row.get(3).map_err(failed(action))?,
        });
    }
    Ok(sources)
}

/// A phase as the tables spell it.
pub(super) fn phase(name: &str) -> Result<RunPhase, StoreError> {
    RunPhase::by_name(name).ok_or_else(|| StoreError::Damaged {
        what: format!("the run phase `{name}`"),
    })
}

/// A date as the tables spell it.
pub(super) fn date(text: &str) -> Result<Date, StoreError> {
    text.parse().map_err(|_| StoreError::Damaged {
        what: format!("the date `{text}`"),
    })
}

fn digest(text: Option<String>) -> Result<Option<crate::domain::digest::Digest>, StoreError> {
    text.map(|text| {
        text.parse().map_err(|_| StoreError::Damaged {
            what: format!("the digest `{text}`"),
        })
    })
    .transpose()
}

/// JSON of a value of our own.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Damaged {
        what: format!("a value that has no JSON ({error})"),
    })
}

/// A value of our own from its JSON.
pub(super) fn parse<T: serde::de::DeserializeOwned>(
    text: &str,
    column: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Damaged {
        what: format!("JSON in {column} ({error})"),
    })
}
