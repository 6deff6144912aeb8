//! The run row: created, read.

use jiff::civil::Date;

use super::{
    NewRun, Reader, RunPhase, RunRow, RunSourceRow, StoreError,
    database::{Database, Row, Value, values},
    event,
    json::{json, parse},
    known_codes,
    leased_tx::LeasedTx,
    target::Target,
};
use crate::{
    domain::catalogue::{Catalogue, Profile},
    failpoint,
};

const COLUMNS: &str = "run_id, phase, as_of, fixed, target_fresh, id_base, id_end, digest, created_at, \
                       cut_over_at, finished_at";
const ACTION: &str = "create the run";
const CATALOGUE: &str = "load the catalogue";

impl Target {
    /// The newest run, whatever its phase.
    ///
    /// # Errors
    ///
    /// When the database fails or holds what this program does not understand.
    pub fn current_run(&self) -> Result<Option<RunRow>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM run ORDER BY run_id DESC LIMIT 1");
        read(&self.database, &sql, &[])
    }

    /// Every run, the newest first.
    ///
    /// # Errors
    ///
    /// When the database fails or holds what this program does not understand.
    pub fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        runs(&self.database)
    }

    /// One run.
    ///
    /// # Errors
    ///
    /// When there is no such run, or the database fails.
    pub fn run(&self, run_id: i64) -> Result<RunRow, StoreError> {
        run(&self.database, run_id)
    }

    /// Begins a run, in one transaction: its row, its sources and the catalogue.
    ///
    /// # Errors
    ///
    /// When another run is under way, or the database fails; nothing is committed then.
    pub fn create_run(&mut self, new: &NewRun<'_>) -> Result<RunRow, StoreError> {
        failpoint::reached("run.create");
        let tx = self.write()?;
        tx.one_at_a_time(ACTION, "run")?;
        // Requests that take effect now give out ids, and see this run only when they have ended.
        tx.rows(
            ACTION,
            "SELECT model FROM model_state WHERE id = 1{hold}",
            &[],
        )?;
        refuse_second(&tx)?;
        let run_id: i64 = tx.value(
            ACTION,
            // Not a sequence: ids must not depend on how often a process died here.
            "INSERT INTO run (run_id, phase, as_of, fixed, target_fresh, created_at) VALUES (
                 (SELECT coalesce(max(run_id), 0) + 1 FROM run), ?1, ?2, ?3,
                 NOT EXISTS (SELECT 1 FROM person) AND NOT EXISTS (SELECT 1 FROM pin)
                     AND NOT EXISTS (SELECT 1 FROM quarantine)
                     AND NOT EXISTS (SELECT 1 FROM run AS earlier WHERE earlier.phase <> 'aborted'),
                 {now})
             RETURNING run_id",
            values![RunPhase::Created.as_str(), new.as_of, &json(new.fixed)?],
        )?;
        for (precedence, source) in (0_i64..).zip(new.sources) {
            tx.execute(
                ACTION,
                "INSERT INTO run_source (run_id, source, precedence, location) VALUES (?1, ?2, ?3, ?4)",
                values![run_id, &source.name, precedence, &source.location],
            )?;
        }
        add_catalogue(&tx, run_id, new.catalogue)?;
        known_codes::fix(&tx, run_id, new.codes)?;
        event::append(&tx, run_id, "run.created", &serde_json::json!({}))?;
        failpoint::reached("run.commit");
        tx.commit()?;
        failpoint::reached("run.created");
        self.run(run_id)
    }
}

impl Reader {
    /// Every run, the newest first.
    ///
    /// # Errors
    ///
    /// When the database fails or holds what this program does not understand.
    pub fn runs(&self) -> Result<Vec<RunRow>, StoreError> {
        runs(&self.database)
    }
}

fn runs(database: &Database) -> Result<Vec<RunRow>, StoreError> {
    let sql = "SELECT run_id FROM run ORDER BY run_id DESC";
    let ids = database.rows("read the runs", sql, &[])?;
    ids.iter().map(|row| run(database, row.get(0)?)).collect()
}

fn run(database: &Database, run_id: i64) -> Result<RunRow, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM run WHERE run_id = ?1");
    read(database, &sql, values![run_id])?.ok_or(StoreError::NoRun { run_id })
}

