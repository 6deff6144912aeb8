//! What tells a request from another that came under its id.

use std::borrow::Cow;

use sha2::{Digest as _, Sha256};

use super::{column::Column, kind::Kind, request::Fields};
use crate::domain::{fiscal_code::FiscalCode, normalise::code};

/// A hash of all that is kept of an accepted request of this kind, or of a receipt.
///
/// Of a refused one it must not be kept: a PIN in clear may stand in any column of it, and could be turned back.
pub(super) fn whole(fields: &Fields<'_>, kind: Option<Kind>) -> String {
    let counts = |column: &Column| match kind {
        Some(kind) => is_of(kind, *column),
        None => is_of_receipts(*column),
    };
    let columns = Column::ALL.iter().filter(|column| counts(column));
    hash(columns.map(|column| (*column, Cow::Borrowed(fields.get(*column)))))
}

/// A hash of what a refused request is found by; the rest of it, known to nobody, may hold a PIN in clear.
pub(super) fn outline(fields: &Fields<'_>) -> String {
    let text = |column| Cow::Borrowed(fields.get(column));
    let name = |column| match fields.get(column) {
        name if could_be_a_pin(name) => Cow::Borrowed(""),
        name => Cow::Borrowed(name),
    };
    let written = code(fields.get(Column::FiscalCode));
    let is_code = FiscalCode::normalised(&written).is_ok();
    hash(
        [
            (Column::RequestId, text(Column::RequestId)),
            (Column::Kind, text(Column::Kind)),
            (Column::AcceptedAt, text(Column::AcceptedAt)),
            (
                Column::FiscalCode,
                if is_code { written } else { Cow::Borrowed("") },
            ),
            (Column::Surname, name(Column::Surname)),
            (Column::GivenName, name(Column::GivenName)),
        ]
        .into_iter(),
    )
}

/// Whether a text where a name is expected may be a PIN in clear.
pub(super) fn could_be_a_pin(text: &str) -> bool {
    text.contains(char::is_numeric)
}

fn hash<'a>(columns: impl Iterator<Item = (Column, Cow<'a, str>)>) -> String {
    let mut hash = Sha256::new();
    // Empty ones do not count, so that a file means the same where a later version knows more columns.
    for (column, text) in columns.filter(|(_, text)| !text.is_empty()) {
        for text in [column.as_str(), &text] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        }
    }
    let hex: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{{\"content\":\"{hex}\"}}")
}

/// Whether the column is judged and kept of a request of this kind.
const fn is_of(kind: Kind, column: Column) -> bool {
    match column {
        Column::RequestId
        | Column::Kind
        | Column::AcceptedAt
        | Column::Office
        | Column::CompetentOffice
        | Column::FiscalCode
        | Column::Surname
        | Column::GivenName
        | Column::BirthDate
        | Column::Profile
        | Column::Entity
        | Column::Documents
        | Column::Requester
        | Column::Mandate => true,
        Column::Channel
        | Column::Level
        | Column::HalvesDelivered
        | Column::Email
        | Column::Phone
        | Column::GuardianFiscalCode => !kind.takes_away(),
        Column::Credential | Column::CredentialScheme | Column::CredentialSalt => kind.brings_pin(),
        Column::OfRequest | Column::OfPin | Column::Half | Column::Outcome | Column::Way => false,
    }
}

/// Whether the column is of receipts.
const fn is_of_receipts(column: Column) -> bool {
    matches!(
        column,
        Column::RequestId
            | Column::Kind
            | Column::AcceptedAt
            | Column::Office
            | Column::OfRequest
            | Column::OfPin
            | Column::Half
            | Column::Outcome
            | Column::Way
    )
}
