//! One transaction on the queue and the model.

use std::ops::Deref;

use jiff::Timestamp;

use crate::store::{
    LeasedTx, RunPhase, StoreError,
    database::{Database, Transaction, damaged, values},
    run_row,
};

const MODEL: &str = "read the model's state";

/// A transaction on the queue and the model; dropped, it is rolled back, unless it is a part of another one.
pub struct ActivationTx<'c> {
    pub(super) database: Held<'c>,
    pub(super) seen: Seen,
    pub(super) turn: Turn,
}

/// Whose turn it is, when their hour has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// That of all requests.
    All,
    /// That of those which take away.
    TakingAway,
}

/// Which rows of the model a transaction sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// All of them.
    All,
    /// Those that this later run has not brought: they are no part of the model yet.
    WithoutRun(i64),
    /// PINs and grants that this run brought.
    OfRun(i64),
}

/// Whose transaction it is.
pub(super) enum Held<'c> {
    Own(Transaction<'c>),
    Lent(&'c Database),
}

impl Deref for Held<'_> {
    type Target = Database;

    fn deref(&self) -> &Database {
        match self {
            Self::Own(database) => database,
            Self::Lent(database) => database,
        }
    }
}

impl LeasedTx<'_> {
    /// The queue within this transaction, and of the model what this run has brought.
    #[must_use]
    pub fn queue(&self) -> ActivationTx<'_> {
        ActivationTx {
            database: Held::Lent(&self.database),
            seen: Seen::OfRun(self.run_id()),
            turn: Turn::All,
        }
    }

    /// Waits until nobody lets requests take effect, and lets nobody begin until this transaction ends.
    ///
    /// # Errors
    /// When the database fails.
    pub fn hold_model(&self) -> Result<(), StoreError> {
        self.database.rows(
            MODEL,
            "SELECT model FROM model_state WHERE id = 1{hold}",
            values![],
        )?;
        Ok(())
    }
}

/// Whether requests may take effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// They may, in the model this run made valid.
    Ready {
        /// The run that was cut over.
        run_id: i64,
    },
    /// The multi-profile model is not the valid one yet.
    NotCutOver,
    /// A run is under way, or is cut over and has not finished sealing.
    UnderWay {
        /// The run.
        run_id: i64,
        /// Its phase.
        phase: RunPhase,
    },
    /// A later run is under way, or is cut over and has not finished sealing: what takes away may take effect.
    Merging {
        /// The run whose model is valid meanwhile.
        valid: i64,
        /// The later run.
        run_id: i64,
        /// Its phase.
        phase: RunPhase,
    },
}

impl Readiness {
    /// The run in whose model requests take effect.
    ///
    /// # Errors
    /// Says what is in the way.
    pub fn run_id(&self) -> Result<i64, String> {
        match self {
            Self::Ready { run_id } => Ok(*run_id),
            Self::NotCutOver => Err("no run was cut over yet".to_owned()),
            Self::UnderWay { run_id, phase } | Self::Merging { run_id, phase, .. } => {
                Err(format!("run {run_id} is not finished (phase {phase})"))
            }
        }
    }
}

/// Whether requests may take effect, which may change at any time.
pub(in crate::store) fn readiness(database: &Database) -> Result<Readiness, StoreError> {
    let under_way = database.row(
        "read the run",
        "SELECT run_id, phase FROM run WHERE phase NOT IN ('finished', 'aborted') LIMIT 1",
        values![],
    )?;
    let cut_over = database.row(
        MODEL,
        "SELECT run.run_id FROM model_state JOIN run ON run.run_id = model_state.run_id
         WHERE model_state.model = 'multiprofile'
             AND (run.phase = 'finished' OR run.phase = 'cut_over' AND NOT run.target_fresh)",
        values![],
    )?;
    let valid: Option<i64> = cut_over.map(|row| row.get(0)).transpose()?;
    let Some(row) = under_way else {
        return Ok(valid.map_or(Readiness::NotCutOver, |run_id| Readiness::Ready { run_id }));
    };
    let (run_id, phase) = (row.get(0)?, run_row::phase(&row.get::<String>(1)?)?);
    Ok(match valid {
        Some(valid) => Readiness::Merging {
            valid,
            run_id,
            phase,
        },
        None => Readiness::UnderWay { run_id, phase },
    })
}

impl<'c> ActivationTx<'c> {
    pub(super) fn new(database: Transaction<'c>) -> Self {
        Self {
            database: Held::Own(database),
            seen: Seen::All,
            turn: Turn::All,
        }
    }

    /// The database's time.
    ///
    /// # Errors
    /// When the database fails.
    pub fn now(&self) -> Result<Timestamp, StoreError> {
        let now = self.database.now()?;
        now.parse().map_err(|_| damaged("a clock without a time"))
    }

    /// Whether requests may take effect now. While a later run is under way no request that gives is seen from here
    /// on, nor, before its cut-over, anything of the run.
    ///
    /// # Errors
    /// When the database fails.
    pub fn readiness(&mut self) -> Result<Readiness, StoreError> {
        // Nobody begins a run, or cuts one over, until this transaction has ended.
        self.database.rows(
            MODEL,
            "SELECT model FROM model_state WHERE id = 1{for share}",
            values![],
        )?;
        let readiness = readiness(&self.database)?;
        if let Readiness::Merging { valid, run_id, .. } = &readiness {
            self.turn = Turn::TakingAway;
            if valid != run_id {
                self.seen = Seen::WithoutRun(*run_id);
            }
        }
        Ok(readiness)
    }

    /// SQL for that a PIN or a grant is seen.
    pub(super) fn is_seen(&self, row: &str) -> String {
        match self.seen {
            Seen::All => String::new(),
            Seen::WithoutRun(run_id) => format!(" AND {row}.run_id <> {run_id}"),
            Seen::OfRun(run_id) => format!(" AND {row}.run_id = {run_id}"),
        }
    }

    /// Marks a place to which one item can be taken back alone.
    ///
    /// # Errors
    /// When the database fails.
    pub fn mark_item(&self) -> Result<(), StoreError> {
        self.apart("SAVEPOINT item")
    }

    /// Keeps what was done since the mark.
    ///
    /// # Errors
    /// When the database fails.
    pub fn keep_item(&self) -> Result<(), StoreError> {
        self.apart("RELEASE SAVEPOINT item")
    }

    /// Takes back what was done since the mark.
    ///
    /// # Errors
    /// When the database fails.
    pub fn take_item_back(&self) -> Result<(), StoreError> {
        self.apart("ROLLBACK TO SAVEPOINT item")?;
        self.apart("RELEASE SAVEPOINT item")
    }

    fn apart(&self, statement: &str) -> Result<(), StoreError> {
        self.database
            .batch("keep one request apart from the others", statement)
    }

    /// Commits; where it is a part of another transaction, that one does.
    ///
    /// # Errors
    /// When the database fails; then nothing was committed, or the answer was lost.
    pub fn commit(self) -> Result<(), StoreError> {
        match self.database {
            Held::Own(database) => database.commit(),
            Held::Lent(_) => Ok(()),
        }
    }
}
