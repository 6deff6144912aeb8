//! Receipts: taken in, counted for requests that wait, and kept for migrated PINs until a drain comes.

use std::collections::HashMap;

use serde_json::json;

use super::{
    people::pin,
    queue::{Known, Taken},
    tx::ActivationTx,
};
use crate::{
    domain::{
        activation::{
            kind::Kind,
            receipt::{Half, Outcome, Receipt, ReceiptState, Sent, Uncounted, Way, halves_after},
            refusal::Failure,
            standing::{ACTIVATION_SOURCE, Pin, PinName},
            submission::{Origin, RequestState},
        },
        status::LegacyStatus,
    },
    store::{
        StoreError,
        database::{Database, Row, damaged, values},
    },
};

const ACTION: &str = "take a receipt in";
const COUNT: &str = "count a receipt";

/// A place among the receipts; begins before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReceiptCursor(pub i64);

/// A half of a migrated PIN that was delivered, and is yet to be counted.
#[derive(Clone, Debug)]
pub struct SentHalf {
    /// Its row.
    pub receipt_id: ReceiptCursor,
    /// Its id.
    pub request_id: String,
    /// Of which PIN.
    pub pin: PinName,
    /// Which half.
    pub half: Half,
}

/// Where a PIN is that is not in the model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AbsentPin {
    /// In quarantine, from where it may yet come.
    Quarantined,
    /// The lock diverted it, and it is this request.
    Diverted(String),
    /// In a source that no run has migrated, and a later one may.
    OfLaterSource,
    /// Nowhere.
    Unknown,
}

/// A PIN of which receipts speak.
#[derive(Clone, Debug)]
pub struct SentPin {
    /// Its row.
    pub pin_id: i64,
    /// Whose it is.
    pub person_id: i64,
    /// The PIN.
    pub pin: Pin,
    /// The id of the PIN that took its place.
    pub successor: Option<i64>,
    /// The halves of which a receipt was counted.
    pub counted: Vec<Half>,
}

impl SentPin {
    /// Whether both halves were delivered; a PIN that was in use counts as such.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.pin.legacy_status != LegacyStatus::Pending || self.pin.halves_delivered == 2
    }
}

