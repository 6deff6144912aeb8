//! What is wrong, or merely odd, with a dirty record.

use super::{
    draft::{Draft, Width},
    noise::Dice,
    person::{Kind, Person, Registry},
    record,
};
use crate::domain::field::Field;

/// A flaw, named after what it leads to: a reason of quarantine, a finding, or neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A cell too few or too many.
    RowMalformed,
    /// No id.
    IdMissing,
    /// A second copy of another record.
    IdenticalCopy,
    /// A second record with the id of another.
    DifferingCopy,
    /// Bytes that are no UTF-8, or a control character.
    EncodingInvalid,
    /// A wrong check character, a wrong length, an impossible day.
    FiscalCodeInvalid,
    /// A code the links discard.
    FiscalCodeDiscarded,
    /// No surname or no given name.
    IdentityMissing,
    /// No date of issue, or a date that is none.
    DateInvalid,
    /// A profile nobody knows.
    ProfileUnknown,
    /// A patronato operator of no patronato.
    EntityMissing,
    /// A status nobody knows.
    StatusUnknown,
    /// A level nobody knows.
    LevelUnknown,
    /// An active PIN without a credential.
    CredentialMissing,
    /// An active PIN hashed in a way nobody accepts.
    CredentialUnsupported,
    /// Three halves.
    HalvesInvalid,
    /// A guardian with an invalid code, or one's own.
    GuardianInvalid,
    /// The code of another record's holder under another name.
    IdentityConflict,
    /// A namesake of another record's holder, told apart by omocodia.
    OmocodiaPair,
    /// A surname that is not in the code.
    NameCodeMismatch,
    /// A birth date that is not in the code.
    BirthDateMismatch,
    /// A minor on their own.
    MinorWithoutGuardian,
    /// An adult with a guardian.
    GuardianOfAdult,
    /// A PIN that expired long ago.
    PinExpired,
    /// A citizen with an entity.
    EntityIgnored,
    /// Active with one half delivered.
    HalvesOpen,
    /// A pending dispositive PIN beside another PIN.
    PendingUpgradeLost,
    /// A labour consultant with an ordinary PIN.
    BelowMinimumLevel,
    /// A code that was replaced by another.
    Renamed,
    /// Spaces, lower case and accents spelled as apostrophes, which all mean nothing.
    Untidy,
}

impl Flaw {
    /// All flaws.
    pub(super) const ALL: &[Self] = &[
        Self::RowMalformed,
        Self::IdMissing,
        Self::IdenticalCopy,
        Self::DifferingCopy,
        Self::EncodingInvalid,
        Self::FiscalCodeInvalid,
        Self::FiscalCodeDiscarded,
        Self::IdentityMissing,
        Self::DateInvalid,
        Self::ProfileUnknown,
        Self::EntityMissing,
        Self::StatusUnknown,
        Self::LevelUnknown,
        Self::CredentialMissing,
        Self::CredentialUnsupported,
        Self::HalvesInvalid,
        Self::GuardianInvalid,
        Self::IdentityConflict,
        Self::OmocodiaPair,
        Self::NameCodeMismatch,
        Self::BirthDateMismatch,
        Self::MinorWithoutGuardian,
        Self::GuardianOfAdult,
        Self::PinExpired,
        Self::EntityIgnored,
        Self::HalvesOpen,
        Self::PendingUpgradeLost,
        Self::BelowMinimumLevel,
        Self::Renamed,
        Self::Untidy,
    ];
}

/// Whose record a flawed record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// Of the person it would be of without the flaw.
    Own,
    /// Of a person of its own, so that the flaw touches nobody else.
    Stranger,
    /// Of the holder of the record beside it.
    Neighbour,
    /// Of somebody with a discarded code.
    Discarded,
    /// Of somebody with a replaced code.
    Renamed,
}

impl Flaw {
    /// Whose record this is.
    pub(super) const fn holder(self) -> Holder {
        match self {
            Self::NameCodeMismatch
            | Self::BirthDateMismatch
            | Self::MinorWithoutGuardian
            | Self::GuardianOfAdult
            | Self::PinExpired
            | Self::EntityIgnored
            | Self::HalvesOpen
            | Self::BelowMinimumLevel => Holder::Stranger,
            Self::IdentityConflict | Self::OmocodiaPair | Self::PendingUpgradeLost => {
                Holder::Neighbour
            }
            Self::FiscalCodeDiscarded => Holder::Discarded,
            Self::Renamed => Holder::Renamed,
            Self::RowMalformed
            | Self::IdMissing
            | Self::IdenticalCopy
            | Self::DifferingCopy
            | Self::EncodingInvalid
            | Self::FiscalCodeInvalid
            | Self::IdentityMissing
            | Self::DateInvalid
            | Self::ProfileUnknown
            | Self::EntityMissing
            | Self::StatusUnknown
            | Self::LevelUnknown
            | Self::CredentialMissing
            | Self::CredentialUnsupported
            | Self::HalvesInvalid
            | Self::GuardianInvalid
            | Self::Untidy => Holder::Own,
        }
    }
}

