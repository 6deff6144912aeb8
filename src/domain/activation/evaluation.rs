//! Accepts or refuses a request.
//!
//! All that a request has in common with a legacy record is judged by the very rules for records, so that
//! nobody enters the model by the counter whom the migration would quarantine.

use jiff::Timestamp;

use super::{
    column::Column,
    credential,
    fingerprint::fingerprint,
    grounds::Grounds,
    refusal::{Refusal, RequestMistake},
    request::{Fields, Request},
    standing::{Credential, Identity},
    submission::{Applicant, Origin, Submission, Verdict},
};
use crate::domain::{
    catalogue::Profile,
    field::{FIELDS, Field},
    fiscal_code::FiscalCode,
    legacy_record::LegacyRecord,
    normalise::{code, trimmed},
    parse::{Rejection, parse},
    quarantine::Reason,
    raw_record::{RawRecord, Shape, SourceIndex},
};

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

/// Evaluates a line of a file of requests; `now` is the database's time.
///
/// # Errors
/// [`Unusable`] where the line is no request.
pub fn evaluate(
    fields: &Fields<'_>,
    grounds: &Grounds,
    now: Timestamp,
) -> Result<Submission, Unusable> {
    let request_id = request_id(fields)?;
    let accepted_at = grounds
        .moment(fields.get(Column::AcceptedAt))
        .ok_or(Unusable {
            column: Column::AcceptedAt,
            problem: "is no date and time such as 2013-11-04T10:15",
        })?;
    let issued_on = grounds.local_date(accepted_at).to_string();
    let raw = record(fields, &issued_on, grounds.activation_source());
    let documents = documents(fields);
    let verdict = match parse(&raw, &grounds.rules) {
        Err(rejection) => refused_record(rejection, &raw),
        Ok(record) => {
            let profile = grounds.rules.catalogue.get(record.profile);
            let mistake = mistake(&record, profile, &documents)
                .or_else(|| in_time(&record, accepted_at, now))
                .or_else(|| of_office(fields, grounds));
            match mistake {
                Some((refusal, detail)) => refused(refusal, detail, &raw),
                None => accepted(request_id, accepted_at, &record, profile),
            }
        }
    };
    Ok(Submission {
        request_id: request_id.to_owned(),
        origin: Origin::Intake,
        accepted_at,
        not_before: (grounds.schedule).not_before(accepted_at, fields.get(Column::Office)),
        payload: fingerprint(fields, grounds),
        documents,
        verdict,
    })
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
    } else if FiscalCode::normalised(id).is_ok() {
        "is a fiscal code; it would appear in logs"
    } else {
        return Ok(id);
    };
    Err(Unusable {
        column: Column::RequestId,
        problem,
    })
}

