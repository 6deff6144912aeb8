//! Requests that wait for their turn, as those see them who only look.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::Reader;
use crate::{
    domain::activation::{
        kind::Kind,
        receipt::{Half, ReceiptState, halves_after_all},
        refusal::Failure,
        standing::ACTIVATION_SOURCE,
        waiting::WaitingRequest,
    },
    store::{
        StoreError,
        activation::{self, Readiness, TAKES_AWAY, is_behind, is_of_nobody},
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
    /// Those that need the PIN of one accepted before them.
    pub behind: i64,
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
        let (is_of_nobody, is_behind) = (is_of_nobody(), is_behind());
        let is_due = format!(
            "state = 'accepted' AND halves_delivered = 2 AND not_before <= ?1 AND NOT {is_of_nobody}
                 AND NOT {is_behind}"
        );
        let takes_away = TAKES_AWAY.replace("{name}", "queued");
        let row = self.database.row(
            ACTION,
            &format!(
                "SELECT count(*) FILTER (WHERE state = 'accepted'),
                     count(*) FILTER (WHERE state = 'accepted' AND not_before > ?1),
                     count(*) FILTER (WHERE state = 'accepted' AND halves_delivered < 2),
                     count(*) FILTER (WHERE {is_of_nobody}),
                     count(*) FILTER (WHERE {is_behind}),
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
            behind: columns.next()?,
            due: columns.next()?,
            oldest_due: columns.next()?,
            taking: columns.next()?,
            taking_due: columns.next()?,
            oldest_taking: columns.next()?,
            set_aside: columns.next()?,
        })
    }

    /// The next `limit` requests that wait at `now`, by their hour.
    ///
    /// # Errors
    /// When the database fails.
    pub fn waiting(&self, now: Timestamp, limit: u32) -> Result<Vec<WaitingRequest>, StoreError> {
        let (is_of_nobody, is_behind) = (is_of_nobody(), is_behind());
        let rows = self.database.rows(
            ACTION,
            &format!(
                "SELECT request_id, kind, not_before, halves_delivered, {is_of_nobody}, {is_behind}
                 FROM delayed_activation AS queued
                 WHERE state = 'accepted' ORDER BY not_before, accepted_at, activation_id LIMIT ?2"
            ),
            values![now, limit],
        )?;
        rows.iter().map(waiting).collect()
    }

    /// How many migrated pending PINs the next drain makes active: those that were delivered, unless it did so already,
    /// and those that are with the receipts that wait.
    ///
    /// # Errors
    /// When the database fails.
    pub fn pending_due(&self, run_id: i64) -> Result<i64, StoreError> {
        self.delivered_due(run_id, "pin.status = 'pending'")
    }

    /// How many retired PINs give what was granted with them with the next drain, for the same reasons.
    ///
    /// # Errors
    /// When the database fails.
    pub fn retired_due(&self, run_id: i64) -> Result<i64, StoreError> {
        self.delivered_due(
            run_id,
            "pin.status = 'retired' AND EXISTS (
                 SELECT 1 FROM profile_grant AS held
                 WHERE held.person_id = pin.person_id AND held.profile = pin.legacy_profile
                     AND held.entity = pin.legacy_entity AND held.status = 'pending')",
        )
    }

    fn delivered_due(&self, run_id: i64, which: &str) -> Result<i64, StoreError> {
        let delivered = if activation::pending_done(&self.database, run_id)? {
            0
        } else {
            let sql = format!(
                "SELECT count(*) FROM pin
                 WHERE {which} AND pin.legacy_status = 'pending' AND pin.halves_delivered = 2"
            );
            self.database.value(ACTION, &sql, values![])?
        };
        Ok(delivered + self.received(which)?)
    }

    /// How many receipts wait: for cut-over, for the request they are of, or for the record.
    ///
    /// # Errors
    /// When the database fails.
    pub fn receipts_waiting(&self) -> Result<i64, StoreError> {
        let sql = "SELECT count(*) FROM delivery_receipt WHERE state = 'waiting'";
        self.database.value(ACTION, sql, values![])
    }

    /// How many receipts of migrated PINs the next drain counts, or fails: all but those of records in quarantine, and of
    /// sources that may yet come.
    ///
    /// # Errors
    /// When the database fails.
    pub fn receipts_due(&self) -> Result<i64, StoreError> {
        self.database.value(
            ACTION,
            "SELECT count(*) FROM delivery_receipt AS receipt
             WHERE receipt.state = 'waiting' AND receipt.of_source IS NOT NULL AND (
                 EXISTS (SELECT 1 FROM pin
                     WHERE pin.source = receipt.of_source AND pin.legacy_id = receipt.of_legacy_id)
                 OR receipt.of_source = ?1
                 OR EXISTS (SELECT 1 FROM run_source JOIN run ON run.run_id = run_source.run_id
                         WHERE run_source.source = receipt.of_source AND run.phase = 'finished')
                     AND NOT EXISTS (SELECT 1 FROM quarantine
                         WHERE quarantine.source = receipt.of_source AND quarantine.legacy_id = receipt.of_legacy_id
                             AND quarantine.state = 'open'))",
            values![ACTIVATION_SOURCE],
        )
    }

    /// How many of these PINs receipts that wait complete.
    fn received(&self, which: &str) -> Result<i64, StoreError> {
        let mut found = 0;
        let mut pin = Received::default();
        self.database.each_row(
            ACTION,
            &format!(
                "SELECT pin.pin_id, pin.halves_delivered, receipt.state, receipt.half
             FROM delivery_receipt AS receipt
             JOIN pin ON pin.source = receipt.of_source AND pin.legacy_id = receipt.of_legacy_id
             WHERE {which} AND pin.legacy_status = 'pending' AND pin.halves_delivered < 2
                 AND receipt.outcome = 'delivered' AND receipt.state <> 'failed' AND EXISTS (
                     SELECT 1 FROM delivery_receipt AS other
                     WHERE other.of_source = pin.source AND other.of_legacy_id = pin.legacy_id
                         AND other.state = 'waiting')
             ORDER BY pin.pin_id, receipt.receipt_id"
            ),
            values![],
            &mut |row| {
                let mut columns = row.columns();
                let pin_id = columns.next()?;
                if pin_id != pin.pin_id {
                    found += i64::from(pin.is_whole());
                    pin = Received {
                        pin_id,
                        ..Received::default()
                    };
                }
                pin.delivered = columns.next()?;
                let state = columns.word(ReceiptState::by_name)?;
                let half = columns.word(Half::by_name)?;
                match state {
                    ReceiptState::Waiting => pin.halves.push(half),
                    ReceiptState::Done | ReceiptState::Failed => pin.counted.push(half),
                }
                Ok(ControlFlow::Continue(()))
            },
        )?;
        Ok(found + i64::from(pin.is_whole()))
    }
}

/// A pending PIN and the receipts of it.
#[derive(Default)]
struct Received {
    pin_id: i64,
    delivered: u8,
    counted: Vec<Half>,
    /// Of receipts that wait.
    halves: Vec<Half>,
}

impl Received {
    fn is_whole(&self) -> bool {
        halves_after_all(self.delivered, &self.halves, &self.counted) == 2
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
        is_behind: columns.next()?,
    })
}
