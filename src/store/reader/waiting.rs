//! Requests that wait for their turn, as those see them who only look.

use jiff::Timestamp;

use super::Reader;
use crate::{
    domain::activation::{kind::Kind, refusal::Failure, waiting::WaitingRequest},
    store::{
        StoreError,
        activation::{self, IS_OF_NOBODY, Readiness, TAKES_AWAY},
        database::{Row, damaged, values},
    },
};

const ACTION: &str = "look at the queue of requests";

/// How many requests wait, and for what; one may wait for several things.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueDepth {
    /// Accepted and without effect yet.
    pub waiting: i64,
    /// Of these, those whose hour has not come.
    pub before_their_hour: i64,
    /// Those whose PIN was not delivered whole.
    pub halves_open: i64,
    /// Those that take something away from nobody who is there yet.
    pub of_nobody: i64,
    /// Those that wait for nothing.
    pub due: i64,
    /// The hour of the first of those that wait for nothing.
    pub oldest_due: Option<Timestamp>,
    /// Those that take something away.
    pub taking: i64,
    /// Of these, those that wait for nothing.
    pub taking_due: i64,
    /// The hour of the first of them.
    pub oldest_taking: Option<Timestamp>,
    /// Given up after several tries.
    pub set_aside: i64,
}

impl Reader {
    /// The database's time.
    ///
    /// # Errors
    /// When the database fails.
    pub fn now(&self) -> Result<Timestamp, StoreError> {
        let now = self.database.now()?;
        now.parse().map_err(|_| damaged("a clock without a time"))
    }

    /// Whether requests may take effect.
    ///
    /// # Errors
    /// When the database fails.
    pub fn readiness(&self) -> Result<Readiness, StoreError> {
        activation::readiness(&self.database)
    }

    /// When the run that made the model valid was finished.
    ///
    /// # Errors
    /// When the database fails.
    pub fn finished_at(&self, run_id: i64) -> Result<Option<Timestamp>, StoreError> {
        let row = self.database.row(
            ACTION,
            "SELECT finished_at FROM run WHERE run_id = ?1",
            values![run_id],
        )?;
        row.map_or(Ok(None), |row| row.get(0))
    }

    /// How many requests wait at `now`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn queue_depth(&self, now: Timestamp) -> Result<QueueDepth, StoreError> {
        let is_due = format!(
            "state = 'accepted' AND halves_delivered = 2 AND not_before <= ?1 AND NOT {IS_OF_NOBODY}"
        );
        let takes_away = TAKES_AWAY.replace("{name}", "queued");
        let row = self.database.row(
            ACTION,
            &format!(
                "SELECT count(*) FILTER (WHERE state = 'accepted'),
                     count(*) FILTER (WHERE state = 'accepted' AND not_before > ?1),
                     count(*) FILTER (WHERE state = 'accepted' AND halves_delivered < 2),
                     count(*) FILTER (WHERE {IS_OF_NOBODY}),
                     count(*) FILTER (WHERE {is_due}),
                     min(not_before) FILTER (WHERE {is_due}),
                     count(*) FILTER (WHERE state = 'accepted' AND {takes_away}),
                     count(*) FILTER (WHERE {is_due} AND {takes_away}),
                     min(not_before) FILTER (WHERE {is_due} AND {takes_away}),
                     count(*) FILTER (WHERE state = 'failed' AND substr(reason, 1, length(?2)) = ?2)
                 FROM delayed_activation AS queued WHERE state IN ('accepted', 'failed')"
            ),
            values![now, Failure::SetAside.as_str()],
        )?;
        let row = row.ok_or_else(|| damaged("a queue that cannot be counted"))?;
        let mut columns = row.columns();
        Ok(QueueDepth {
            waiting: columns.next()?,
            before_their_hour: columns.next()?,
            halves_open: columns.next()?,
            of_nobody: columns.next()?,
            due: columns.next()?,
            oldest_due: columns.next()?,
            taking: columns.next()?,
            taking_due: columns.next()?,
            oldest_taking: columns.next()?,
            set_aside: columns.next()?,
        })
    }

    /// The next `limit` requests that wait, by their hour.
    ///
    /// # Errors
    /// When the database fails.
    pub fn waiting(&self, limit: u32) -> Result<Vec<WaitingRequest>, StoreError> {
        let rows = self.database.rows(
            ACTION,
            &format!(
                "SELECT request_id, kind, not_before, halves_delivered, {IS_OF_NOBODY}
                 FROM delayed_activation AS queued
                 WHERE state = 'accepted' ORDER BY not_before, accepted_at, activation_id LIMIT ?1"
            ),
            values![limit],
        )?;
        rows.iter().map(waiting).collect()
    }

    /// How many migrated PINs with both halves delivered the next drain makes active.
    ///
    /// # Errors
    /// When the database fails.
    pub fn pending_delivered(&self) -> Result<i64, StoreError> {
        self.database.value(
            ACTION,
            "SELECT count(*) FROM pin WHERE status = 'pending' AND halves_delivered = 2",
            values![],
        )
    }
}

fn waiting(row: &Row) -> Result<WaitingRequest, StoreError> {
    let mut columns = row.columns();
    Ok(WaitingRequest {
        request_id: columns.next()?,
        kind: columns.word(Kind::by_name)?,
        not_before: columns.next()?,
        halves_delivered: columns.next()?,
        is_of_nobody: columns.next()?,
    })
}
