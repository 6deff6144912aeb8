//! One person in the new model, from all records of that person.

use std::borrow::Cow;

use jiff::{ToSpan, civil::Date};

use super::{
    delegations::delegations,
    findings::{self, Neighbours},
    fiscal_code::FiscalCode,
    grants::grants,
    legacy_record::LegacyRecord,
    rows::{FiscalCodeRow, GrantRow, PersonRow, PersonRows, PinRef, PinRow},
    rules::Rules,
    status::{Disposition, GrantStatus},
    survivor::{self, Place},
};

/// Makes a person's rows. `records` are all records of one code, in the order of the survivor rule, and at
/// least one.
#[must_use]
pub fn person_rows<'a>(
    records: &[&LegacyRecord<'a>],
    neighbours: Neighbours,
    rules: &'a Rules,
) -> PersonRows<'a> {
    let grants = grants(records, rules);
    let delegations = delegations(records.iter().copied(), rules);
    let mut pins = pins(records, rules);
    if let Some(survivor) = pins.first_mut()
        && survivor.disposition == Disposition::Survivor
    {
        survivor.expires_on = expiry(survivor.expires_on, &grants, rules);
    }
    let mut rows = PersonRows {
        fiscal_code: records[0].fiscal_code,
        person: person(records),
        codes: codes(records, rules),
        pins,
        grants,
        delegations,
        findings: Vec::new(),
    };
    rows.findings = findings::of(&rows, records, neighbours, rules);
    rows
}

/// Rule 8: the order of the survivor rule, but records written with the current code first.
fn person<'a>(records: &[&LegacyRecord<'a>]) -> PersonRow<'a> {
    let current = || records.iter().filter(|record| record.has_current_code());
    let old = || records.iter().filter(|record| !record.has_current_code());
    let first = current().chain(old()).next().unwrap_or(&records[0]);
    let mut row = PersonRow {
        surname: first.surname,
        given_name: first.given_name,
        birth_date: None,
        email: None,
        phone: None,
    };
    for record in current().chain(old()) {
        row.birth_date = row.birth_date.or(record.birth_date);
        row.email = row.email.or(record.email);
        row.phone = row.phone.or(record.phone);
    }
    row
}

/// The current code, then every old code that leads to it.
fn codes<'a>(records: &[&LegacyRecord<'a>], rules: &'a Rules) -> Vec<FiscalCodeRow<'a>> {
    let code = records[0].fiscal_code;
    let written = records.iter().find(|record| record.has_current_code());
    let current = match written {
        Some(record) => record.written_code.clone(),
        None => Cow::Owned(code.as_str().to_owned()),
    };
    let old = old_codes(code, rules);
    std::iter::once(FiscalCodeRow {
        fiscal_code: current,
        current: true,
    })
    .chain(old)
    .collect()
}

/// Every old code that leads to this one, as rows.
pub(super) fn old_codes<'a>(
    code: FiscalCode,
    rules: &'a Rules,
) -> impl Iterator<Item = FiscalCodeRow<'a>> {
    let old = rules.links.old_codes(code.as_str());
    old.iter().map(|old| FiscalCodeRow {
        fiscal_code: Cow::Borrowed(old),
        current: false,
    })
}

fn pins<'a>(records: &[&LegacyRecord<'a>], rules: &'a Rules) -> Vec<PinRow<'a>> {
    let mut survivor = None;
    let mut place = Place::First;
    let mut pins = Vec::with_capacity(records.len());
    for record in records {
        let row = pin(record, place, survivor, rules);
        if row.disposition == Disposition::Survivor {
            survivor = Some(PinRef {
                source: row.source,
                legacy_id: row.legacy_id,
            });
        }
        pins.push(row);
        place = Place::Later;
    }
    pins
}

/// The PIN of one record; a retired one points to `survivor`.
pub(super) fn pin<'a>(
    record: &LegacyRecord<'a>,
    place: Place,
    survivor: Option<PinRef<'a>>,
    rules: &'a Rules,
) -> PinRow<'a> {
    let (status, disposition) = survivor::fate(record.status, place);
    PinRow {
        status,
        disposition,
        level: record.level,
        credential: record.credential,
        credential_scheme: record.credential_scheme.clone(),
        credential_salt: record.credential_salt,
        halves_delivered: record.halves_delivered,
        issued_on: record.issued_on,
        expires_on: record.expires_on,
        last_used_on: record.last_used_on,
        office: record.office,
        channel: record.channel.clone(),
        source: &rules.source(record.source).name,
        legacy_id: record.legacy_id,
        legacy_profile: &rules.catalogue.get(record.profile).code,
        legacy_entity: record.entity.clone(),
        legacy_status: record.status,
        superseded_by: match disposition {
            Disposition::Retired => survivor,
            Disposition::Survivor | Disposition::History => None,
        },
    }
}

/// The earlier of the PIN's own date and the date of judgement plus the smallest age among the profiles
/// actively granted; its own where none is.
fn expiry(own: Option<Date>, grants: &[GrantRow<'_>], rules: &Rules) -> Option<Date> {
    let active = grants
        .iter()
        .filter(|grant| grant.status == GrantStatus::Active);
    let profiles = active.filter_map(|grant| rules.catalogue.find(grant.profile));
    let days = profiles.map(|profile| rules.catalogue.get(profile).max_age_days);
    let latest = days
        .min()
        .map(|days| rules.as_of.saturating_add(i64::from(days).days()));
    match (own, latest) {
        (Some(own), Some(latest)) => Some(own.min(latest)),
        (own, latest) => own.or(latest),
    }
}
