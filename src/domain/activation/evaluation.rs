//! Accepts or refuses a request.
//!
//! All that a request has in common with a legacy record is judged by the very rules for records, so that
//! nobody enters the model by the counter whom the migration would quarantine.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::{
    applied,
    channel::Channel,
    column::Column,
    counter_rules::{self, Case},
    credential,
    fingerprint::{self, could_be_a_pin},
    grounds::{Doubt, Grounds, to_millisecond},
    kind::{Kind, Requester},
    legible,
    receipt::{self, Receipt},
    refusal::Refusal,
    request::{Ask, Fields},
    submission::{Applicant, Origin, Submission, Verdict},
};
use crate::domain::{
    field::{FIELDS, Field},
    fiscal_code::FiscalCode,
    legacy_record::LegacyRecord,
    normalise::{code, trimmed},
    parse::{Rejection, parse, parse_meant},
    quarantine::Reason,
    raw_record::{RawRecord, Shape, SourceIndex},
};

/// What stands for the kind where the line is a receipt.
pub const RECEIPT: &str = "receipt";

/// No request was accepted before this: 1900-01-01T00:00:00Z.
pub const EARLIEST: Timestamp = Timestamp::constant(-2_208_988_800, 0);

/// How far in the future the time of what takes rights away may lie: it is taken as that of its coming in. Clocks that
/// nobody set back in October are an hour fast.
pub const FAST_CLOCK: SignedDuration = SignedDuration::from_hours(2);

/// Longest code of an office that may stand beside a PIN whose hash is missing.
const OFFICE_CODE_BYTES: usize = 6;

/// Longest id of a request.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// A line that is no request at all: the file is wrong, not the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The column that is wrong.
    pub column: Column,
    /// What is wrong with it, never its value.
    pub problem: &'static str,
}

/// What a line of a file of requests is.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A request, evaluated.
    Request(Box<Submission>),
    /// A receipt.
    Receipt(Box<Receipt>),
    /// One with a time in the future, by its id: it is refused, and nothing is kept of it.
    EarlyReceipt(String),
}

/// Evaluates a line of a file of requests; `now` is the database's time.
///
/// # Errors
/// [`Unusable`] where the line is no request.
pub fn evaluate(fields: &Fields<'_>, grounds: &Grounds, now: Timestamp) -> Result<Entry, Unusable> {
    let request_id = request_id(fields)?;
    let kind = kind(fields)?;
    let takes_away = kind.is_some_and(Kind::takes_away);
    let doubt = if takes_away {
        Doubt::Later
    } else {
        Doubt::Earlier
    };
    let accepted_at = grounds
        .moment(fields.get(Column::AcceptedAt), doubt)
        .ok_or(Unusable {
            column: Column::AcceptedAt,
            problem: "is no date and time such as 2013-11-04T10:15",
        })?;
    if accepted_at <= EARLIEST {
        return Err(Unusable {
            column: Column::AcceptedAt,
            problem: "lies before the year 1900",
        });
    }
    let Some(kind) = kind else {
        let receipt = receipt::read(request_id, accepted_at, fields)?;
        return Ok(if accepted_at > now {
            Entry::EarlyReceipt(request_id.to_owned())
        } else {
            Entry::Receipt(Box::new(receipt))
        });
    };
    // A clock that is fast keeps nobody's right open.
    let is_near = accepted_at.duration_since(now) <= FAST_CLOCK;
    let accepted_at = match to_millisecond(now) {
        Some(now) if takes_away && is_near => accepted_at.min(now),
        _any_other => accepted_at,
    };
    let requester = requester(fields)?;
    let issued_on = grounds.local_date(accepted_at).to_string();
    let raw = record(fields, kind, &issued_on, grounds.activation_source());
    let mut case = Case {
        kind,
        requester,
        accepted_at,
        now,
        mandate: fields.get(Column::Mandate),
        documents: documents(fields),
        raw: &raw,
        grounds,
    };
    let verdict = match legible::problem(fields) {
        Some((refusal, detail)) => refused(refusal, detail, &raw, grounds),
        None => verdict(request_id, fields, &case),
    };
    let (mut payload, mut otherwise) = (
        fingerprint::whole(fields, Some(kind)),
        fingerprint::outline(fields),
    );
    if matches!(verdict, Verdict::Refused { .. }) {
        case.documents.clear();
        std::mem::swap(&mut payload, &mut otherwise);
    }
    Ok(Entry::Request(Box::new(Submission {
        request_id: request_id.to_owned(),
        origin: Origin::Intake,
        kind,
        accepted_at,
        not_before: if kind.takes_away() {
            accepted_at
        } else {
            (grounds.schedule).not_before(accepted_at, fields.get(Column::Office))
        },
        payload,
        otherwise: Some(otherwise),
        verdict,
        documents: case.documents,
    })))
}

