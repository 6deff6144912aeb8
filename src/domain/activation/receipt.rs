//! Receipts: what became of the halves of a PIN that were sent to its holder.
//!
//! A PIN opens nothing until both halves are delivered. Where only the number of delivered halves is known, as of
//! legacy records and of requests, one of two is the first: it is handed over, or shown, when the PIN is issued.

use jiff::Timestamp;

use super::{
    column::Column,
    evaluation::Unusable,
    fingerprint, legible,
    request::Fields,
    standing::{ACTIVATION_SOURCE, PinName},
};
use crate::domain::status::{PinStatus, vocabulary};

vocabulary! {
    /// One of the two parts in which a PIN goes to its holder.
    Half {
        /// The one issued first.
        First = "first",
        /// The one that follows.
        Second = "second",
    }
}

vocabulary! {
    /// What became of a half that was sent.
    Outcome {
        /// The holder has it.
        Delivered = "delivered",
        /// The holder did not take it.
        Refused = "refused",
        /// It came back.
        Returned = "returned",
    }
}

vocabulary! {
    /// How a half was sent.
    Way {
        /// By registered letter.
        Letter = "letter",
        /// By e-mail.
        Email = "email",
        /// By text message.
        Text = "text",
    }
}

vocabulary! {
    /// Where a receipt is on its way.
    ReceiptState {
        /// Its PIN is not there yet.
        Waiting = "waiting",
        /// It was counted, or there was nothing to count any more.
        Done = "done",
        /// It is of nothing that has halves.
        Failed = "failed",
    }
}

vocabulary! {
    /// Why a receipt counted nothing.
    Uncounted {
        /// All of the PIN was delivered before.
        AlreadyDelivered = "already_delivered",
        /// The PIN was revoked.
        PinRevoked = "pin_revoked",
        /// The PIN ceased.
        PinCeased = "pin_ceased",
        /// The request brings no PIN.
        NoPin = "no_pin",
        /// The request has not come yet, and perhaps never will.
        RequestUnknown = "request_unknown",
        /// The request was refused, and with it the PIN.
        RequestRefused = "request_refused",
        /// The request had no effect, and there is no PIN.
        RequestFailed = "request_failed",
    }
}

/// Why nothing counts of a PIN in this status, whatever was delivered of it.
#[must_use]
pub const fn out_of_use(status: PinStatus) -> Option<Uncounted> {
    match status {
        PinStatus::Revoked => Some(Uncounted::PinRevoked),
        PinStatus::Ceased => Some(Uncounted::PinCeased),
        PinStatus::Active | PinStatus::Suspended | PinStatus::Pending | PinStatus::Retired => None,
    }
}

/// Of what a half was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Of the PIN that a request brings, by its id.
    Request(String),
    /// Of a migrated PIN that was pending.
    Pin(PinName),
}

/// What became of one half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The receipt's own id, unique for ever like a request's.
    pub request_id: String,
    /// When it came in; to the millisecond.
    pub accepted_at: Timestamp,
    /// Of what.
    pub of: Sent,
    /// Which half.
    pub half: Half,
    /// What became of it.
    pub outcome: Outcome,
    /// How it was sent.
    pub way: Option<Way>,
    /// The office that says so.
    pub office: Option<String>,
    /// Why it is of nothing, whatever it says; what may not be kept of it is cut or replaced then.
    pub problem: Option<String>,
    /// What tells this receipt from another with the same id, as a JSON object.
    pub payload: String,
}