/// Whom a flaw may need beside the record's own holder.
pub(super) struct Others<'p> {
    /// The holder of the record that stands beside this one.
    pub(super) neighbour: &'p Person,
    /// Holder of a discarded code.
    pub(super) discarded: &'p Person,
    /// Holder of a replaced code, as now or as before.
    pub(super) renamed: &'p Person,
}

impl<'p> Others<'p> {
    /// Who holds the record instead of the holder it would have.
    const fn holder_for(&self, flaw: Flaw) -> Option<&'p Person> {
        match flaw.holder() {
            Holder::Own | Holder::Stranger => None,
            Holder::Neighbour => Some(self.neighbour),
            Holder::Discarded => Some(self.discarded),
            Holder::Renamed => Some(self.renamed),
        }
    }
}

/// Spoils a record. Copies are the caller's, who has the other record.
pub(super) fn apply(
    flaw: Flaw,
    draft: &mut Draft,
    registry: &Registry,
    person: &Person,
    others: &Others<'_>,
    dice: &mut Dice,
) {
    if let Some(holder) = others.holder_for(flaw) {
        record::write_holder(draft, registry, holder, dice);
    }
    for &(field, value) in setting(flaw) {
        draft.set(field, value);
    }
    let values = replacements(flaw);
    if !values.is_empty() {
        let (field, value) = dice.pick(values);
        draft.set(field, value);
    }
    match flaw {
        Flaw::RowMalformed => draft.width = dice.pick(&[Width::Short, Width::Long]),
        Flaw::EncodingInvalid => {
            let bytes = dice.pick(&[b"\xd2A" as &[u8], b"\xc3A", b"\x07A", b"\0A"]);
            draft.cell(Field::Surname).extend_from_slice(bytes);
        }
        Flaw::Untidy => untidy(draft),
        Flaw::FiscalCodeInvalid if dice.percent(50) => {
            draft.set(Field::FiscalCode, person.code.spoilt().as_bytes());
        }
        Flaw::GuardianInvalid => {
            let code = dice.pick(&[person.code, person.code.spoilt()]);
            draft.set(Field::GuardianFiscalCode, code.as_bytes());
        }
        Flaw::OmocodiaPair if others.neighbour.kind != Kind::Company => {
            let code = others.neighbour.code.omocode(1 + dice.below(3));
            draft.set(Field::FiscalCode, code.as_bytes());
        }
        Flaw::IdentityConflict => {
            let other = registry.other_surname(others.neighbour.surname);
            draft.set(Field::Surname, other.text);
        }
        Flaw::NameCodeMismatch => {
            draft.set(Field::Surname, registry.other_surname(person.surname).text);
        }
        Flaw::BirthDateMismatch => {
            draft.set(Field::BirthDate, registry.calendar.before(person.born + 1));
        }
        Flaw::GuardianOfAdult => {
            let guardian = registry.person(Kind::Adult, dice.next() >> 40);
            draft.set(Field::GuardianFiscalCode, guardian.code.as_bytes());
        }
        Flaw::PinExpired => {
            let expired = registry.calendar.before(1 + dice.below(900));
            draft.set(Field::ExpiresOn, expired);
        }
        Flaw::IdMissing
        | Flaw::IdenticalCopy
        | Flaw::DifferingCopy
        | Flaw::FiscalCodeInvalid
        | Flaw::FiscalCodeDiscarded
        | Flaw::IdentityMissing
        | Flaw::DateInvalid
        | Flaw::ProfileUnknown
        | Flaw::EntityMissing
        | Flaw::StatusUnknown
        | Flaw::LevelUnknown
        | Flaw::CredentialMissing
        | Flaw::CredentialUnsupported
        | Flaw::HalvesInvalid
        | Flaw::OmocodiaPair
        | Flaw::MinorWithoutGuardian
        | Flaw::EntityIgnored
        | Flaw::HalvesOpen
        | Flaw::PendingUpgradeLost
        | Flaw::BelowMinimumLevel
        | Flaw::Renamed => {}
    }
}