fn verdict(request_id: &str, fields: &Fields<'_>, case: &Case<'_>) -> Verdict {
    let ask: fn(&LegacyRecord<'_>) -> Ask = match case.kind {
        Kind::NewPin => |record| Ask::NewPin(applied::pin(record)),
        Kind::Replacement => |record| Ask::Replacement(applied::pin(record)),
        Kind::FurtherProfile => |record| Ask::FurtherProfile(record.level),
        Kind::Revocation => return takes_away(request_id, fields, case, Ask::Revocation),
        Kind::Suspension => return takes_away(request_id, fields, case, Ask::Suspension),
    };
    let raw = case.raw;
    match parse(raw, &case.grounds.rules) {
        Err(rejection) => refused_record(said(rejection, fields), raw, case.grounds),
        Ok(record) => match counter_rules::broken_by_giving(case, &record) {
            Some((refusal, detail)) => refused(refusal, detail, raw, case.grounds),
            None => {
                let request = applied::gives(request_id, fields, case, &record, ask(&record));
                Verdict::Accepted(Box::new(request))
            }
        },
    }
}

fn takes_away(request_id: &str, fields: &Fields<'_>, case: &Case<'_>, ask: Ask) -> Verdict {
    match parse_meant(case.raw, &case.grounds.rules) {
        Err(rejection) => refused_record(rejection, case.raw, case.grounds),
        Ok(meant) => match counter_rules::broken(case) {
            Some((refusal, detail)) => refused(refusal, detail, case.raw, case.grounds),
            None => {
                let request = applied::takes_away(request_id, fields, case, meant, ask);
                Verdict::Accepted(Box::new(request))
            }
        },
    }
}

/// The kind of a request, or none: a receipt.
fn kind(fields: &Fields<'_>) -> Result<Option<Kind>, Unusable> {
    let name = fields.get(Column::Kind).to_ascii_lowercase();
    match name.as_str() {
        "" => Ok(Some(Kind::NewPin)),
        RECEIPT => Ok(None),
        name => Kind::by_name(name).map(Some).ok_or(Unusable {
            column: Column::Kind,
            problem: "is none of new_pin, further_profile, replacement, revocation, suspension, receipt",
        }),
    }
}

fn requester(fields: &Fields<'_>) -> Result<Requester, Unusable> {
    match fields.get(Column::Requester) {
        "" if fields.get(Column::GuardianFiscalCode).is_empty() => Ok(Requester::Holder),
        "" => Ok(Requester::Guardian),
        name => Requester::by_name(&name.to_ascii_lowercase()).ok_or(Unusable {
            column: Column::Requester,
            problem: "is none of self, guardian, proxy, relative",
        }),
    }
}

fn request_id<'a>(fields: &Fields<'a>) -> Result<&'a str, Unusable> {
    let id = fields.get(Column::RequestId);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._:/-".contains(&byte);
    let problem = if id.is_empty() {
        "is empty"
    } else if id.len() > REQUEST_ID_BYTES_MAX {
        "is longer than 64 characters"
    } else if !id.bytes().all(plain) {
        "holds something else than letters, digits and ._:/-"
    } else if id.starts_with("divert:") {
        "begins with divert:, which is reserved"
    } else if FiscalCode::normalised(id).is_ok() || holds_code(id) {
        "is or holds a fiscal code; it would appear in logs"
    } else {
        return Ok(id);
    };
    Err(Unusable {
        column: Column::RequestId,
        problem,
    })
}

/// Whether a personal code stands somewhere in the text, which is ASCII.
fn holds_code(text: &str) -> bool {
    let windows = text.as_bytes().windows(16);
    let mut windows = windows.filter_map(|window| std::str::from_utf8(window).ok());
    windows.any(|window| FiscalCode::normalised(window).is_ok())
}

/// The line as a legacy record: active where it brings a PIN; otherwise revoked, of which no credential is asked.
fn record<'a>(
    fields: &Fields<'a>,
    kind: Kind,
    issued_on: &'a str,
    source: SourceIndex,
) -> RawRecord<'a> {
    let channel = fields.get(Column::Channel);
    let mut record = [""; FIELDS];
    let mut set = |field: Field, text: &'a str| record[field.index()] = text;
    set(Field::LegacyId, fields.get(Column::RequestId));
    set(Field::FiscalCode, fields.get(Column::FiscalCode));
    set(Field::Surname, fields.get(Column::Surname));
    set(Field::GivenName, fields.get(Column::GivenName));
    set(Field::BirthDate, fields.get(Column::BirthDate));
    set(Field::Profile, fields.get(Column::Profile));
    set(Field::Entity, fields.get(Column::Entity));
    set(Field::Status, if kind.brings_pin() { "A" } else { "R" });
    set(
        Field::Level,
        match (fields.get(Column::Level), Channel::of(channel)) {
            ("", Some(Channel::Counter)) => "DISP",
            ("", Some(Channel::Web | Channel::Telephone)) => "ORD",
            (text, _) => text,
        },
    );
    set(Field::Credential, fields.get(Column::Credential));
    set(
        Field::CredentialScheme,
        fields.get(Column::CredentialScheme),
    );
    set(Field::CredentialSalt, fields.get(Column::CredentialSalt));
    set(Field::IssuedOn, issued_on);
    set(Field::Office, fields.get(Column::Office));
    set(Field::Channel, channel);
    // A legacy record that says nothing was delivered whole; a request has to say.
    set(
        Field::HalvesDelivered,
        match fields.get(Column::HalvesDelivered) {
            "" if kind.brings_pin() => "unsaid",
            text => text,
        },
    );
    set(Field::Email, fields.get(Column::Email));
    set(Field::Phone, fields.get(Column::Phone));
    set(
        Field::GuardianFiscalCode,
        fields.get(Column::GuardianFiscalCode),
    );
    RawRecord {
        source,
        number: 1,
        shape: Shape::Row,
        invalid: 0,
        clean: false,
        fields: record,
    }
}

