//! What a person may do: grants hang on the person, not on the PIN.

use std::cmp::Ordering;

use super::{
    evidence,
    legacy_record::LegacyRecord,
    rows::GrantRow,
    rules::Rules,
    status::{GrantStatus, LegacyStatus},
    survivor,
};

/// One grant per distinct profile and entity, ordered by both. The best record gives the status; among the
/// records of that status the highest gives the level, the earliest issued the date and the evidence.
#[must_use]
pub fn grants<'a>(records: &[&LegacyRecord<'a>], rules: &'a Rules) -> Vec<GrantRow<'a>> {
    if let [_] = records {
        return vec![grant(records, rules)];
    }
    let mut records = records.to_vec();
    let key = |record: &LegacyRecord<'a>| {
        let code = rules.catalogue.get(record.profile).code.as_str();
        (code, record.entity.clone())
    };
    records.sort_by(|a, b| key(a).cmp(&key(b)).then_with(|| weight(a, b)));
    let groups = records.chunk_by(|a, b| a.profile == b.profile && a.entity == b.entity);
    groups.map(|group| grant(group, rules)).collect()
}

/// Best status first; then earliest issue, earlier source, smaller id.
fn weight(a: &LegacyRecord<'_>, b: &LegacyRecord<'_>) -> Ordering {
    survivor::rank(a.status)
        .cmp(&survivor::rank(b.status))
        .then_with(|| a.issued_on.cmp(&b.issued_on))
        .then_with(|| a.source.cmp(&b.source))
        .then_with(|| a.legacy_id.as_bytes().cmp(b.legacy_id.as_bytes()))
}

/// `group` is in the order of [`weight`] and not empty.
fn grant<'a>(group: &[&LegacyRecord<'a>], rules: &'a Rules) -> GrantRow<'a> {
    let first = group[0];
    let best = group
        .iter()
        .take_while(|record| survivor::rank(record.status) == survivor::rank(first.status));
    GrantRow {
        profile: &rules.catalogue.get(first.profile).code,
        entity: first.entity.clone(),
        status: status(first.status),
        level: best.fold(first.level, |level, record| level.max(record.level)),
        valid_from: first.issued_on,
        evidence: evidence::legacy(first, rules),
    }
}

const fn status(status: LegacyStatus) -> GrantStatus {
    match status {
        LegacyStatus::Active => GrantStatus::Active,
        LegacyStatus::Suspended => GrantStatus::Suspended,
        LegacyStatus::Pending => GrantStatus::Pending,
        LegacyStatus::Revoked | LegacyStatus::Ceased => GrantStatus::Ended,
    }
}