/// What a flaw presupposes, so that it shows.
fn setting(flaw: Flaw) -> &'static [(Field, &'static str)] {
    match flaw {
        Flaw::EntityMissing => &[(Field::Profile, "PAT")],
        Flaw::CredentialMissing | Flaw::CredentialUnsupported | Flaw::PinExpired => {
            &[(Field::Status, "A"), (Field::HalvesDelivered, "2")]
        }
        Flaw::HalvesOpen => &[(Field::Status, "A"), (Field::HalvesDelivered, "1")],
        Flaw::EntityIgnored => &[(Field::Profile, "CIT"), (Field::Entity, "00042")],
        Flaw::BelowMinimumLevel => &[(Field::Profile, "CDL"), (Field::Level, "ORD")],
        Flaw::MinorWithoutGuardian => &[(Field::GuardianFiscalCode, "")],
        Flaw::PendingUpgradeLost => &[
            (Field::Status, "P"),
            (Field::Level, "DISP"),
            (Field::LastUsedOn, ""),
            (Field::HalvesDelivered, "1"),
        ],
        Flaw::RowMalformed
        | Flaw::IdMissing
        | Flaw::IdenticalCopy
        | Flaw::DifferingCopy
        | Flaw::EncodingInvalid
        | Flaw::FiscalCodeInvalid
        | Flaw::FiscalCodeDiscarded
        | Flaw::IdentityMissing
        | Flaw::DateInvalid
        | Flaw::ProfileUnknown
        | Flaw::StatusUnknown
        | Flaw::LevelUnknown
        | Flaw::HalvesInvalid
        | Flaw::GuardianInvalid
        | Flaw::IdentityConflict
        | Flaw::OmocodiaPair
        | Flaw::NameCodeMismatch
        | Flaw::BirthDateMismatch
        | Flaw::GuardianOfAdult
        | Flaw::Renamed
        | Flaw::Untidy => &[],
    }
}

/// The wrong values a flaw may put into a cell.
fn replacements(flaw: Flaw) -> &'static [(Field, &'static str)] {
    match flaw {
        Flaw::IdMissing => &[(Field::LegacyId, ""), (Field::LegacyId, "   ")],
        Flaw::FiscalCodeInvalid => &[
            (Field::FiscalCode, ""),
            (Field::FiscalCode, "RSSMRA80"),
            (Field::FiscalCode, "RSSMRA80A00H501T"),
        ],
        Flaw::IdentityMissing => &[(Field::Surname, ""), (Field::Surname, " ")],
        Flaw::DateInvalid => &[
            (Field::IssuedOn, ""),
            (Field::IssuedOn, "31/12/2012"),
            (Field::LastUsedOn, "2013-02-30"),
            (Field::BirthDate, "1980-00-00"),
        ],
        Flaw::ProfileUnknown => &[(Field::Profile, "XYZ"), (Field::Profile, "")],
        Flaw::EntityMissing => &[(Field::Entity, ""), (Field::Entity, "  ")],
        Flaw::StatusUnknown => &[(Field::Status, "X"), (Field::Status, "")],
        Flaw::LevelUnknown => &[(Field::Level, "SUPER"), (Field::Level, "")],
        Flaw::CredentialMissing => &[(Field::Credential, "")],
        Flaw::CredentialUnsupported => &[
            (Field::CredentialScheme, "ROT13"),
            (Field::CredentialScheme, ""),
        ],
        Flaw::HalvesInvalid => &[
            (Field::HalvesDelivered, "3"),
            (Field::HalvesDelivered, "x"),
            (Field::HalvesDelivered, "-1"),
        ],
        Flaw::RowMalformed
        | Flaw::IdenticalCopy
        | Flaw::DifferingCopy
        | Flaw::EncodingInvalid
        | Flaw::FiscalCodeDiscarded
        | Flaw::GuardianInvalid
        | Flaw::IdentityConflict
        | Flaw::OmocodiaPair
        | Flaw::NameCodeMismatch
        | Flaw::BirthDateMismatch
        | Flaw::MinorWithoutGuardian
        | Flaw::GuardianOfAdult
        | Flaw::PinExpired
        | Flaw::EntityIgnored
        | Flaw::HalvesOpen
        | Flaw::PendingUpgradeLost
        | Flaw::BelowMinimumLevel
        | Flaw::Renamed
        | Flaw::Untidy => &[],
    }
}

/// Another spelling of the same record.
fn untidy(draft: &mut Draft) {
    draft.cell(Field::FiscalCode).make_ascii_lowercase();
    draft.cell(Field::Profile).make_ascii_lowercase();
    draft.cell(Field::Surname).make_ascii_uppercase();
    draft.cell(Field::Surname).insert(0, b' ');
    let no_break_space = "\u{a0}".as_bytes();
    draft
        .cell(Field::GivenName)
        .extend_from_slice(no_break_space);
    draft.cell(Field::IssuedOn).extend_from_slice(b"T08:30:00");
    draft.cell(Field::Level).push(b'\t');
}