impl ActivationTx<'_> {
    /// Takes a receipt in, once. One of a request that waits is counted at once.
    ///
    /// # Errors
    /// When the database fails.
    pub fn take_receipt(&self, receipt: &Receipt) -> Result<Taken, StoreError> {
        let database = &self.database;
        database.in_turn(ACTION, "delayed_activation")?;
        let id = &receipt.request_id;
        let mut is_new = false;
        let is_request: bool = database.value(
            ACTION,
            "SELECT EXISTS (SELECT 1 FROM delayed_activation WHERE request_id = ?1)",
            values![id],
        )?;
        if is_request {
            return Ok(Taken::IdTaken);
        }
        if insert(database, receipt)? {
            is_new = true;
            match &receipt.of {
                Sent::Request(request) => count_waiting(database, request)?,
                Sent::Pin(pin) => {
                    count_diverted(database, id, pin)?;
                    say_unknown(database, id)?;
                }
            }
        }
        let row = database.row(
            ACTION,
            "SELECT state, reason, accepted_at, payload FROM delivery_receipt WHERE request_id = ?1",
            values![id],
        )?;
        let row = row.ok_or_else(|| damaged("no receipt where one was just taken in"))?;
        let mut columns = row.columns();
        let known = Known {
            state: match columns.word(ReceiptState::by_name)? {
                ReceiptState::Waiting => RequestState::Accepted,
                ReceiptState::Done => RequestState::Done,
                ReceiptState::Failed => RequestState::Failed,
            },
            reason: columns.next()?,
            not_before: columns.next()?,
        };
        Ok(if is_new {
            Taken::New(known)
        } else if columns.next::<String>()? == receipt.payload {
            Taken::Again(known)
        } else {
            Taken::IdTaken
        })
    }

    /// The next halves of migrated PINs that were delivered, which no other drain counts.
    ///
    /// # Errors
    /// When the database fails.
    pub fn sent_halves(
        &self,
        after: ReceiptCursor,
        limit: u32,
    ) -> Result<Vec<SentHalf>, StoreError> {
        let rows = self.database.rows(
            COUNT,
            "SELECT receipt_id, request_id, of_source, of_legacy_id, half FROM delivery_receipt
             WHERE state = 'waiting' AND of_source IS NOT NULL AND receipt_id > ?1
             ORDER BY receipt_id LIMIT ?2{claim}",
            values![after.0, limit],
        )?;
        rows.iter()
            .map(|row| {
                let mut columns = row.columns();
                Ok(SentHalf {
                    receipt_id: ReceiptCursor(columns.next()?),
                    request_id: columns.next()?,
                    pin: PinName {
                        source: columns.next()?,
                        legacy_id: columns.next()?,
                    },
                    half: columns.word(Half::by_name)?,
                })
            })
            .collect()
    }

    /// These PINs, as far as they are there.
    ///
    /// # Errors
    /// When the database fails.
    pub fn sent_pins(&self, names: &[&PinName]) -> Result<HashMap<PinName, SentPin>, StoreError> {
        let listed = names.iter();
        let listed = listed.map(|name| json!({ "source": name.source, "id": name.legacy_id }));
        let names = serde_json::Value::from_iter(listed).to_string();
        let members = [("source", "TEXT"), ("id", "TEXT")];
        let of = self.database.listed("?1", &members);
        let pins = self.database.rows(
            COUNT,
            &format!(
                "SELECT pin.person_id, pin.pin_id, pin.source, pin.legacy_id, pin.status, pin.disposition,
                     pin.level, pin.credential, pin.credential_scheme, pin.credential_salt,
                     pin.halves_delivered, pin.issued_on, pin.expires_on, pin.last_used_on, pin.office,
                     pin.channel, pin.legacy_profile, pin.legacy_entity, pin.legacy_status,
                     pin.superseded_by, later.source, later.legacy_id
                 FROM pin LEFT JOIN pin AS later ON later.pin_id = pin.superseded_by
                 WHERE (pin.source, pin.legacy_id) IN (SELECT listed.source, listed.id FROM {of})"
            ),
            values![&names],
        )?;
        let mut found = HashMap::new();
        for row in &pins {
            let sent = sent_pin(row)?;
            found.insert(sent.pin.name.clone(), sent);
        }
        let counted = self.database.rows(
            COUNT,
            &format!(
                "SELECT of_source, of_legacy_id, half FROM delivery_receipt
                 WHERE state = 'done' AND outcome = 'delivered'
                     AND (of_source, of_legacy_id) IN (SELECT listed.source, listed.id FROM {of})"
            ),
            values![&names],
        )?;
        for row in &counted {
            let mut columns = row.columns();
            let name = PinName {
                source: columns.next()?,
                legacy_id: columns.next()?,
            };
            let half = columns.word(Half::by_name)?;
            if let Some(sent) = found.get_mut(&name) {
                sent.counted.push(half);
            }
        }
        Ok(found)
    }

    /// Where a PIN is that is not in the model.
    ///
    /// # Errors
    /// When the database fails.
    pub fn absent_pin(&self, name: &PinName) -> Result<AbsentPin, StoreError> {
        let is_quarantined: bool = self.database.value(
            COUNT,
            "SELECT EXISTS (SELECT 1 FROM quarantine
             WHERE source = ?1 AND legacy_id = ?2 AND state = 'open')",
            values![&name.source, &name.legacy_id],
        )?;
        if is_quarantined {
            return Ok(AbsentPin::Quarantined);
        }
        if let Some(request_id) = diverted(&self.database, &name.source, &name.legacy_id)? {
            return Ok(AbsentPin::Diverted(request_id));
        }
        // A source comes once: of one that was migrated nothing more will.
        let is_migrated: bool = self.database.value(
            COUNT,
            "SELECT EXISTS (SELECT 1 FROM run_source JOIN run ON run.run_id = run_source.run_id
             WHERE run_source.source = ?1 AND run.phase = 'finished')",
            values![&name.source],
        )?;
        Ok(if is_migrated || name.source == ACTIVATION_SOURCE {
            AbsentPin::Unknown
        } else {
            AbsentPin::OfLaterSource
        })
    }

    /// Counts a receipt for the request that a PIN it names became.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count_for(&self, receipt_id: ReceiptCursor, request_id: &str) -> Result<(), StoreError> {
        count_for(&self.database, receipt_id.0, request_id)
    }

    /// Counts a try that the database refused; says whether the receipt is now set aside.
    ///
    /// # Errors
    /// When the database fails.
    pub fn count_receipt_attempt(
        &self,
        receipt_id: ReceiptCursor,
        why: &str,
        attempts_max: u32,
    ) -> Result<bool, StoreError> {
        let state: String = self.database.value(
            "count a try",
            "UPDATE delivery_receipt SET attempts = attempts + 1, reason = ?3 || ': ' || ?2,
                 state = CASE WHEN attempts + 1 >= ?4 THEN 'failed' ELSE 'waiting' END
             WHERE receipt_id = ?1 AND state = 'waiting' RETURNING state",
            values![receipt_id.0, why, Failure::SetAside.as_str(), attempts_max],
        )?;
        Ok(state == ReceiptState::Failed.as_str())
    }

    /// Marks receipts with what became of them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn mark_receipts(
        &self,
        marks: &[(ReceiptCursor, ReceiptState, &str)],
    ) -> Result<(), StoreError> {
        for (receipt_id, state, reason) in marks {
            mark(&self.database, receipt_id.0, *state, reason)?;
        }
        Ok(())
    }
}

