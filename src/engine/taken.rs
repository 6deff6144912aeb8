//! What was taken away under a lock: it wins over the requests that were accepted before it, whatever becomes of
//! the run.

use serde_json::json;

use crate::{
    config::settings::Settings,
    domain::{
        activation::revocation::GrantHash, field::Field, normalise, raw_record::SourceIndex,
        rules::Rules, status::LegacyStatus,
    },
    source::lock::{Capture, LockError, RawFields},
    store::{
        AuditEntry, Reader, StoreError,
        activation::{CAPTURES_KEPT, TakenGrant, TakenUnderLock},
        reader::audit,
    },
};

/// How much a status takes away.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Taken {
    Nothing,
    ForNow,
    ForGood,
}

/// The status an image shows, where it is a known one.
pub(super) fn status(
    image: &RawFields,
    source: SourceIndex,
    rules: &Rules,
) -> Option<LegacyStatus> {
    let record = image.record(source, 0);
    let code = normalise::code(record.get(Field::Status)).into_owned();
    rules.source(source).status_codes.get(&code).copied()
}

/// Adds what this change took away.
pub(super) fn add(
    capture: &Capture,
    source: SourceIndex,
    rules: &Rules,
    taken: &mut TakenUnderLock,
) {
    let of = |image: &RawFields| match status(image, source, rules) {
        Some(LegacyStatus::Revoked | LegacyStatus::Ceased) => Taken::ForGood,
        Some(LegacyStatus::Suspended) => Taken::ForNow,
        None | Some(LegacyStatus::Active | LegacyStatus::Pending) => Taken::Nothing,
    };
    let before = capture.before.as_ref().map_or(Taken::Nothing, of);
    // What a view no longer shows has gone for those who read it.
    let after = capture.after.as_ref().map_or(Taken::ForGood, of);
    let record = capture.after.as_ref().or(capture.before.as_ref());
    let grant = record.and_then(|image| GrantHash::of_record(&image.record(source, 0), rules));
    let Some(grant) = grant.filter(|_| after > before) else {
        return;
    };
    let of_its_kind = match after {
        Taken::ForGood => &mut taken.revoked,
        Taken::ForNow | Taken::Nothing => &mut taken.suspended,
    };
    let at = capture.at.clone();
    of_its_kind.push(TakenGrant { grant, at });
}

/// What keeps, in the audit log of the target, what captures of this source tell was taken away, before they go with
/// their lock. A target that is not there has no requests.
pub fn keep<'k>(
    settings: &'k Settings,
    source: &'k str,
    actor: &'k str,
) -> impl Fn(&[Capture]) -> Result<(), LockError> + 'k {
    move |captures| {
        let rules = settings.rules(settings.as_of.unwrap_or_default());
        let mut sources = rules.sources.iter().zip(0..);
        let Some((_, index)) = sources.find(|(one, _)| one.name == source) else {
            return Ok(());
        };
        let mut taken = TakenUnderLock::default();
        for capture in captures {
            add(capture, SourceIndex(index), &rules, &mut taken);
        }
        if taken.is_empty() {
            return Ok(());
        }
        let detail = json!({
            "source": source, "captures": captures.len(), "revoked": taken.revoked,
            "suspended": taken.suspended,
        });
        let entry = AuditEntry {
            actor,
            action: CAPTURES_KEPT,
            reason: "",
            detail: &detail,
        };
        let written =
            Reader::open(&settings.target).and_then(|_| audit::append(&settings.target, &entry));
        match written {
            Err(error) if error.is_absent() => Ok(()),
            written => written.map_err(|why: StoreError| LockError::NotKept {
                source_name: source.to_owned(),
                why: Box::new(why),
            }),
        }
    }
}
