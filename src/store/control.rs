//! What administrators ask of a run under way, from another terminal: to pause, or to write no faster.

use std::num::NonZeroU64;

use serde_json::{Value as Json, json};

use super::{
    AuditEntry, Reader, RunPhase, StoreError,
    database::{Database, values},
    event,
    leased_tx::LeasedTx,
    run_row::phase,
    target::Target,
};

const ACTION: &str = "read what is asked of the run";
const CHANGE: &str = "change what is asked of the run";

/// What is asked of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunControl {
    /// To write nothing for the time being.
    pub paused: Option<Paused>,
    /// To write no more records than that in a second.
    pub records_per_second: Option<NonZeroU64>,
}

/// Since when a run is paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paused {
    /// Database time.
    pub at: String,
    /// Who asked for it.
    pub by: String,
}

/// A change of what is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To pause.
    Pause,
    /// To go on.
    Resume,
    /// To write no faster than that, or as fast as it goes.
    Throttle(Option<NonZeroU64>),
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It is asked for now.
    Changed(RunControl),
    /// It was so already.
    Unchanged(RunControl),
    /// The run is not to be held up in this phase.
    TooLate(RunPhase),
}

impl Ask {
    /// What the audit log calls it.
    fn action(self) -> &'static str {
        match self {
            Self::Pause => "run.paused",
            Self::Resume => "run.resumed",
            Self::Throttle(_) => "run.throttled",
        }
    }

    fn detail(self, run_id: i64) -> Json {
        match self {
            Self::Pause | Self::Resume => json!({ "run_id": run_id }),
            Self::Throttle(rate) => json!({ "run_id": run_id, "records_per_second": rate }),
        }
    }

    fn is_so(self, control: &RunControl) -> bool {
        match self {
            Self::Pause => control.paused.is_some(),
            Self::Resume => control.paused.is_none(),
            Self::Throttle(rate) => control.records_per_second == rate,
        }
    }

    fn write(self, database: &Database, run_id: i64, actor: &str) -> Result<(), StoreError> {
        match self {
            Self::Pause => database.execute(
                CHANGE,
                "INSERT INTO run_control (run_id, paused_at, paused_by) VALUES (?1, {now}, ?2)
                 ON CONFLICT (run_id) DO UPDATE SET paused_at = excluded.paused_at, paused_by = excluded.paused_by",
                values![run_id, actor],
            )?,
            Self::Throttle(Some(rate)) => database.execute(
                CHANGE,
                "INSERT INTO run_control (run_id, records_per_second) VALUES (?1, ?2)
                 ON CONFLICT (run_id) DO UPDATE SET records_per_second = excluded.records_per_second",
                values![run_id, rate.get()],
            )?,
            Self::Resume => forget(
                database,
                run_id,
                ("records_per_second", "paused_at = NULL, paused_by = NULL"),
            )?,
            Self::Throttle(None) => {
                forget(database, run_id, ("paused_at", "records_per_second = NULL"))?
            }
        };
        Ok(())
    }
}

/// Where the other thing is not asked either, the row goes.
fn forget(
    database: &Database,
    run_id: i64,
    (other, empty): (&str, &str),
) -> Result<u64, StoreError> {
    database.execute(
        CHANGE,
        &format!("DELETE FROM run_control WHERE run_id = ?1 AND {other} IS NULL"),
        values![run_id],
    )?;
    database.execute(
        CHANGE,
        &format!("UPDATE run_control SET {empty} WHERE run_id = ?1"),
        values![run_id],
    )
}

impl Target {
    /// What is asked of a run.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn control(&self, run_id: i64) -> Result<RunControl, StoreError> {
        read(&self.database, run_id)
    }

    /// Changes what is asked of a run, and enters it in the audit log. A run that cuts over at the same time has done
    /// so before, or is held up.
    ///
    /// # Errors
    ///
    /// When there is no such run, or the database fails.
    pub fn ask(
        &mut self,
        run_id: i64,
        ask: Ask,
        (actor, reason): (&str, &str),
    ) -> Result<Asked, StoreError> {
        let tx = self.write()?;
        let found = hold(&tx, run_id)?;
        if !found.may_become(RunPhase::Aborting) {
            return Ok(Asked::TooLate(found));
        }
        let control = read(&tx, run_id)?;
        if ask.is_so(&control) {
            return Ok(Asked::Unchanged(control));
        }
        ask.write(&tx, run_id, actor)?;
        let control = read(&tx, run_id)?;
        let entry = AuditEntry {
            actor,
            action: ask.action(),
            reason,
            detail: &ask.detail(run_id),
        };
        event::audit(&tx, &entry)?;
        tx.commit()?;
        Ok(Asked::Changed(control))
    }
}

impl Reader {
    /// What is asked of a run.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn control(&self, run_id: i64) -> Result<RunControl, StoreError> {
        read(&self.database, run_id)
    }
}

impl LeasedTx<'_> {
    /// Whether the run is paused; if it is not, nobody pauses it before this transaction ends.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn is_paused(&self) -> Result<bool, StoreError> {
        hold(&self.database, self.run_id())?;
        Ok(read(&self.database, self.run_id())?.paused.is_some())
    }
}

/// The phase, which stays until the transaction ends.
fn hold(database: &Database, run_id: i64) -> Result<RunPhase, StoreError> {
    let sql = "SELECT phase FROM run WHERE run_id = ?1{hold}";
    let row = database.row(ACTION, sql, values![run_id])?;
    phase(&row.ok_or(StoreError::NoRun { run_id })?.get::<String>(0)?)
}

fn read(database: &Database, run_id: i64) -> Result<RunControl, StoreError> {
    let row = database.row(
        ACTION,
        "SELECT paused_at, paused_by, records_per_second FROM run_control WHERE run_id = ?1",
        values![run_id],
    )?;
    let Some(row) = row else {
        return Ok(RunControl::default());
    };
    let (at, by, rate): (Option<String>, Option<String>, Option<u64>) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(RunControl {
        paused: at.zip(by).map(|(at, by)| Paused { at, by }),
        records_per_second: rate.and_then(NonZeroU64::new),
    })
}