/// Reads a receipt from a line of a file of requests.
pub(super) fn read(
    request_id: &str,
    accepted_at: Timestamp,
    fields: &Fields<'_>,
) -> Result<Receipt, Unusable> {
    Ok(Receipt {
        request_id: request_id.to_owned(),
        accepted_at,
        of: sent(fields)?,
        half: word(
            fields,
            Column::Half,
            Half::by_name,
            "is neither first nor second",
        )?,
        outcome: word(
            fields,
            Column::Outcome,
            Outcome::by_name,
            "is none of delivered, refused, returned",
        )?,
        way: match fields.get(Column::Way) {
            "" => None,
            _given => Some(word(
                fields,
                Column::Way,
                Way::by_name,
                "is none of letter, email, text",
            )?),
        },
        office: Some(legible::kept(fields.get(Column::Office), Column::Office))
            .filter(|office| !office.is_empty()),
        problem: legible::problem(fields)
            .map(|(refusal, detail)| format!("{}: {detail}", refusal.as_str())),
        payload: fingerprint::whole(fields, None),
    })
}

fn sent(fields: &Fields<'_>) -> Result<Sent, Unusable> {
    let wrong = |column, problem| Unusable { column, problem };
    match (fields.get(Column::OfRequest), fields.get(Column::OfPin)) {
        ("", "") => Err(wrong(
            Column::OfRequest,
            "is empty, and so is of_pin: a receipt is of one of them",
        )),
        (request, "") => Ok(Sent::Request(legible::kept(request, Column::OfRequest))),
        ("", pin) => match legible::kept(pin, Column::OfPin).split_once(':') {
            // So `explain` calls the PIN that a request brings.
            Some((ACTIVATION_SOURCE, id)) if !id.is_empty() => Ok(Sent::Request(id.to_owned())),
            Some((source, id)) if !source.is_empty() && !id.is_empty() => Ok(Sent::Pin(PinName {
                source: source.to_owned(),
                legacy_id: id.to_owned(),
            })),
            _no_name => Err(wrong(Column::OfPin, "is no source:id")),
        },
        (_, _) => Err(wrong(
            Column::OfPin,
            "is given beside of_request: a receipt is of one of them",
        )),
    }
}

fn word<T>(
    fields: &Fields<'_>,
    column: Column,
    by_name: fn(&str) -> Option<T>,
    problem: &'static str,
) -> Result<T, Unusable> {
    by_name(&fields.get(column).to_ascii_lowercase()).ok_or(Unusable { column, problem })
}

/// How many halves are delivered once this one is, of `delivered` before, `earlier` being those of which a
/// receipt was counted.
#[must_use]
pub fn halves_after(delivered: u8, half: Half, earlier: &[Half]) -> u8 {
    match delivered {
        0 => 1,
        1 => {
            let is_second = earlier.contains(&Half::Second) && !earlier.contains(&Half::First);
            let there = if is_second { Half::Second } else { Half::First };
            if half == there { 1 } else { 2 }
        }
        both => both,
    }
}

/// How many halves are delivered once these are too, one after the other, `earlier` being those that were counted.
#[must_use]
pub fn halves_after_all(delivered: u8, halves: &[Half], earlier: &[Half]) -> u8 {
    let mut counted = earlier.to_vec();
    halves.iter().fold(delivered, |delivered, half| {
        let after = halves_after(delivered, *half, &counted);
        counted.push(*half);
        after
    })
}

#[cfg(test)]
mod tests {
    use super::{Half, Half::First, Half::Second, halves_after};

    #[test]
    fn a_pin_is_delivered_when_both_its_halves_are_and_not_when_one_is_twice() {
        for (before, receipts, after) in [
            (0, &[First][..], 1),
            (0, &[Second], 1),
            (0, &[First, First], 1),
            (0, &[Second, Second], 1),
            (0, &[First, Second], 2),
            (0, &[Second, First], 2),
            (0, &[Second, Second, First], 2),
            (1, &[First], 1),
            (1, &[First, First], 1),
            (1, &[Second], 2),
            (1, &[First, Second], 2),
            (1, &[Second, Second], 2),
            (2, &[First], 2),
        ] {
            let mut earlier: Vec<Half> = Vec::new();
            let mut delivered = before;
            for half in receipts {
                delivered = halves_after(delivered, *half, &earlier);
                earlier.push(*half);
            }
            assert_eq!(delivered, after, "{before} {receipts:?}");
        }
    }
}