fn refuse_second(database: &Database) -> Result<(), StoreError> {
    let under_way = database.row(
        ACTION,
        "SELECT run_id, phase FROM run WHERE phase NOT IN ('finished', 'aborted')",
        &[],
    )?;
    match under_way {
        Some(row) => Err(StoreError::RunUnderWay {
            run_id: row.get(0)?,
            phase: phase(&row.get::<String>(1)?)?,
        }),
        None => Ok(()),
    }
}

impl LeasedTx<'_> {
    /// Makes the run's catalogue the valid one, at the cut-over of a later run. Profiles that an earlier run
    /// brought keep their owner; until here they were as that run left them.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn renew_catalogue(&self, catalogue: &Catalogue) -> Result<(), StoreError> {
        for profile in catalogue.profiles() {
            self.database.execute(
                CATALOGUE,
                "UPDATE profile SET name = ?2, entity_rule = ?3, max_age_days = ?4, minimum_level = ?5,
                     documents = ?6
                 WHERE profile = ?1",
                values![
                    &profile.code,
                    &profile.name,
                    profile.entity.as_str(),
                    profile.max_age_days,
                    profile.minimum_level.as_str(),
                    &json(&profile.documents)?
                ],
            )?;
            self.database.execute(
                CATALOGUE,
                "DELETE FROM profile_service WHERE profile = ?1",
                values![&profile.code],
            )?;
            add_services(&self.database, profile)?;
        }
        self.database.execute(
            CATALOGUE,
            "DELETE FROM service WHERE service NOT IN (SELECT service FROM profile_service)",
            &[],
        )?;
        Ok(())
    }
}

/// Adds the profiles that are not there; those of a target in use stay as they are for the time being.
fn add_catalogue(
    database: &Database,
    run_id: i64,
    catalogue: &Catalogue,
) -> Result<(), StoreError> {
    for profile in catalogue.profiles() {
        let added = database.execute(
            CATALOGUE,
            "INSERT INTO profile (profile, name, entity_rule, max_age_days, minimum_level, documents, run_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (profile) DO NOTHING",
            values![
                &profile.code,
                &profile.name,
                profile.entity.as_str(),
                profile.max_age_days,
                profile.minimum_level.as_str(),
                &json(&profile.documents)?,
                run_id
            ],
        )?;
        if added == 1 {
            add_services(database, profile)?;
        }
    }
    Ok(())
}

fn add_services(database: &Database, profile: &Profile) -> Result<(), StoreError> {
    for service in &profile.services {
        database.execute(
            CATALOGUE,
            "INSERT INTO service (service) VALUES (?1) ON CONFLICT (service) DO NOTHING",
            values![service],
        )?;
        database.execute(
            CATALOGUE,
            "INSERT INTO profile_service (profile, service) VALUES (?1, ?2)
             ON CONFLICT (profile, service) DO NOTHING",
            values![&profile.code, service],
        )?;
    }
    Ok(())
}

fn read(
    database: &Database,
    sql: &str,
    values: &[Value<'_>],
) -> Result<Option<RunRow>, StoreError> {
    let Some(row) = database.row("read the run", sql, values)? else {
        return Ok(None);
    };
    let mut columns = row.columns();
    let run_id = columns.next()?;
    Ok(Some(RunRow {
        run_id,
        phase: columns.word(RunPhase::by_name)?,
        as_of: columns.next()?,
        fixed: parse(&columns.next::<String>()?, "run.fixed")?,
        target_fresh: columns.next()?,
        id_base: columns.next()?,
        id_end: columns.next()?,
        digest: columns.next()?,
        created_at: columns.next()?,
        cut_over_at: columns.next()?,
        finished_at: columns.next()?,
        sources: sources(database, run_id)?,
    }))
}

fn sources(database: &Database, run_id: i64) -> Result<Vec<RunSourceRow>, StoreError> {
    let rows = database.rows(
        "read the run's sources",
        "SELECT source, location, fingerprint, records FROM run_source WHERE run_id = ?1
         ORDER BY precedence",
        values![run_id],
    )?;
    rows.iter().map(source).collect()
}

fn source(row: &Row) -> Result<RunSourceRow, StoreError> {
    Ok(RunSourceRow {
        name: row.get(0)?,
        location: row.get(1)?,
        fingerprint: row.get(2)?,
        records: row.get(3)?,
    })
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
