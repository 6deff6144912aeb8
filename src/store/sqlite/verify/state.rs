//! Reads what the target says of the run itself.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _};

use super::error::ReadBackError;

/// The run row and what belongs to it, as the tables spell it.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct RunState {
    pub run_id: i64,
    pub phase: String,
    pub as_of: String,
    pub fixed: String,
    pub target_fresh: bool,
    pub id_base: Option<i64>,
    pub id_end: Option<i64>,
    pub digest: Option<String>,
    pub created_at: String,
    pub cut_over_at: Option<String>,
    pub finished_at: Option<String>,
    /// In order of precedence.
    pub sources: Vec<SourceState>,
    /// In order of their numbers.
    pub partitions: Vec<PartitionState>,
    /// Differences pinferry itself made since, with their causes.
    pub ledger: Vec<(String, String)>,
    /// The steps that are marked.
    pub steps: Vec<String>,
    /// The lowest and highest person.
    pub persons: Option<(i64, i64)>,
}

/// A row of `run_source`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct SourceState {
    pub source: String,
    pub precedence: i64,
    pub location: String,
    pub fingerprint: Option<String>,
    pub records: Option<i64>,
}

/// A row of `run_partition`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct PartitionState {
    pub partition_no: i64,
    pub key_from: Vec<u8>,
    pub key_to: Option<Vec<u8>>,
    pub first_position: i64,
    pub position: i64,
    pub cursor: Vec<u8>,
    pub done: bool,
    pub tally: String,
}

/// A chained row: its link and the columns the link covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainedRow {
    /// Its key.
    pub id: i64,
    /// The columns, in order.
    pub columns: Vec<String>,
    /// The link as stored.
    pub chain: String,
}

/// A profile as it stands, with its services in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct ProfileState {
    pub profile: String,
    pub name: String,
    pub entity_rule: String,
    pub max_age_days: i64,
    pub minimum_level: String,
    pub documents: String,
    pub services: Vec<String>,
}

/// Reads the run and what belongs to it.
///
/// # Errors
/// When there is no such run or a table cannot be read.
pub fn read_run(connection: &Connection, run_id: i64) -> Result<RunState, ReadBackError> {
    let mut run = connection
        .query_row(
            "SELECT phase, as_of, fixed, target_fresh, id_base, id_end, digest, created_at, cut_over_at,
                 finished_at FROM run WHERE run_id = ?1",
            [run_id],
            |row| {
                Ok(RunState {
                    run_id,
                    phase: row.get(0)?,
                    as_of: row.get(1)?,
                    fixed: row.get(2)?,
                    target_fresh: row.get(3)?,
                    id_base: row.get(4)?,
                    id_end: row.get(5)?,
                    digest: row.get(6)?,
                    created_at: row.get(7)?,
                    cut_over_at: row.get(8)?,
                    finished_at: row.get(9)?,
                    ..RunState::default()
                })
            },
        )
        .optional()
        .map_err(ReadBackError::read)?
        .ok_or(ReadBackError::NoRun { run_id })?;
    read_parts(connection, &mut run).map_err(ReadBackError::read)?;
    Ok(run)
}

fn read_parts(connection: &Connection, run: &mut RunState) -> rusqlite::Result<()> {
    run.sources = connection
        .prepare(
            "SELECT source, precedence, location, fingerprint, records FROM run_source WHERE run_id = ?1
             ORDER BY precedence, source",
        )?
        .query_map([run.run_id], |row| {
            Ok(SourceState {
                source: row.get(0)?,
                precedence: row.get(1)?,
                location: row.get(2)?,
                fingerprint: row.get(3)?,
                records: row.get(4)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    run.partitions = connection
        .prepare(
            "SELECT partition_no, key_from, key_to, first_position, position, cursor, done, tally
             FROM run_partition WHERE run_id = ?1 ORDER BY partition_no",
        )?
        .query_map([run.run_id], |row| {
            Ok(PartitionState {
                partition_no: row.get(0)?,
                key_from: row.get(1)?,
                key_to: row.get(2)?,
                first_position: row.get(3)?,
                position: row.get(4)?,
                cursor: row.get(5)?,
                done: row.get(6)?,
                tally: row.get(7)?,
            })
        })?
        .collect::<rusqlite::Result<_>>()?;
    run.ledger = connection
        .prepare("SELECT cause, tally FROM digest_ledger ORDER BY entry_id")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    run.steps = connection
        .prepare("SELECT step FROM run_step WHERE run_id = ?1 ORDER BY step")?
        .query_map([run.run_id], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    run.persons = connection.query_row(
        "SELECT (SELECT min(person_id) FROM person), (SELECT max(person_id) FROM person)",
        [],
        |row| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get(1)?)),
    )?;
    Ok(())
}

/// Reads the chained log of the runs.
///
/// # Errors
/// When it cannot be read.
pub fn read_run_events(connection: &Connection) -> Result<Vec<ChainedRow>, ReadBackError> {
    read_chain(
        connection,
        "SELECT event_id, chain, CAST(run_id AS TEXT), at, event, detail FROM run_event ORDER BY event_id",
    )
}

/// Reads the audit log.
///
/// # Errors
/// When it cannot be read.
pub fn read_audit_events(connection: &Connection) -> Result<Vec<ChainedRow>, ReadBackError> {
    read_chain(
        connection,
        "SELECT audit_id, chain, at, actor, action, reason, detail FROM audit_event ORDER BY audit_id",
    )
}

fn read_chain(connection: &Connection, sql: &str) -> Result<Vec<ChainedRow>, ReadBackError> {
    let read = || {
        let mut statement = connection.prepare(sql)?;
        let columns = 2..statement.column_count();
        statement
            .query_map([], |row| {
                Ok(ChainedRow {
                    id: row.get(0)?,
                    chain: row.get(1)?,
                    columns: columns
                        .clone()
                        .map(|column| row.get(column))
                        .collect::<rusqlite::Result<_>>()?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(ReadBackError::read)
}

/// Reads the catalogue, in the order of the codes.
///
/// # Errors
/// When it cannot be read.
pub fn read_catalogue(connection: &Connection) -> Result<Vec<ProfileState>, ReadBackError> {
    let read = || {
        let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut statement = connection
            .prepare("SELECT profile, service FROM profile_service ORDER BY profile, service")?;
        for pair in statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
            let (profile, service): (String, String) = pair?;
            services.entry(profile).or_default().push(service);
        }
        connection
            .prepare(
                "SELECT profile, name, entity_rule, max_age_days, minimum_level, documents
                 FROM profile ORDER BY profile",
            )?
            .query_map([], |row| {
                let profile: String = row.get(0)?;
                Ok(ProfileState {
                    services: services.remove(&profile).unwrap_or_default(),
                    profile,
                    name: row.get(1)?,
                    entity_rule: row.get(2)?,
                    max_age_days: row.get(3)?,
                    minimum_level: row.get(4)?,
                    documents: row.get(5)?,
                })
            })?
            .collect::<rusqlite::Result<Vec<_>>>()
    };
    read().map_err(ReadBackError::read)
}