fn record<'a>(fields: &Fields<'a>, issued_on: &'a str, source: SourceIndex) -> RawRecord<'a> {
    let mut record = [""; FIELDS];
    let mut set = |field: Field, text: &'a str| record[field.index()] = text;
    set(Field::LegacyId, fields.get(Column::RequestId));
    set(Field::FiscalCode, fields.get(Column::FiscalCode));
    set(Field::Surname, fields.get(Column::Surname));
    set(Field::GivenName, fields.get(Column::GivenName));
    set(Field::BirthDate, fields.get(Column::BirthDate));
    set(Field::Profile, fields.get(Column::Profile));
    set(Field::Entity, fields.get(Column::Entity));
    set(Field::Status, "A");
    set(Field::Level, fields.get(Column::Level));
    set(Field::Credential, fields.get(Column::Credential));
    set(
        Field::CredentialScheme,
        fields.get(Column::CredentialScheme),
    );
    set(Field::CredentialSalt, fields.get(Column::CredentialSalt));
    set(Field::IssuedOn, issued_on);
    set(Field::Office, fields.get(Column::Office));
    set(Field::Channel, fields.get(Column::Channel));
    // A legacy record that says nothing was delivered whole; a request has to say.
    set(
        Field::HalvesDelivered,
        match fields.get(Column::HalvesDelivered) {
            "" => "unsaid",
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

type Mistake = (Refusal, String);

/// What the record's own rules do not see.
fn mistake(record: &LegacyRecord<'_>, profile: &Profile, documents: &[String]) -> Option<Mistake> {
    let scheme = record.credential_scheme.as_deref().unwrap_or_default();
    if !credential::has_shape_of(scheme, record.credential.unwrap_or_default()) {
        let detail = format!("credential has not the form of a {scheme} hash");
        return Some((
            Refusal::Request(RequestMistake::CredentialNotHashed),
            detail,
        ));
    }
    let presented = |required: &&String| {
        documents
            .iter()
            .any(|code| code.eq_ignore_ascii_case(required))
    };
    let missing: Vec<&str> = profile
        .documents
        .iter()
        .filter(|required| !presented(required))
        .map(String::as_str)
        .collect();
    (!missing.is_empty()).then(|| {
        let detail = format!("profile {} requires {}", profile.code, missing.join(", "));
        (Refusal::Request(RequestMistake::DocumentsMissing), detail)
    })
}

fn of_office(fields: &Fields<'_>, grounds: &Grounds) -> Option<Mistake> {
    let problem = grounds.office_problem(fields.get(Column::Office))?;
    let refusal = Refusal::Request(RequestMistake::OfficeUnknown);
    Some((refusal, problem.to_owned()))
}

fn in_time(record: &LegacyRecord<'_>, accepted_at: Timestamp, now: Timestamp) -> Option<Mistake> {
    if accepted_at > now {
        let detail = "accepted_at lies in the future".to_owned();
        return Some((Refusal::Request(RequestMistake::AcceptedInFuture), detail));
    }
    record
        .birth_date
        .filter(|birth| *birth > record.issued_on)
        .map(|_| {
            let detail = "birth_date lies after accepted_at".to_owned();
            (Refusal::Record(Reason::DateInvalid), detail)
        })
}

pub(super) fn accepted(
    request_id: &str,
    accepted_at: Timestamp,
    record: &LegacyRecord<'_>,
    profile: &Profile,
) -> Verdict {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Verdict::Accepted(Box::new(Request {
        request_id: request_id.to_owned(),
        accepted_at,
        fiscal_code: record.fiscal_code,
        identity: Identity {
            surname: record.surname.to_owned(),
            given_name: owned(record.given_name),
            birth_date: record.birth_date,
            email: owned(record.email),
            phone: owned(record.phone),
        },
        profile: profile.code.clone(),
        entity: record.entity.clone().into_owned(),
        level: record.level,
        credential: Credential {
            hash: record.credential.unwrap_or_default().to_owned(),
            scheme: record
                .credential_scheme
                .as_deref()
                .unwrap_or_default()
                .to_owned(),
            salt: owned(record.credential_salt),
        },
        issued_on: record.issued_on,
        expires_on: record.expires_on,
        office: owned(record.office),
        channel: owned(record.channel.as_deref()),
        halves_delivered: record.halves_delivered,
        guardian: record.guardian,
    }))
}

pub(super) fn refused_record(rejection: Rejection, raw: &RawRecord<'_>) -> Verdict {
    refused(
        Refusal::Record(rejection.reason),
        rejection.detail.into_owned(),
        raw,
    )
}

pub(super) fn refused(refusal: Refusal, detail: String, raw: &RawRecord<'_>) -> Verdict {
    let optional = |field| Some(trimmed(raw.get(field)).to_owned()).filter(|text| !text.is_empty());
    Verdict::Refused {
        refusal,
        detail,
        applicant: Applicant {
            fiscal_code: code(raw.get(Field::FiscalCode)).into_owned(),
            surname: trimmed(raw.get(Field::Surname)).to_owned(),
            given_name: optional(Field::GivenName),
            profile: code(raw.get(Field::Profile)).into_owned(),
            entity: code(raw.get(Field::Entity)).into_owned(),
            office: optional(Field::Office),
        },
    }
}
