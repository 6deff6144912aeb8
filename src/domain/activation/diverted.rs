//! New PINs that the lock diverted, evaluated as requests.

use jiff::Timestamp;

use super::{
    applied,
    evaluation::{refused, refused_record},
    grounds::{Grounds, to_millisecond},
    kind::Kind,
    refusal::{Refusal, RequestMistake},
    submission::{Origin, Submission, Verdict},
};
use crate::domain::{
    field::Field, normalise::trimmed, parse::parse, payload::payload, raw_record::RawRecord,
    status::LegacyStatus,
};

/// A new PIN that the lock diverted.
#[derive(Clone, Copy)]
pub struct DivertedPin<'a> {
    /// Its number in the divert table.
    pub seq: i64,
    /// When it was diverted.
    pub at: Timestamp,
    /// The PIN, as its source spells it.
    pub raw: RawRecord<'a>,
}

/// Evaluates a PIN that the lock diverted. The office's own application saw the documents; the credential is
/// carried as that of a legacy record is. An office that is not known has no patron day, and is no reason to refuse:
/// nobody can mend what the application wrote.
#[must_use]
pub fn evaluate_diverted(pin: &DivertedPin<'_>, grounds: &Grounds) -> Submission {
    let source = &grounds.rules.source(pin.raw.source).name;
    let request_id = format!("{}:{source}:{}", Origin::Divert, pin.seq);
    let accepted_at = to_millisecond(pin.at).unwrap_or(pin.at);
    let mut raw = pin.raw;
    raw.fields[Field::LegacyId.index()] = &request_id;
    let verdict = match parse(&raw, &grounds.rules) {
        Err(rejection) => refused_record(rejection, &raw, grounds),
        Ok(record) => match record.status {
            LegacyStatus::Active | LegacyStatus::Pending => {
                let profile = grounds.rules.catalogue.get(record.profile);
                let request = applied::diverted(&request_id, accepted_at, &record, profile);
                Verdict::Accepted(Box::new(request))
            }
            LegacyStatus::Suspended | LegacyStatus::Revoked | LegacyStatus::Ceased => refused(
                Refusal::Request(RequestMistake::NothingToActivate),
                format!("the diverted PIN is {}", record.status),
                &raw,
                grounds,
            ),
        },
    };
    Submission {
        origin: Origin::Divert,
        kind: Kind::NewPin,
        accepted_at,
        not_before: (grounds.schedule).not_before(accepted_at, trimmed(raw.get(Field::Office))),
        documents: Vec::new(),
        payload: payload(&pin.raw),
        otherwise: None,
        verdict,
        request_id,
    }
}
