//! From what was read to a legacy record, or to the first reason why not.

use std::borrow::Cow;

use jiff::civil::Date;

use super::{
    catalogue::EntityRule,
    date,
    field::Field,
    fiscal_code::FiscalCode,
    legacy_record::LegacyRecord,
    links::UnusableCode,
    normalise::{self, has_control, optional, optional_code, trimmed},
    quarantine::Reason,
    raw_record::{RawRecord, Shape},
    record_id,
    rules::{ProfileIndex, Rules, SourceRules},
    status::LegacyStatus,
};

/// Why a record cannot be migrated on account of its own fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The first reason that applies.
    pub reason: Reason,
    /// What is wrong with which field, never its value.
    pub detail: Cow<'static, str>,
}

impl Rejection {
    pub(super) fn of(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// Parses a record; whether its id is unique was settled before.
///
/// # Errors
/// The first reason that applies, in the order of [`Reason`].
pub fn parse<'a>(raw: &RawRecord<'a>, rules: &'a Rules) -> Result<LegacyRecord<'a>, Rejection> {
    let source = rules.source(raw.source);
    let legacy_id = own_id(raw)?;
    check_characters(raw)?;
    let fiscal_code = holder(raw, rules)?;
    let (surname, given_name) = identity(raw, fiscal_code)?;
    let dates = Dates::of(raw)?;
    let profile = profile(raw, rules)?;
    let entity = entity(raw, rules.catalogue.get(profile).entity)?;
    let (status, level) = codes(raw, source)?;
    check_credential(raw, status, rules)?;
    let halves_delivered = halves(raw, status)?;
    let guardian = guardian(raw, fiscal_code, rules)?;
    Ok(LegacyRecord {
        source: raw.source,
        legacy_id,
        fiscal_code,
        written_code: normalise::code(raw.get(Field::FiscalCode)),
        surname,
        given_name,
        birth_date: dates.birth,
        profile,
        entity_ignored: entity.ignored,
        entity: entity.granted,
        status,
        level,
        credential: optional(raw, Field::Credential),
        credential_scheme: optional_code(raw, Field::CredentialScheme),
        credential_salt: optional(raw, Field::CredentialSalt),
        issued_on: dates.issued,
        expires_on: dates.expires,
        last_used_on: dates.last_used,
        office: optional(raw, Field::Office),
        channel: optional_code(raw, Field::Channel),
        halves_delivered,
        email: optional(raw, Field::Email),
        phone: optional(raw, Field::Phone),
        guardian,
    })
}

/// Whose right is meant, and which; no profile where all are.
pub(super) struct Meant<'a> {
    pub(super) fiscal_code: FiscalCode,
    pub(super) birth_date: Option<Date>,
    pub(super) profile: Option<(ProfileIndex, Cow<'a, str>)>,
}

/// Parses the part of a record that names somebody's right. Who he is need not be said, and no date is compared, so
/// that none is wrong.
///
/// # Errors
/// The first reason that applies, in the order of [`Reason`].
pub(super) fn parse_meant<'a>(raw: &RawRecord<'a>, rules: &Rules) -> Result<Meant<'a>, Rejection> {
    check_characters(raw)?;
    let fiscal_code = holder(raw, rules)?;
    let birth_date = optional(raw, Field::BirthDate).and_then(date::parse);
    let has_none = optional(raw, Field::Profile).is_none();
    let profile = match (has_none, optional(raw, Field::Entity)) {
        (true, None) => None,
        _ => {
            let profile = profile(raw, rules)?;
            let entity = entity(raw, rules.catalogue.get(profile).entity)?;
            Some((profile, entity.granted))
        }
    };
    Ok(Meant {
        fiscal_code,
        birth_date,
        profile,
    })
}

/// Whether the record has no place among records with ids, whatever else it says.
pub(super) fn own_id<'a>(raw: &RawRecord<'a>) -> Result<&'a str, Rejection> {
    if raw.shape == Shape::Malformed {
        let detail = "the row has a wrong number of fields";
        return Err(Rejection::of(Reason::RowMalformed, detail));
    }
    record_id::given(raw).ok_or_else(|| {
        let detail = match trimmed(raw.get(Field::LegacyId)) {
            "" => "legacy_id is empty",
            _ => "legacy_id begins with @, which is reserved",
        };
        Rejection::of(Reason::IdMissing, detail)
    })
}

fn check_characters(raw: &RawRecord<'_>) -> Result<(), Rejection> {
    if raw.clean && raw.invalid == 0 {
        return Ok(());
    }
    for field in Field::ALL {
        let problem = if !raw.is_valid(field) {
            "is not valid in the declared encoding"
        } else if has_control(raw.get(field)) {
            "holds a control character"
        } else {
            continue;
        };
        let detail = format!("{} {problem}", field.name());
        return Err(Rejection::of(Reason::EncodingInvalid, detail));
    }
    Ok(())
}

fn holder(raw: &RawRecord<'_>, rules: &Rules) -> Result<FiscalCode, Rejection> {
    let written = raw.get(Field::FiscalCode);
    rules
        .links
        .current_code(written)
        .map_err(|error| match error {
            UnusableCode::Invalid(_) if trimmed(written).is_empty() => {
                Rejection::of(Reason::FiscalCodeInvalid, "fiscal_code is empty")
            }
            UnusableCode::Invalid(problem) => {
                Rejection::of(Reason::FiscalCodeInvalid, format!("fiscal_code: {problem}"))
            }
            UnusableCode::Discarded => Rejection::of(
                Reason::FiscalCodeDiscarded,
                "fiscal_code: the links file discards it",
            ),
        })
}