fn sent_pin(row: &Row) -> Result<SentPin, StoreError> {
    let mut sent = pin(row)?;
    let source: Option<String> = row.get(20)?;
    let legacy_id: Option<String> = row.get(21)?;
    sent.superseded_by = source
        .zip(legacy_id)
        .map(|(source, legacy_id)| PinName { source, legacy_id });
    Ok(SentPin {
        pin_id: row.get(1)?,
        person_id: row.get(0)?,
        pin: sent,
        successor: row.get(19)?,
        counted: Vec::new(),
    })
}

/// Whether there is a receipt with this id.
pub(super) fn is_known(database: &Database, request_id: &str) -> Result<bool, StoreError> {
    database.value(
        ACTION,
        "SELECT EXISTS (SELECT 1 FROM delivery_receipt WHERE request_id = ?1)",
        values![request_id],
    )
}

fn insert(database: &Database, receipt: &Receipt) -> Result<bool, StoreError> {
    let (request, pin) = match &receipt.of {
        Sent::Request(request) => (Some(request), None),
        Sent::Pin(pin) => (None, Some(pin)),
    };
    // What was not delivered is only kept, to be told.
    let state = match receipt.outcome {
        _ if receipt.problem.is_some() => ReceiptState::Failed,
        Outcome::Delivered => ReceiptState::Waiting,
        Outcome::Refused | Outcome::Returned => ReceiptState::Done,
    };
    let next = database.next_number("delivery_receipt", "receipt_id");
    let inserted = database.execute(
        ACTION,
        &format!(
            "INSERT INTO delivery_receipt (receipt_id, request_id, state, reason, of_request, of_source,
                 of_legacy_id, half, outcome, way, office, payload, accepted_at)
             VALUES ({next}, ?1, ?2, ?12, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
             ON CONFLICT (request_id) DO NOTHING"
        ),
        values![
            &receipt.request_id,
            state.as_str(),
            request.map(String::as_str),
            pin.map(|pin| pin.source.as_str()),
            pin.map(|pin| pin.legacy_id.as_str()),
            receipt.half.as_str(),
            receipt.outcome.as_str(),
            receipt.way.map(Way::as_str),
            &receipt.office,
            &receipt.payload,
            receipt.accepted_at,
            receipt.problem.as_deref().unwrap_or_default()
        ],
    )?;
    Ok(inserted == 1)
}

/// Counts a receipt of a PIN that the lock diverted for the request which that became, if the queue has it.
fn count_diverted(database: &Database, receipt: &str, pin: &PinName) -> Result<(), StoreError> {
    let Some(request_id) = diverted(database, &pin.source, &pin.legacy_id)? else {
        return Ok(());
    };
    let receipt_id = database.value(
        COUNT,
        "SELECT receipt_id FROM delivery_receipt WHERE request_id = ?1",
        values![receipt],
    )?;
    count_for(database, receipt_id, &request_id)
}

/// Says of a receipt that waits where there are runs and none knows its source, which may be mistyped.
fn say_unknown(database: &Database, receipt: &str) -> Result<(), StoreError> {
    database.execute(
        ACTION,
        "UPDATE delivery_receipt SET reason = ?2
         WHERE request_id = ?1 AND state = 'waiting' AND of_source IS NOT NULL
             AND EXISTS (SELECT 1 FROM run_source)
             AND NOT EXISTS (SELECT 1 FROM run_source WHERE run_source.source = of_source)",
        values![receipt, Failure::PinUnknown.as_str()],
    )?;
    Ok(())
}

