//! The order in which a person's records count, and what becomes of each as a PIN.

use std::cmp::{Ordering, Reverse};

use super::{
    legacy_record::LegacyRecord,
    status::{Disposition, LegacyStatus, PinStatus},
};

/// Rule 5: active, suspended, pending, then revoked and ceased alike; dispositive before ordinary; latest use
/// (none last); latest issue; earlier source; smaller id as bytes. Total, since an id is unique in its source.
#[must_use]
pub fn order(a: &LegacyRecord<'_>, b: &LegacyRecord<'_>) -> Ordering {
    fn key<'r>(record: &'r LegacyRecord<'_>) -> impl Ord + use<'r> {
        (
            rank(record.status),
            Reverse(record.level),
            // `None` is less than any date.
            Reverse(record.last_used_on),
            Reverse(record.issued_on),
            record.source,
            record.legacy_id.as_bytes(),
        )
    }
    key(a).cmp(&key(b))
}

/// The best status is 0; revoked and ceased are equal.
#[must_use]
pub const fn rank(status: LegacyStatus) -> u8 {
    match status {
        LegacyStatus::Active => 0,
        LegacyStatus::Suspended => 1,
        LegacyStatus::Pending => 2,
        LegacyStatus::Revoked | LegacyStatus::Ceased => 3,
    }
}

/// Whether a record comes first among its person's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// First: a candidate becomes the person's one PIN.
    First,
    /// Not first, or the person has a PIN already.
    Later,
}

/// What a record's PIN becomes.
#[must_use]
pub const fn fate(status: LegacyStatus, place: Place) -> (PinStatus, Disposition) {
    match (status, place) {
        (LegacyStatus::Revoked, _) => (PinStatus::Revoked, Disposition::History),
        (LegacyStatus::Ceased, _) => (PinStatus::Ceased, Disposition::History),
        (LegacyStatus::Active, Place::First) => (PinStatus::Active, Disposition::Survivor),
        (LegacyStatus::Suspended, Place::First) => (PinStatus::Suspended, Disposition::Survivor),
        (LegacyStatus::Pending, Place::First) => (PinStatus::Pending, Disposition::Survivor),
        (LegacyStatus::Active | LegacyStatus::Suspended | LegacyStatus::Pending, Place::Later) => {
            (PinStatus::Retired, Disposition::Retired)
        }
    }
}
