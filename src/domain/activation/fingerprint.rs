//! What tells a request from another that came under its id.

use sha2::{Digest as _, Sha256};

use super::{column::Column, credential, grounds::Grounds, request::Fields};
use crate::domain::normalise::code;

/// A hash of all columns that tells a request from another with its id. The credential counts only where it
/// is a hash: a hash of a PIN in clear could be turned back.
pub(super) fn fingerprint(fields: &Fields<'_>, grounds: &Grounds) -> String {
    let scheme = code(fields.get(Column::CredentialScheme));
    let level = code(fields.get(Column::Level));
    let is_hash = credential::has_shape_of(&scheme, fields.get(Column::Credential))
        && grounds.rules.schemes.contains(&*scheme)
        && (level.is_empty()
            || (grounds
                .rules
                .source(grounds.activation_source())
                .level_codes)
                .contains_key(&*level));
    let mut hash = Sha256::new();
    for column in Column::ALL {
        let counts = match column {
            Column::Level
            | Column::Credential
            | Column::CredentialScheme
            | Column::CredentialSalt => is_hash,
            _any_other => true,
        };
        let text = fields.get(*column);
        // Empty ones do not count, so that a file means the same where a later version knows more columns.
        for text in [column.as_str(), text]
            .iter()
            .filter(|_| counts && !text.is_empty())
        {
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
