//! What is odd about a person who is migrated all the same.

use jiff::civil::Date;

use super::{
    finding::{FindingKind, FindingRow},
    fiscal_code::FiscalCode,
    legacy_record::LegacyRecord,
    name_letters,
    rows::{GrantRow, PersonRows},
    rules::Rules,
    status::{Disposition, GrantStatus, LegacyStatus, Level},
};

/// Whether another code of the case differs from the person's by omocodia only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Neighbours {
    /// The person's code stands alone.
    None,
    /// There is at least one such code, among records that passed their own-field rules.
    Omocodia,
}

const FULL_AGE_YEARS: i16 = 18;

/// The findings about a person, ordered by kind, each naming the first of `records` (in the order of the
/// survivor rule).
pub(super) fn of<'a>(
    rows: &PersonRows<'a>,
    records: &[&LegacyRecord<'a>],
    neighbours: Neighbours,
    rules: &'a Rules,
) -> Vec<FindingRow<'a>> {
    FindingKind::ALL
        .iter()
        .filter(|kind| applies(**kind, rows, records, neighbours, rules))
        .map(|kind| FindingRow {
            kind: *kind,
            source: &rules.source(records[0].source).name,
            legacy_id: records[0].legacy_id,
        })
        .collect()
}

fn applies(
    kind: FindingKind,
    rows: &PersonRows<'_>,
    records: &[&LegacyRecord<'_>],
    neighbours: Neighbours,
    rules: &Rules,
) -> bool {
    let is_minor = || {
        rows.person
            .birth_date
            .map(|born| is_minor(born, rules.as_of))
    };
    match kind {
        FindingKind::OmocodiaPair => neighbours == Neighbours::Omocodia,
        FindingKind::NameCodeMismatch => !names_fit(rows),
        FindingKind::BirthDateMismatch => !birth_fits(rows.fiscal_code, rows.person.birth_date),
        FindingKind::MinorWithoutGuardian => {
            rows.delegations.is_empty() && is_minor() == Some(true)
        }
        FindingKind::GuardianOfAdult => !rows.delegations.is_empty() && is_minor() == Some(false),
        FindingKind::PinExpired => has_expired(rows, rules.as_of),
        FindingKind::NumericCode => rows.fiscal_code.is_numeric(),
        FindingKind::EntityIgnored => records.iter().any(|record| record.entity_ignored),
        FindingKind::HalvesOpen => records.iter().any(|record| has_open_halves(record)),
        FindingKind::PendingUpgradeLost => candidates(records)
            .is_some_and(|(survivor, retired)| upgrade_lost(survivor.level, retired)),
        FindingKind::LastUsedPinRetired => candidates(records)
            .is_some_and(|(survivor, retired)| last_used_retired(survivor.last_used_on, retired)),
        FindingKind::BelowMinimumLevel => below_minimum(&rows.grants, rules),
    }
}

fn names_fit(rows: &PersonRows<'_>) -> bool {
    let Some(letters) = rows.fiscal_code.name_letters() else {
        return true;
    };
    let given_name = rows.person.given_name.unwrap_or_default();
    letters == name_letters::of(rows.person.surname, given_name)
}

fn birth_fits(code: FiscalCode, born: Option<Date>) -> bool {
    match (code.birth(), born) {
        (Some(told), Some(born)) => {
            (
                i16::from(told.year_of_century),
                told.month as i8,
                told.day as i8,
            ) == (born.year() % 100, born.month(), born.day())
        }
        _ => true,
    }
}

/// Under 18: the birthday of the eighteenth year has not come; for those born on 29 February it comes on
/// 1 March of a common year.
pub(super) fn is_minor(born: Date, as_of: Date) -> bool {
    let birthday_to_come = (as_of.month(), as_of.day()) < (born.month(), born.day());
    as_of.year() - born.year() - i16::from(birthday_to_come) < FULL_AGE_YEARS
}

fn has_expired(rows: &PersonRows<'_>, as_of: Date) -> bool {
    rows.pins.iter().any(|pin| {
        pin.disposition == Disposition::Survivor
            && pin.expires_on.is_some_and(|expires_on| expires_on < as_of)
    })
}

/// An active PIN with a half still to be delivered: it counts as delivered, being in use.
pub(super) fn has_open_halves(record: &LegacyRecord<'_>) -> bool {
    record.status == LegacyStatus::Active && record.halves_delivered < 2
}

/// The survivor and the candidates it retires, if there is a survivor.
fn candidates<'r, 'a>(
    records: &'r [&'r LegacyRecord<'a>],
) -> Option<(
    &'r LegacyRecord<'a>,
    impl Iterator<Item = &'r LegacyRecord<'a>>,
)> {
    let mut candidates = records
        .iter()
        .copied()
        .filter(|record| record.status.is_candidate());
    Some((candidates.next()?, candidates))
}

/// Whether a pending PIN that is retired was dispositive, and the one that stays is not.
pub(super) fn upgrade_lost<'r, 'a: 'r>(
    stays: Level,
    mut retired: impl Iterator<Item = &'r LegacyRecord<'a>>,
) -> bool {
    retired.any(|record| record.status == LegacyStatus::Pending && record.level > stays)
}

/// Whether of the PINs a person may have at hand the one used last is not the one that stays.
pub(super) fn last_used_retired<'r, 'a: 'r>(
    stays: Option<Date>,
    mut retired: impl Iterator<Item = &'r LegacyRecord<'a>>,
) -> bool {
    retired.any(|record| record.last_used_on > stays)
}

/// Of the grants that are in force or may yet be; what has ended opens nothing.
pub(super) fn below_minimum(grants: &[GrantRow<'_>], rules: &Rules) -> bool {
    grants.iter().any(|grant| match grant.status {
        GrantStatus::Active | GrantStatus::Suspended | GrantStatus::Pending => rules
            .catalogue
            .find(grant.profile)
            .is_some_and(|profile| grant.level < rules.catalogue.get(profile).minimum_level),
        GrantStatus::Ended => false,
    })
}
