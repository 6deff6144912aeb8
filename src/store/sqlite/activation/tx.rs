//! One transaction on the queue and the model.

use jiff::Timestamp;
use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::failed;
use crate::store::StoreError;

/// A transaction that holds the write lock from its first statement; dropped, it is rolled back.
pub struct ActivationTx<'c> {
    inner: Transaction<'c, Sqlite>,
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

impl<'c> ActivationTx<'c> {
    pub(super) fn new(inner: Transaction<'c, Sqlite>) -> Self {
        Self { inner }
    }

    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.inner
    }

    /// The database's time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn now(&mut self) -> Result<Timestamp, StoreError> {
        let text: String = sqlx::query_scalar("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')")
            .fetch_one(self.connection())
            .await
            .map_err(failed("read the clock"))?;
        text.parse().map_err(|_| StoreError::Damaged {
            what: "a clock without a time".to_owned(),
        })
    }

    /// Whether requests may take effect now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn readiness(&mut self) -> Result<Readiness, StoreError> {
        let under_way: Option<(i64, String)> = sqlx::query_as(
            "SELECT run_id, phase FROM run WHERE phase NOT IN ('finished', 'aborted') LIMIT 1",
        )
        .fetch_optional(self.connection())
        .await
        .map_err(failed("read the run"))?;
        let cut_over: Option<i64> = sqlx::query_scalar(
            "SELECT run.run_id FROM model_state JOIN run ON run.run_id = model_state.run_id
             WHERE model_state.model = 'multiprofile' AND run.phase = 'finished'",
        )
        .fetch_optional(self.connection())
        .await
        .map_err(failed("read the model's state"))?;
        Ok(match (under_way, cut_over) {
            (Some((run_id, phase)), _) => Readiness::UnderWay { run_id, phase },
            (None, Some(run_id)) => Readiness::Ready { run_id },
            (None, None) => Readiness::NotCutOver,
        })
    }

    /// Marks a place to which one item can be taken back alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn mark_item(&mut self) -> Result<(), StoreError> {
        self.execute("SAVEPOINT item").await
    }

    /// Keeps what was done since the mark.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep_item(&mut self) -> Result<(), StoreError> {
        self.execute("RELEASE item").await
    }

    /// Takes back what was done since the mark.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_item_back(&mut self) -> Result<(), StoreError> {
        self.execute("ROLLBACK TO item").await?;
        self.execute("RELEASE item").await
    }

    async fn execute(&mut self, statement: &'static str) -> Result<(), StoreError> {
        sqlx::query(statement)
            .execute(self.connection())
            .await
            .map(|_| ())
            .map_err(failed("keep one request apart from the others"))
    }

    /// Commits.
    ///
    /// # Errors
    /// When the database fails; then nothing was committed, or the answer was lost.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.inner.commit().await.map_err(failed("commit"))
    }
}
