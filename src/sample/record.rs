//! A legacy record without any flaw.

use super::{
    calendar::Calendar,
    code::put_digits,
    draft::Draft,
    noise::Dice,
    person::{Kind, Person, Registry},
};
use crate::domain::field::Field;

/// Which of how many PINs of a person a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// The person's number.
    pub(super) person: u64,
    /// The PIN's number, from 0.
    pub(super) pin: usize,
}

/// Records are made in blocks of so many, in which whole people stand.
const BLOCK: u64 = 16;
/// How many PINs each person of a block has.
const PATTERNS: [&[u8]; 4] = [
    &[1, 1, 2, 1, 3, 1, 1, 1, 4, 1],
    &[1, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2],
    &[2, 1, 1, 3, 1, 1, 1, 2, 1, 1, 1, 1],
    &[1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1],
];

/// Whose PIN the record with this number is.
pub(super) fn slot(seed: u64, record: u64) -> Slot {
    let block = record / BLOCK;
    let mut first = block * BLOCK;
    let pattern = Dice::new(seed, 3, block).pick(&PATTERNS);
    for &pins in pattern {
        let next = first + u64::from(pins);
        if record < next {
            return Slot {
                person: first,
                pin: (record - first) as usize,
            };
        }
        first = next;
    }
    unreachable!("every pattern fills a block");
}

/// The profiles beside that of the citizen, and how their entities are called.
pub(super) const PROFILES: [(&str, &str, EntityUse); 9] = [
    ("CDL", "STU", EntityUse::Sometimes),
    ("PAT", "PAT", EntityUse::Always),
    ("CAF", "CAF", EntityUse::Always),
    ("AVV", "STU", EntityUse::Sometimes),
    ("COM", "STU", EntityUse::Sometimes),
    ("AZI", "AZI", EntityUse::Always),
    ("MED", "ASL", EntityUse::Sometimes),
    ("ENT", "ENT", EntityUse::Always),
    ("DIP", "UFF", EntityUse::Always),
];

/// Whether a profile is exercised for an entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntityUse {
    /// By every record.
    Always,
    /// By some.
    Sometimes,
}

/// Writes the record: the PIN number `pin` of this person.
pub(super) fn write(
    draft: &mut Draft,
    registry: &Registry,
    person: &Person,
    pin: usize,
    mut dice: Dice,
) {
    write_holder(draft, registry, person, &mut dice);
    write_profile(draft, person, pin, &mut dice);
    write_credential(draft, &mut dice);
    write_life(draft, &registry.calendar, person, pin, &mut dice);
}

/// Writes who holds the PIN.
pub(super) fn write_holder(
    draft: &mut Draft,
    registry: &Registry,
    person: &Person,
    dice: &mut Dice,
) {
    draft.set(Field::FiscalCode, person.code.as_bytes());
    draft.set(Field::Surname, person.surname.text);
    draft.set(Field::GivenName, person.given_name.text);
    draft.set(Field::BirthDate, registry.calendar.before(person.born));
    draft.set(Field::GuardianFiscalCode, "");
    match person.kind {
        Kind::Adult => {}
        Kind::Minor => {
            let guardian = registry.person(Kind::Adult, dice.next() >> 40);
            draft.set(Field::GuardianFiscalCode, guardian.code.as_bytes());
        }
        Kind::Company => {
            draft
                .cell(Field::Surname)
                .extend_from_slice(b" Costruzioni S.r.l.");
            draft.set(Field::GivenName, "");
            draft.set(Field::BirthDate, "");
        }
    }
    draft.set(Field::Email, "");
    if dice.percent(60) {
        let email = draft.cell(Field::Email);
        digits(email, &person.given_name.letters, 4, dice.next());
        email.extend_from_slice(&person.surname.letters);
        email.make_ascii_lowercase();
        email.extend_from_slice(b"@example.org");
    }
    draft.set(Field::Phone, "");
    if dice.percent(50) {
        digits(draft.cell(Field::Phone), b"3", 9, dice.next());
    }
}

fn write_profile(draft: &mut Draft, person: &Person, pin: usize, dice: &mut Dice) {
    let citizen = match person.kind {
        Kind::Adult => pin == 0 && dice.percent(85),
        Kind::Minor => true,
        Kind::Company => false,
    };
    if citizen {
        draft.set(Field::Profile, "CIT");
        return;
    }
    let (profile, entity, uses) = match person.kind {
        Kind::Company => PROFILES[5],
        Kind::Adult | Kind::Minor => dice.pick(&PROFILES),
    };
    draft.set(Field::Profile, profile);
    if uses == EntityUse::Always || dice.percent(30) {
        digits(draft.cell(Field::Entity), entity.as_bytes(), 5, dice.next());
    }
}

fn write_credential(draft: &mut Draft, dice: &mut Dice) {
    let cell = draft.cell(Field::Credential);
    for _ in 0..4 {
        let mut rest = dice.next();
        for _ in 0..16 {
            cell.push(b"0123456789abcdef"[(rest & 15) as usize]);
            rest >>= 4;
        }
    }
    draft.set(Field::CredentialScheme, "SHA256");
}

/// Writes status, level, dates and where the PIN was issued.
fn write_life(
    draft: &mut Draft,
    calendar: &Calendar,
    person: &Person,
    pin: usize,
    dice: &mut Dice,
) {
    let status = match dice.below(100) {
        // A guardian stands only for PINs that are not over.
        _ if person.kind == Kind::Minor => "A",
        0..80 => "A",
        80..84 => "S",
        84..88 => "P",
        88..95 => "R",
        _ => "C",
    };
    draft.set(Field::Status, status);
    draft.set(Field::Level, if dice.percent(40) { "DISP" } else { "ORD" });
    let issued = 1 + dice.below(3_000);
    draft.set(Field::IssuedOn, calendar.before(issued));
    if dice.percent(50) {
        draft.set(Field::ExpiresOn, calendar.after(1 + dice.below(400)));
    }
    if status != "P" && dice.percent(85) {
        // The first PIN is the one most used.
        let used = if pin == 0 { issued / 8 } else { issued };
        draft.set(Field::LastUsedOn, calendar.before(dice.below(used + 1)));
    }
    let halves = match status {
        "P" => dice.pick(&["0", "1", ""]),
        _ => "2",
    };
    draft.set(Field::HalvesDelivered, halves);
    digits(draft.cell(Field::Office), b"", 4, dice.next());
    let channel = dice.pick(&["WEB", "TEL", "SED", "UFF"]);
    draft.set(Field::Channel, channel);
}

/// Appends a prefix and so many digits.
fn digits(cell: &mut Vec<u8>, prefix: &[u8], count: usize, number: u64) {
    cell.extend_from_slice(prefix);
    let start = cell.len();
    cell.resize(start + count, b'0');
    put_digits(&mut cell[start..], number);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_fills_a_block() {
        for pattern in PATTERNS {
            assert_eq!(
                pattern.iter().map(|&pins| u64::from(pins)).sum::<u64>(),
                BLOCK
            );
        }
    }
}