fn documents(fields: &Fields<'_>) -> Vec<String> {
    let mut documents: Vec<String> = fields
        .get(Column::Documents)
        .split(|c: char| c.is_whitespace() || c == '|')
        .filter(|code| !code.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    documents.sort_unstable();
    documents.dedup();
    documents
}

/// A level and halves of counters are no codes of a source, and the channel may say the level.
fn said(rejection: Rejection, fields: &Fields<'_>) -> Rejection {
    let is_empty = |column| fields.get(column).is_empty();
    let detail = if rejection.reason == Reason::LevelUnknown {
        match (is_empty(Column::Level), is_empty(Column::Channel)) {
            (false, _) => "level is neither ordinary (ORD) nor dispositive (DISP)",
            (true, true) => {
                "level is empty, and so is channel: say ORD or DISP, or a channel (SED, UFF, WEB, TEL) that says it"
            }
            (true, false) => {
                "level is empty, and channel is none of SED, UFF, WEB, TEL, which would say it"
            }
        }
    } else if rejection.reason == Reason::HalvesInvalid && is_empty(Column::HalvesDelivered) {
        "halves_delivered is empty; it has to say 0, 1 or 2"
    } else {
        return rejection;
    };
    Rejection::of(rejection.reason, detail)
}

pub(super) fn refused_record(
    rejection: Rejection,
    raw: &RawRecord<'_>,
    grounds: &Grounds,
) -> Verdict {
    refused(
        Refusal::Record(rejection.reason),
        rejection.detail.into_owned(),
        raw,
        grounds,
    )
}

pub(super) fn refused(
    refusal: Refusal,
    detail: String,
    raw: &RawRecord<'_>,
    grounds: &Grounds,
) -> Verdict {
    let (written, profile) = (
        code(raw.get(Field::FiscalCode)),
        code(raw.get(Field::Profile)),
    );
    let is_code = FiscalCode::normalised(&written).is_ok()
        || grounds.rules.links.current_code(&written).is_ok();
    let known = grounds.rules.catalogue.find(&profile);
    let known = known.map(|profile| grounds.rules.catalogue.get(profile));
    Verdict::Refused {
        refusal,
        detail,
        applicant: Applicant {
            fiscal_code: Some(written)
                .filter(|_| is_code)
                .map(Cow::into_owned)
                .unwrap_or_default(),
            surname: name(raw, Field::Surname, Column::Surname).unwrap_or_default(),
            given_name: name(raw, Field::GivenName, Column::GivenName),
            profile: known
                .map(|profile| profile.code.clone())
                .unwrap_or_default(),
            office: office(raw, grounds),
        },
    }
}

/// The office, unless it may be a PIN in clear: longer than offices' codes are, with a digit, and no known one, where
/// a hash is not where it ought to be.
fn office(raw: &RawRecord<'_>, grounds: &Grounds) -> Option<String> {
    let office = trimmed(raw.get(Field::Office));
    let scheme = code(raw.get(Field::CredentialScheme));
    let is_in_place = code(raw.get(Field::Status)) == "R"
        || credential::has_shape_of(&scheme, trimmed(raw.get(Field::Credential)));
    let offices = grounds.schedule.offices.as_ref();
    let is_plain = is_in_place
        || office.len() <= OFFICE_CODE_BYTES
        || !could_be_a_pin(office)
        || offices.is_some_and(|offices| offices.knows(office));
    (is_plain && !office.is_empty()).then(|| legible::kept(office, Column::Office))
}

/// A name that can be none of a PIN in clear, whose column the line may have missed: without a digit.
fn name(raw: &RawRecord<'_>, field: Field, column: Column) -> Option<String> {
    let text = trimmed(raw.get(field));
    let is_name = !text.is_empty() && !could_be_a_pin(text);
    is_name.then(|| legible::kept(text, column))
}
