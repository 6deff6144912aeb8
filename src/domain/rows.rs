//! The rows of a migrated person, as the judge makes them, and what each adds to the digest.
//!
//! Every `digest` takes the columns in the order of the struct's fields, surrogate ids left out.

use std::{borrow::Cow, fmt};

use jiff::civil::Date;

use super::{
    digest::{RowHash, Table},
    finding::FindingRow,
    fiscal_code::FiscalCode,
    status::{Disposition, GrantStatus, LegacyStatus, Level, PinStatus},
};

/// A row of `person`.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct PersonRow<'a> {
    pub surname: &'a str,
    pub given_name: Option<&'a str>,
    pub birth_date: Option<Date>,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
}

/// A row of `fiscal_code`: the current code, or an old one that leads to the person.
#[derive(Clone, PartialEq, Eq)]
pub struct FiscalCodeRow<'a> {
    /// The code; an old one may be of no valid form.
    pub fiscal_code: Cow<'a, str>,
    /// Whether it is the person's code today.
    pub current: bool,
}

/// The PIN that replaced a retired one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PinRef<'a> {
    /// Its source.
    pub source: &'a str,
    /// Its id there.
    pub legacy_id: &'a str,
}

/// A row of `pin`.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct PinRow<'a> {
    pub status: PinStatus,
    pub disposition: Disposition,
    pub level: Level,
    pub credential: Option<&'a str>,
    pub credential_scheme: Option<Cow<'a, str>>,
    pub credential_salt: Option<&'a str>,
    pub halves_delivered: u8,
    pub issued_on: Date,
    pub expires_on: Option<Date>,
    pub last_used_on: Option<Date>,
    pub office: Option<&'a str>,
    pub channel: Option<Cow<'a, str>>,
    pub source: &'a str,
    pub legacy_id: &'a str,
    pub legacy_profile: &'a str,
    pub legacy_entity: Cow<'a, str>,
    pub legacy_status: LegacyStatus,
    pub superseded_by: Option<PinRef<'a>>,
}

/// A row of `profile_grant`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct GrantRow<'a> {
    pub profile: &'a str,
    pub entity: Cow<'a, str>,
    pub status: GrantStatus,
    pub level: Level,
    pub valid_from: Date,
    pub evidence: String,
}

/// A row of `delegation`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct DelegationRow {
    pub guardian_fiscal_code: FiscalCode,
    pub evidence: String,
}

/// Everything the model holds of one person after the judge has spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonRows<'a> {
    /// The person's current code.
    pub fiscal_code: FiscalCode,
    /// The person.
    pub person: PersonRow<'a>,
    /// The current code and all old ones.
    pub codes: Vec<FiscalCodeRow<'a>>,
    /// One per record, in the order of the survivor rule: a survivor, where there is one, comes first.
    pub pins: Vec<PinRow<'a>>,
    /// One per profile and entity, ordered by both.
    pub grants: Vec<GrantRow<'a>>,
    /// One per guardian, ordered by code.
    pub delegations: Vec<DelegationRow>,
    /// Ordered by kind.
    pub findings: Vec<FindingRow<'a>>,
}

// Who a person is, and what opens the PIN, never reach a log.

impl fmt::Debug for PersonRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonRow(****)")
    }
}

impl fmt::Debug for FiscalCodeRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FiscalCodeRow(****, current: {})", self.current)
    }
}

impl fmt::Debug for PinRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinRow")
            .field("source", &self.source)
            .field("legacy_id", &self.legacy_id)
            .field("status", &self.status)
            .field("disposition", &self.disposition)
            .finish_non_exhaustive()
    }
}

impl PersonRow<'_> {
    /// Hash of the row.
    pub fn digest(&self, code: &str, hash: &mut RowHash) -> u128 {
        hash.start(Table::Person, code);
        hash.text(self.surname);
        hash.optional(self.given_name);
        hash.date(self.birth_date);
        hash.optional(self.email);
        hash.optional(self.phone);
        hash.finish()
    }
}

impl FiscalCodeRow<'_> {
    /// Hash of the row.
    pub fn digest(&self, code: &str, hash: &mut RowHash) -> u128 {
        hash.start(Table::FiscalCode, code);
        hash.text(&self.fiscal_code);
        hash.integer(i64::from(self.current));
        hash.finish()
    }
}

impl PinRow<'_> {
    /// Hash of the row; `superseded_by` counts as `source:legacy_id`.
    pub fn digest(&self, code: &str, hash: &mut RowHash) -> u128 {
        hash.start(Table::Pin, code);
        hash.text(self.status.as_str());
        hash.text(self.disposition.as_str());
        hash.text(self.level.as_str());
        hash.optional(self.credential);
        hash.optional(self.credential_scheme.as_deref());
        hash.optional(self.credential_salt);
        hash.integer(i64::from(self.halves_delivered));
        hash.date(Some(self.issued_on));
        hash.date(self.expires_on);
        hash.date(self.last_used_on);
        hash.optional(self.office);
        hash.optional(self.channel.as_deref());
        hash.text(self.source);
        hash.text(self.legacy_id);
        hash.text(self.legacy_profile);
        hash.text(&self.legacy_entity);
        hash.text(self.legacy_status.as_str());
        match self.superseded_by {
            Some(pin) => hash.text(&format!("{}:{}", pin.source, pin.legacy_id)),
            None => hash.optional(None),
        }
        hash.finish()
    }

    /// Hash of what life after cut-over never changes: disposition, issued_on, source, legacy_id,
    /// legacy_profile, legacy_entity, legacy_status.
    pub fn origin_digest(&self, hash: &mut RowHash) -> u128 {
        hash.start(Table::PinOrigin, "");
        hash.text(self.disposition.as_str());
        hash.date(Some(self.issued_on));
        hash.text(self.source);
        hash.text(self.legacy_id);
        hash.text(self.legacy_profile);
        hash.text(&self.legacy_entity);
        hash.text(self.legacy_status.as_str());
        hash.finish()
    }
}

impl GrantRow<'_> {
    /// Hash of the row.
    pub fn digest(&self, code: &str, hash: &mut RowHash) -> u128 {
        hash.start(Table::ProfileGrant, code);
        hash.text(self.profile);
        hash.text(&self.entity);
        hash.text(self.status.as_str());
        hash.text(self.level.as_str());
        hash.date(Some(self.valid_from));
        hash.text(&self.evidence);
        hash.finish()
    }
}

impl DelegationRow {
    /// Hash of the row.
    pub fn digest(&self, code: &str, hash: &mut RowHash) -> u128 {
        hash.start(Table::Delegation, code);
        hash.text(self.guardian_fiscal_code.as_str());
        hash.text(&self.evidence);
        hash.finish()
    }
}