fn count_for(database: &Database, receipt_id: i64, request_id: &str) -> Result<(), StoreError> {
    database.execute(
        COUNT,
        "UPDATE delivery_receipt SET of_request = ?2, of_source = NULL, of_legacy_id = NULL, reason = ''
         WHERE receipt_id = ?1 AND state <> 'failed'",
        values![receipt_id, request_id],
    )?;
    count_waiting(database, request_id)
}

/// The request that a PIN became which the lock diverted, the last one where several had its id.
pub(in crate::store) fn diverted(
    database: &Database,
    source: &str,
    legacy_id: &str,
) -> Result<Option<String>, StoreError> {
    let sql = format!(
        "SELECT request_id FROM delayed_activation
         WHERE origin = 'divert' AND substr(request_id, 1, length(?1)) = ?1 AND trim({}) = ?2
         ORDER BY state = 'refused', activation_id DESC LIMIT 1",
        database.json_text("payload", "legacy_id")
    );
    let of_source = format!("{}:{source}:", Origin::Divert);
    let row = database.row(COUNT, &sql, values![&of_source, legacy_id])?;
    row.map(|row| row.get(0)).transpose()
}

/// Counts the halves of this request's PIN of which receipts wait; if the queue has no such request yet, they wait on.
pub(super) fn count_waiting(database: &Database, request_id: &str) -> Result<(), StoreError> {
    let request = database.row(
        COUNT,
        "SELECT state, kind, halves_delivered FROM delayed_activation WHERE request_id = ?1",
        values![request_id],
    )?;
    let Some(request) = request else {
        database.execute(
            COUNT,
            "UPDATE delivery_receipt SET reason = ?2 WHERE of_request = ?1 AND state = 'waiting'",
            values![request_id, Uncounted::RequestUnknown.as_str()],
        )?;
        return Ok(());
    };
    let mut columns = request.columns();
    let state = columns.word(RequestState::by_name)?;
    let kind = columns.word(Kind::by_name)?;
    let mut halves: u8 = columns.next()?;
    let receipts = database.rows(
        COUNT,
        "SELECT receipt_id, half, state FROM delivery_receipt
         WHERE of_request = ?1 AND outcome = 'delivered' AND state <> 'failed' ORDER BY receipt_id",
        values![request_id],
    )?;
    let mut counted = Vec::new();
    for receipt in &receipts {
        let mut columns = receipt.columns();
        let receipt_id = columns.next()?;
        let half = columns.word(Half::by_name)?;
        if columns.word(ReceiptState::by_name)? == ReceiptState::Waiting {
            let uncounted = match state {
                _ if !kind.brings_pin() => Some(Uncounted::NoPin),
                RequestState::Refused => Some(Uncounted::RequestRefused),
                RequestState::Failed => Some(Uncounted::RequestFailed),
                RequestState::Done => Some(Uncounted::AlreadyDelivered),
                // One that gave its place to another may come back to it.
                RequestState::Accepted | RequestState::Superseded => {
                    (halves == 2).then_some(Uncounted::AlreadyDelivered)
                }
            };
            let (to, reason) = match uncounted {
                None => (ReceiptState::Done, ""),
                Some(why @ Uncounted::AlreadyDelivered) => (ReceiptState::Done, why.as_str()),
                Some(why) => (ReceiptState::Failed, why.as_str()),
            };
            mark(database, receipt_id, to, reason)?;
            if to == ReceiptState::Failed {
                continue;
            }
            halves = halves_after(halves, half, &counted);
        }
        counted.push(half);
    }
    database.execute(
        COUNT,
        "UPDATE delayed_activation SET halves_delivered = ?2
         WHERE request_id = ?1 AND state IN ('accepted', 'superseded') AND halves_delivered < ?2",
        values![request_id, halves],
    )?;
    Ok(())
}

fn mark(
    database: &Database,
    receipt_id: i64,
    state: ReceiptState,
    reason: &str,
) -> Result<(), StoreError> {
    database.execute(
        COUNT,
        "UPDATE delivery_receipt SET state = ?2, reason = ?3
         WHERE receipt_id = ?1 AND state = 'waiting'",
        values![receipt_id, state.as_str(), reason],
    )?;
    Ok(())
}
