//! The rules of the counter, beyond those a request has in common with a legacy record: each with the reason it
//! refuses for, in the order in which they are looked at.

use jiff::Timestamp;

use super::{
    channel::{self, Channel},
    credential,
    grounds::Grounds,
    kind::{Kind, Requester},
    refusal::{Refusal, RequestMistake as Mistake},
};
use crate::domain::{
    field::Field, findings::is_minor, fiscal_code::FiscalCode, legacy_record::LegacyRecord,
    normalise::trimmed, quarantine::Reason, raw_record::RawRecord,
};

/// The document by which a guardian declares to be one.
pub(super) const GUARDIAN_DECLARATION: &str = "GUARDIAN_DECLARATION";

/// A request, as its rules look at it.
pub(super) struct Case<'c> {
    pub(super) kind: Kind,
    pub(super) requester: Requester,
    pub(super) accepted_at: Timestamp,
    /// The database's time.
    pub(super) now: Timestamp,
    pub(super) mandate: &'c str,
    /// Codes of the documents presented, upper case.
    pub(super) documents: Vec<String>,
    pub(super) raw: &'c RawRecord<'c>,
    pub(super) grounds: &'c Grounds,
}

/// What a rule says against a request; names columns, never their values.
type Against = Option<String>;

/// A rule for every request.
type Rule = fn(&Case<'_>) -> Against;

/// A rule for requests that give rights.
type GivingRule = fn(&Case<'_>, &LegacyRecord<'_>) -> Against;

/// Rules for every request.
const OF_ALL: [(Mistake, Rule); 3] = [
    (Mistake::CredentialUnexpected, credential_unexpected),
    (Mistake::AcceptedInFuture, accepted_in_future),
    (Mistake::AcceptedTooLongAgo, accepted_too_long_ago),
];

/// Rules for requests that give rights.
const OF_GIVING: [(Mistake, GivingRule); 13] = [
    (Mistake::OfficeUnknown, office_unknown),
    (Mistake::CredentialNotHashed, credential_not_hashed),
    (Mistake::ChannelUnknown, channel_unknown),
    (Mistake::LevelAboveChannel, level_above_channel),
    (Mistake::RelativeWithoutMandate, relative_without_mandate),
    (Mistake::MandateMissing, mandate_missing),
    (Mistake::ProxiesNotAccepted, proxies_not_accepted),
    (Mistake::GuardianMustAsk, guardian_must_ask),
    (Mistake::GuardianNotShown, guardian_not_shown),
    (Mistake::ContactMissing, contact_missing),
    (Mistake::ContactCertified, contact_certified),
    (Mistake::DocumentsMissing, documents_missing),
    (Mistake::DocumentsMissing, declaration_missing),
];

/// The first rule for every request that this one breaks.
pub(super) fn broken(case: &Case<'_>) -> Option<(Refusal, String)> {
    OF_ALL
        .iter()
        .find_map(|(mistake, rule)| Some((Refusal::Request(*mistake), rule(case)?)))
}

/// The first rule for requests that give rights that this one breaks.
pub(super) fn broken_by_giving(
    case: &Case<'_>,
    record: &LegacyRecord<'_>,
) -> Option<(Refusal, String)> {
    let of_giving = || {
        OF_GIVING
            .iter()
            .find_map(|(mistake, rule)| Some((Refusal::Request(*mistake), rule(case, record)?)))
    };
    born_later(record)
        .map(|why| (Refusal::Record(Reason::DateInvalid), why))
        .or_else(of_giving)
        .or_else(|| broken(case))
}

/// A revocation is taken from anywhere.
fn office_unknown(case: &Case<'_>, _record: &LegacyRecord<'_>) -> Against {
    let office = trimmed(case.raw.get(Field::Office));
    case.grounds.office_problem(office).map(str::to_owned)
}

fn credential_unexpected(case: &Case<'_>) -> Against {
    let is_given = !trimmed(case.raw.get(Field::Credential)).is_empty();
    (is_given && case.kind == Kind::FurtherProfile)
        .then(|| format!("a {} brings no PIN; leave credential empty", case.kind))
}

fn accepted_in_future(case: &Case<'_>) -> Against {
    (case.accepted_at > case.now).then(|| "accepted_at lies in the future".to_owned())
}

fn accepted_too_long_ago(case: &Case<'_>) -> Against {
    // What was revoked stays so, however late it is told.
    let days = (case.grounds.policy.accepted_within_days).filter(|_| !case.kind.takes_away())?;
    let age = case.now.duration_since(case.accepted_at);
    (age > jiff::SignedDuration::from_hours(24 * i64::from(days))).then(|| {
        format!(
            "accepted_at lies more than {days} days in the past (activation.accepted_within_days)"
        )
    })
}

fn credential_not_hashed(case: &Case<'_>, record: &LegacyRecord<'_>) -> Against {
    let scheme = record.credential_scheme.as_deref().unwrap_or_default();
    let is_hash = credential::has_shape_of(scheme, record.credential.unwrap_or_default());
    (case.kind.brings_pin() && !is_hash)
        .then(|| format!("credential has not the form of a {scheme} hash"))
}

/// Where none is named, the office answers for level and contact.
fn channel_unknown(_case: &Case<'_>, record: &LegacyRecord<'_>) -> Against {
    let channel = record.channel.as_deref()?;
    Channel::of(channel)
        .is_none()
        .then(|| "channel is none of SED, UFF, WEB, TEL".to_owned())
}

fn level_above_channel(_case: &Case<'_>, record: &LegacyRecord<'_>) -> Against {
    let channel = record.channel.as_deref().unwrap_or_default();
    let gives = Channel::of(channel)?.level();
    (record.level > gives).then(|| {
        format!(
            "channel {channel} gives {gives} PINs, level is {}",
            record.level
        )
    })
}

fn relative_without_mandate(case: &Case<'_>, _record: &LegacyRecord<'_>) -> Against {
    (case.requester == Requester::Relative && case.mandate.is_empty())
        .then(|| "a relative may ask as a proxy, with a mandate".to_owned())
}

fn mandate_missing(case: &Case<'_>, _record: &LegacyRecord<'_>) -> Against {
    (case.requester == Requester::Proxy && case.mandate.is_empty())
        .then(|| "mandate, the reference of the proxy's mandate, is empty".to_owned())
}

fn proxies_not_accepted(case: &Case<'_>, _record: &LegacyRecord<'_>) -> Against {
    let by_proxy = matches!(case.requester, Requester::Proxy | Requester::Relative);
    (by_proxy && !case.grounds.policy.proxies)
        .then(|| "activation.proxies is false: the holder has to ask".to_owned())
}

/// Where no date of birth is given, or another than the code's, the code may be that of a minor or of somebody a
/// hundred years older.
fn guardian_must_ask(case: &Case<'_>, record: &LegacyRecord<'_>) -> Against {
    if case.requester == Requester::Guardian {
        return None;
    }
    if record.guardian.is_some() {
        return Some("guardian_fiscal_code is given, and the guardian did not ask".to_owned());
    }
    let fits = |born: &jiff::civil::Date| {
        record.fiscal_code.birth().is_none_or(|told| {
            let year = i16::from(told.year_of_century);
            (born.year() % 100, born.month(), born.day())
                == (year, told.month.cast_signed(), told.day.cast_signed())
        })
    };
    match record.birth_date {
        Some(born) if is_minor(born, record.issued_on) => {
            Some("the holder is a minor; the guardian has to ask".to_owned())
        }
        Some(born) if fits(&born) => None,
        _unsure => may_be_minor(record.fiscal_code, record).then(|| {
            "the holder may be a minor by the code: give the birth_date that fits it, or let the guardian ask"
                .to_owned()
        }),
    }
}

fn may_be_minor(code: FiscalCode, record: &LegacyRecord<'_>) -> bool {
    let Some(told) = code.birth() else {
        return false;
    };
    let century = record.issued_on.year() / 100 * 100;
    let year = century + i16::from(told.year_of_century);
    let born = jiff::civil::Date::new(year, told.month.cast_signed(), told.day.cast_signed());
    born.is_ok_and(|born| born <= record.issued_on && is_minor(born, record.issued_on))
}

fn guardian_not_shown(case: &Case<'_>, record: &LegacyRecord<'_>) -> Against {
    (case.requester == Requester::Guardian && record.guardian.is_none())
        .then(|| "guardian_fiscal_code is empty".to_owned())
}

fn contact_missing(case: &Case<'_>, record: &LegacyRecord<'_>) -> Against {
    let channel = record.channel.as_deref().unwrap_or_default();
    let missing = match Channel::of(channel)? {
        Channel::Counter => return None,
        Channel::Web => {
            let is_address = record.email.is_some_and(channel::is_address);
            (!is_address).then_some("an e-mail address in email")
        }
        Channel::Telephone => record.phone.is_none().then_some("phone"),
    };
    missing
        .filter(|_| case.kind.brings_pin())
        .map(|contact| format!("channel {channel} needs {contact}"))
}

fn contact_certified(case: &Case<'_>, record: &LegacyRecord<'_>) -> Against {
    let is_web = Channel::of(record.channel.as_deref().unwrap_or_default()) == Some(Channel::Web);
    let domains = &case.grounds.policy.certified_domains;
    let is_certified = (record.email).is_some_and(|email| channel::is_certified(email, domains));
    (is_web && case.kind.brings_pin() && is_certified)
        .then(|| "email is a certified mailbox (PEC); an ordinary one is needed".to_owned())
}

fn documents_missing(case: &Case<'_>, record: &LegacyRecord<'_>) -> Against {
    let profile = case.grounds.rules.catalogue.get(record.profile);
    let required = profile.documents.iter().map(String::as_str);
    let missing: Vec<&str> = required.filter(|code| !is_presented(case, code)).collect();
    (!missing.is_empty())
        .then(|| format!("profile {} requires {}", profile.code, missing.join(", ")))
}

fn declaration_missing(case: &Case<'_>, _record: &LegacyRecord<'_>) -> Against {
    (case.requester == Requester::Guardian && !is_presented(case, GUARDIAN_DECLARATION))
        .then(|| format!("a guardian presents {GUARDIAN_DECLARATION}"))
}

fn is_presented(case: &Case<'_>, required: &str) -> bool {
    (case.documents.iter()).any(|code| code.eq_ignore_ascii_case(required))
}

fn born_later(record: &LegacyRecord<'_>) -> Against {
    (record
        .birth_date
        .is_some_and(|birth| birth > record.issued_on))
    .then(|| "birth_date lies after accepted_at".to_owned())
}
