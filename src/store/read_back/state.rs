//! Reads what the target says of the run itself.

use std::collections::{BTreeMap, BTreeSet};

use super::{ReadBack, error::ReadBackError};
use crate::store::{
    StoreError,
    database::{Database, Row, values},
};

const ACTION: &str = "read the state of the run";

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
    /// What the partitions of other runs say they have committed.
    pub other_tallies: Vec<String>,
    /// The sources of all runs.
    pub all_sources: BTreeSet<String>,
    /// How many records they have in all.
    pub records_of_all: u64,
    /// Codes that this run gives people who stood before it.
    pub added_codes: BTreeSet<String>,
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
pub fn read_run(target: &ReadBack, run_id: i64) -> Result<RunState, ReadBackError> {
    let database = &target.database;
    let row = database.row(
        ACTION,
        "SELECT phase, as_of, fixed, target_fresh, id_base, id_end, digest, created_at, cut_over_at,
             finished_at FROM run WHERE run_id = ?1",
        values![run_id],
    )?;
    let row = row.ok_or(ReadBackError::NoRun { run_id })?;
    let mut columns = row.columns();
    Ok(RunState {
        run_id,
        phase: columns.next()?,
        as_of: columns.next()?,
        fixed: columns.next()?,
        target_fresh: columns.next()?,
        id_base: columns.next()?,
        id_end: columns.next()?,
        digest: columns.next()?,
        created_at: columns.next()?,
        cut_over_at: columns.next()?,
        finished_at: columns.next()?,
        sources: read_sources(database, run_id)?,
        partitions: read_partitions(database, run_id)?,
        ledger: each(
            database,
            "SELECT cause, tally FROM digest_ledger ORDER BY entry_id",
            None,
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?,
        steps: each(
            database,
            "SELECT step FROM run_step WHERE run_id = ?1 ORDER BY step",
            Some(run_id),
            |row| row.get(0),
        )?,
        persons: read_persons(database)?,
        other_tallies: each(
            database,
            "SELECT tally FROM run_partition WHERE run_id <> ?1",
            Some(run_id),
            |row| row.get(0),
        )?,
        all_sources: set(
            database,
            "SELECT source FROM run_source JOIN run ON run.run_id = run_source.run_id
             WHERE phase <> 'aborted' OR run.run_id = ?1",
            run_id,
        )?,
        records_of_all: records_of_all(database, run_id)?,
        added_codes: set(
            database,
            "SELECT fiscal_code FROM run_code WHERE run_id = ?1 AND NOT known",
            run_id,
        )?,
    })
}

fn read_sources(database: &Database, run_id: i64) -> Result<Vec<SourceState>, StoreError> {
    each(
        database,
        "SELECT source, precedence, location, fingerprint, records FROM run_source WHERE run_id = ?1
         ORDER BY precedence, source",
        Some(run_id),
        |row| {
            let mut columns = row.columns();
            Ok(SourceState {
                source: columns.next()?,
                precedence: columns.next()?,
                location: columns.next()?,
                fingerprint: columns.next()?,
                records: columns.next()?,
            })
        },
    )
}

fn read_partitions(database: &Database, run_id: i64) -> Result<Vec<PartitionState>, StoreError> {
    each(
        database,
        "SELECT partition_no, key_from, key_to, first_position, position, cursor, done, tally
         FROM run_partition WHERE run_id = ?1 ORDER BY partition_no",
        Some(run_id),
        |row| {
            let mut columns = row.columns();
            Ok(PartitionState {
                partition_no: columns.next()?,
                key_from: columns.next()?,
                key_to: columns.next()?,
                first_position: columns.next()?,
                position: columns.next()?,
                cursor: columns.next()?,
                done: columns.next()?,
                tally: columns.next()?,
            })
        },
    )
}

fn read_persons(database: &Database) -> Result<Option<(i64, i64)>, StoreError> {
    let ends = each(
        database,
        "SELECT (SELECT min(person_id) FROM person), (SELECT max(person_id) FROM person)",
        None,
        |row| Ok(row.get::<Option<i64>>(0)?.zip(row.get(1)?)),
    )?;
    Ok(ends.into_iter().next().flatten())
}

fn records_of_all(database: &Database, run_id: i64) -> Result<u64, StoreError> {
    let records: i64 = database.value(
        ACTION,
        "SELECT CAST(coalesce(sum(records), 0) AS BIGINT) FROM run_source
         JOIN run ON run.run_id = run_source.run_id WHERE phase <> 'aborted' OR run.run_id = ?1",
        values![run_id],
    )?;
    Ok(records.unsigned_abs())
}

fn set(database: &Database, sql: &str, run_id: i64) -> Result<BTreeSet<String>, StoreError> {
    let texts = each(database, sql, Some(run_id), |row| row.get(0))?;
    Ok(texts.into_iter().collect())
}

fn each<T>(
    database: &Database,
    sql: &str,
    run_id: Option<i64>,
    read: impl FnMut(&Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let rows = match run_id {
        Some(run_id) => database.rows(ACTION, sql, values![run_id]),
        None => database.rows(ACTION, sql, &[]),
    };
    rows?.iter().map(read).collect()
}

/// Reads the chained log of the runs.
///
/// # Errors
/// When it cannot be read.
pub fn read_run_events(target: &ReadBack) -> Result<Vec<ChainedRow>, ReadBackError> {
    read_chain(
        target,
        "SELECT event_id, chain, CAST(run_id AS TEXT), at, event, detail FROM run_event ORDER BY event_id",
    )
}

/// Reads the audit log.
///
/// # Errors
/// When it cannot be read.
pub fn read_audit_events(target: &ReadBack) -> Result<Vec<ChainedRow>, ReadBackError> {
    read_chain(
        target,
        "SELECT audit_id, chain, at, actor, action, reason, detail FROM audit_event ORDER BY audit_id",
    )
}

fn read_chain(target: &ReadBack, sql: &str) -> Result<Vec<ChainedRow>, ReadBackError> {
    let rows = each(&target.database, sql, None, |row| {
        let covered = 2..row.texts().len();
        Ok(ChainedRow {
            id: row.get(0)?,
            chain: row.get(1)?,
            columns: covered.map(|at| row.get(at)).collect::<Result<_, _>>()?,
        })
    });
    Ok(rows?)
}

/// Reads the catalogue, in the order of the codes.
///
/// # Errors
/// When it cannot be read.
pub fn read_catalogue(target: &ReadBack) -> Result<Vec<ProfileState>, ReadBackError> {
    let database = &target.database;
    let mut services: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let pairs = each(
        database,
        "SELECT profile, service FROM profile_service ORDER BY profile, service",
        None,
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    for (profile, service) in pairs {
        services.entry(profile).or_default().push(service);
    }
    let profiles = each(
        database,
        "SELECT profile, name, entity_rule, max_age_days, minimum_level, documents
         FROM profile ORDER BY profile",
        None,
        |row| {
            let mut columns = row.columns();
            let profile: String = columns.next()?;
            Ok(ProfileState {
                services: services.remove(&profile).unwrap_or_default(),
                profile,
                name: columns.next()?,
                entity_rule: columns.next()?,
                max_age_days: columns.next()?,
                minimum_level: columns.next()?,
                documents: columns.next()?,
            })
        },
    );
    Ok(profiles?)
}
