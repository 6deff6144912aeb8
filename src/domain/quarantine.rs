//! Where records go that no rule may migrate.

use std::{borrow::Cow, fmt};

use super::{
    digest::{RowHash, Table},
    status::vocabulary,
};

vocabulary! {
    /// Why a record could not be migrated, in the order in which reasons are looked for.
    Reason {
        /// The CSV row has a wrong number of fields.
        RowMalformed = "row_malformed",
        /// The record has no id.
        IdMissing = "id_missing",
        /// Another record of the source has the same id.
        DuplicateId = "duplicate_id",
        /// A mapped value is not valid in the declared encoding or holds a control character.
        EncodingInvalid = "encoding_invalid",
        /// The fiscal code has no valid form, date or check character.
        FiscalCodeInvalid = "fiscal_code_invalid",
        /// The links file discards the fiscal code.
        FiscalCodeDiscarded = "fiscal_code_discarded",
        /// Surname, or a natural person's given name, is empty.
        IdentityMissing = "identity_missing",
        /// A date is not a date, or the date of issue is empty.
        DateInvalid = "date_invalid",
        /// The catalogue has no such profile.
        ProfileUnknown = "profile_unknown",
        /// The profile needs an entity and the record has none.
        EntityMissing = "entity_missing",
        /// The status code has no meaning in this source.
        StatusUnknown = "status_unknown",
        /// The level code has no meaning in this source.
        LevelUnknown = "level_unknown",
        /// A usable PIN without a credential.
        CredentialMissing = "credential_missing",
        /// A usable PIN whose scheme is not accepted.
        CredentialUnsupported = "credential_unsupported",
        /// The halves delivered are not 0, 1 or 2.
        HalvesInvalid = "halves_invalid",
        /// The guardian's code is not valid, discarded, or the holder's own.
        GuardianInvalid = "guardian_invalid",
        /// Records written with one fiscal code disagree on who the person is.
        IdentityConflict = "identity_conflict",
    }
}

/// A row of `quarantine`.
#[derive(Clone, PartialEq, Eq)]
pub struct QuarantineRow<'a> {
    /// Name of the source.
    pub source: &'a str,
    /// The record's id, or `@n` where it has none.
    pub legacy_id: Cow<'a, str>,
    /// 0 but for records that share their id.
    pub copy: u32,
    /// Why.
    pub reason: Reason,
    /// What exactly was wrong, in words, naming fields and never their values.
    pub detail: Cow<'a, str>,
    /// The record as read: a JSON object of canonical field names in canonical order, empty fields left
    /// out; for a malformed row `{"row":[…]}`.
    pub payload: String,
}

// The payload is the whole record: it never reaches a log.
impl fmt::Debug for QuarantineRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuarantineRow")
            .field("source", &self.source)
            .field("legacy_id", &self.legacy_id)
            .field("copy", &self.copy)
            .field("reason", &self.reason)
            .field("detail", &self.detail)
            .finish_non_exhaustive()
    }
}

impl QuarantineRow<'_> {
    /// Hash of the row: source, legacy_id, copy, reason, detail, payload.
    pub fn digest(&self, hash: &mut RowHash) -> u128 {
        hash.start(Table::Quarantine, "");
        hash.text(self.source);
        hash.text(&self.legacy_id);
        hash.integer(i64::from(self.copy));
        hash.text(self.reason.as_str());
        hash.text(&self.detail);
        hash.text(&self.payload);
        hash.finish()
    }
}
