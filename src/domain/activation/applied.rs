//! A request as it is applied: accepted, with all that its effect needs.

use jiff::Timestamp;

use super::{
    column::Column,
    counter_rules::Case,
    request::{Ask, Fields, IssuedPin, Request},
    standing::{Credential, Identity},
};
use crate::domain::{
    catalogue::Profile, field::Field, legacy_record::LegacyRecord, normalise::optional,
    parse::Meant,
};

/// A request that gives rights, from what the rules for records made of it.
pub(super) fn gives(
    request_id: &str,
    fields: &Fields<'_>,
    case: &Case<'_>,
    record: &LegacyRecord<'_>,
    ask: Ask,
) -> Request {
    let profile = case.grounds.rules.catalogue.get(record.profile);
    Request {
        competent_office: given(fields, Column::CompetentOffice),
        requester: Some(case.requester),
        mandate: given(fields, Column::Mandate),
        ask,
        ..diverted(request_id, case.accepted_at, record, profile)
    }
}

/// A new PIN of the old application; of who asked for it nothing is known.
pub(super) fn diverted(
    request_id: &str,
    accepted_at: Timestamp,
    record: &LegacyRecord<'_>,
    profile: &Profile,
) -> Request {
    Request {
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
        office: owned(record.office),
        competent_office: None,
        requester: None,
        mandate: None,
        guardian: record.guardian,
        ask: Ask::NewPin(pin(record)),
    }
}

/// A request that takes rights away.
pub(super) fn takes_away(
    request_id: &str,
    fields: &Fields<'_>,
    case: &Case<'_>,
    meant: Meant<'_>,
    ask: Ask,
) -> Request {
    let raw = case.raw;
    let (profile, entity) = match meant.profile {
        Some((profile, entity)) => {
            let profile = case.grounds.rules.catalogue.get(profile);
            (profile.code.clone(), entity.into_owned())
        }
        None => (String::new(), String::new()),
    };
    Request {
        request_id: request_id.to_owned(),
        accepted_at: case.accepted_at,
        fiscal_code: meant.fiscal_code,
        identity: Identity {
            surname: owned(optional(raw, Field::Surname)).unwrap_or_default(),
            given_name: owned(optional(raw, Field::GivenName)),
            birth_date: meant.birth_date,
            email: None,
            phone: None,
        },
        profile,
        entity,
        office: given(fields, Column::Office),
        competent_office: given(fields, Column::CompetentOffice),
        requester: Some(case.requester),
        mandate: given(fields, Column::Mandate),
        guardian: None,
        ask,
    }
}

/// The PIN of a record that has a credential.
pub(super) fn pin(record: &LegacyRecord<'_>) -> IssuedPin {
    IssuedPin {
        level: record.level,
        credential: Credential {
            hash: owned(record.credential).unwrap_or_default(),
            scheme: owned(record.credential_scheme.as_deref()).unwrap_or_default(),
            salt: owned(record.credential_salt),
        },
        issued_on: record.issued_on,
        expires_on: record.expires_on,
        channel: owned(record.channel.as_deref()),
        halves_delivered: record.halves_delivered,
    }
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

fn given(fields: &Fields<'_>, column: Column) -> Option<String> {
    Some(fields.get(column).to_owned()).filter(|text| !text.is_empty())
}
