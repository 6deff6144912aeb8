//! One transaction on the queue and the model.

use jiff::Timestamp;

use crate::store::{
    StoreError,
    database::{Database, Transaction, damaged, values},
};

/// A transaction on the queue and the model; dropped, it is rolled back.
pub struct ActivationTx<'c> {
    pub(super) database: Transaction<'c>,
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
        phase: String,
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
            Self::UnderWay { run_id, phase } => {
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
    if let Some(row) = under_way {
        return Ok(Readiness::UnderWay {
            run_id: row.get(0)?,
            phase: row.get(1)?,
        });
    }
    let cut_over = database.row(
        "read the model's state",
        "SELECT run.run_id FROM model_state JOIN run ON run.run_id = model_state.run_id
         WHERE model_state.model = 'multiprofile' AND run.phase = 'finished'",
        values![],
    )?;
    Ok(match cut_over {
        Some(row) => Readiness::Ready {
            run_id: row.get(0)?,
        },
        None => Readiness::NotCutOver,
    })
}

impl<'c> ActivationTx<'c> {
    pub(super) fn new(database: Transaction<'c>) -> Self {
        Self { database }
    }

    /// The database's time.
    ///
    /// # Errors
    /// When the database fails.
    pub fn now(&self) -> Result<Timestamp, StoreError> {
        let now = self.database.now()?;
        now.parse().map_err(|_| damaged("a clock without a time"))
    }

    /// Whether requests may take effect now.
    ///
    /// # Errors
    /// When the database fails.
    pub fn readiness(&self) -> Result<Readiness, StoreError> {
        // Nobody begins a run, or cuts one over, until this transaction has ended.
        self.database.rows(
            "read the model's state",
            "SELECT model FROM model_state WHERE id = 1{for share}",
            values![],
        )?;
        readiness(&self.database)
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

    /// Commits.
    ///
    /// # Errors
    /// When the database fails; then nothing was committed, or the answer was lost.
    pub fn commit(self) -> Result<(), StoreError> {
        self.database.commit()
    }
}