fn identity<'a>(
    raw: &RawRecord<'a>,
    code: FiscalCode,
) -> Result<(&'a str, Option<&'a str>), Rejection> {
    let missing = |detail| Rejection::of(Reason::IdentityMissing, detail);
    let surname = optional(raw, Field::Surname).ok_or_else(|| missing("surname is empty"))?;
    let given_name = optional(raw, Field::GivenName);
    if given_name.is_none() && !code.is_numeric() {
        return Err(missing("given_name is empty"));
    }
    Ok((surname, given_name))
}

struct Dates {
    birth: Option<Date>,
    issued: Date,
    expires: Option<Date>,
    last_used: Option<Date>,
}

impl Dates {
    fn of(raw: &RawRecord<'_>) -> Result<Self, Rejection> {
        let invalid = |field: Field, problem: &str| {
            let detail = format!("{} {problem}", field.name());
            Rejection::of(Reason::DateInvalid, detail)
        };
        let optional_date = |field| match optional(raw, field) {
            None => Ok(None),
            Some(text) => match date::parse(text) {
                Some(date) => Ok(Some(date)),
                None => Err(invalid(field, "is not an ISO date")),
            },
        };
        let birth = optional_date(Field::BirthDate)?;
        let issued =
            optional_date(Field::IssuedOn)?.ok_or_else(|| invalid(Field::IssuedOn, "is empty"))?;
        Ok(Self {
            birth,
            issued,
            expires: optional_date(Field::ExpiresOn)?,
            last_used: optional_date(Field::LastUsedOn)?,
        })
    }
}

pub(super) fn profile(raw: &RawRecord<'_>, rules: &Rules) -> Result<ProfileIndex, Rejection> {
    let code = normalise::code(raw.get(Field::Profile));
    rules.catalogue.find(&code).ok_or_else(|| {
        let detail = match &*code {
            "" => "profile is empty",
            _ => "profile is not in the catalogue",
        };
        Rejection::of(Reason::ProfileUnknown, detail)
    })
}

pub(super) struct Entity<'a> {
    pub(super) granted: Cow<'a, str>,
    ignored: bool,
}

pub(super) fn entity<'a>(raw: &RawRecord<'a>, rule: EntityRule) -> Result<Entity<'a>, Rejection> {
    let given = normalise::code(raw.get(Field::Entity));
    match rule {
        EntityRule::Required if given.is_empty() => Err(Rejection::of(
            Reason::EntityMissing,
            "entity is empty and the profile requires one",
        )),
        EntityRule::Required | EntityRule::Optional => Ok(Entity {
            granted: given,
            ignored: false,
        }),
        EntityRule::None => Ok(Entity {
            granted: Cow::Borrowed(""),
            ignored: !given.is_empty(),
        }),
    }
}

fn codes(
    raw: &RawRecord<'_>,
    source: &SourceRules,
) -> Result<(LegacyStatus, super::status::Level), Rejection> {
    let status = normalise::code(raw.get(Field::Status));
    let level = normalise::code(raw.get(Field::Level));
    let status = source.status_codes.get(&*status).ok_or_else(|| {
        let detail = "status is no code of this source";
        Rejection::of(Reason::StatusUnknown, detail)
    })?;
    let level = source.level_codes.get(&*level).ok_or_else(|| {
        let detail = "level is no code of this source";
        Rejection::of(Reason::LevelUnknown, detail)
    })?;
    Ok((*status, *level))
}

fn check_credential(
    raw: &RawRecord<'_>,
    status: LegacyStatus,
    rules: &Rules,
) -> Result<(), Rejection> {
    if !status.is_candidate() {
        return Ok(());
    }
    if optional(raw, Field::Credential).is_none() {
        let detail = "credential is empty";
        return Err(Rejection::of(Reason::CredentialMissing, detail));
    }
    let scheme = normalise::code(raw.get(Field::CredentialScheme));
    if scheme.is_empty() || !rules.schemes.contains(&*scheme) {
        let detail = match &*scheme {
            "" => "credential_scheme is empty",
            _ => "credential_scheme is not among the accepted ones",
        };
        return Err(Rejection::of(Reason::CredentialUnsupported, detail));
    }
    Ok(())
}

/// An empty field means both halves, or one for a PIN that was never usable yet.
fn halves(raw: &RawRecord<'_>, status: LegacyStatus) -> Result<u8, Rejection> {
    match (trimmed(raw.get(Field::HalvesDelivered)), status) {
        ("0", _) => Ok(0),
        ("1", _) | ("", LegacyStatus::Pending) => Ok(1),
        ("2" | "", _) => Ok(2),
        _ => Err(Rejection::of(
            Reason::HalvesInvalid,
            "halves_delivered is none of 0, 1, 2",
        )),
    }
}

fn guardian(
    raw: &RawRecord<'_>,
    holder: FiscalCode,
    rules: &Rules,
) -> Result<Option<FiscalCode>, Rejection> {
    let Some(written) = optional(raw, Field::GuardianFiscalCode) else {
        return Ok(None);
    };
    let invalid = |problem: &dyn std::fmt::Display| {
        let detail = format!("guardian_fiscal_code: {problem}");
        Rejection::of(Reason::GuardianInvalid, detail)
    };
    match rules.links.current_code(written) {
        Err(problem) => Err(invalid(&problem)),
        Ok(code) if code == holder => Err(invalid(&"it is the holder's own")),
        Ok(code) => Ok(Some(code)),
    }
}
