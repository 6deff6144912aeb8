//! Warnings about people who were migrated all the same.

use super::{
    digest::{RowHash, Table},
    status::vocabulary,
};

vocabulary! {
    /// What is odd about a migrated person.
    FindingKind {
        /// Another person's code differs by omocodia only.
        OmocodiaPair = "omocodia_pair",
        /// The first six letters of the code do not fit the name.
        NameCodeMismatch = "name_code_mismatch",
        /// The birth date does not fit the code.
        BirthDateMismatch = "birth_date_mismatch",
        /// Under 18 at the date of judgement, and no guardian.
        MinorWithoutGuardian = "minor_without_guardian",
        /// An adult with a guardian.
        GuardianOfAdult = "guardian_of_adult",
        /// The survivor had expired before the date of judgement.
        PinExpired = "pin_expired",
        /// A numeric code: a body, not a natural person.
        NumericCode = "numeric_code",
        /// An entity was given where the profile has none.
        EntityIgnored = "entity_ignored",
        /// Active with fewer than two halves delivered: counts as delivered.
        HalvesOpen = "halves_open",
        /// A retired pending PIN was dispositive, the survivor is not.
        PendingUpgradeLost = "pending_upgrade_lost",
        /// The PIN used last is not the survivor; people will call.
        LastUsedPinRetired = "last_used_pin_retired",
        /// A grant is below the profile's minimum level.
        BelowMinimumLevel = "below_minimum_level",
    }
}

/// A row of `finding`, naming the person's first record in the order of the survivor rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FindingRow<'a> {
    /// What was found.
    pub kind: FindingKind,
    /// Name of the record's source.
    pub source: &'a str,
    /// Id of the record.
    pub legacy_id: &'a str,
}

impl FindingRow<'_> {
    /// Hash of the row: kind, source, legacy_id.
    pub fn digest(&self, hash: &mut RowHash) -> u128 {
        hash.start(Table::Finding, "");
        hash.text(self.kind.as_str());
        hash.text(self.source);
        hash.text(self.legacy_id);
        hash.finish()
    }
}
