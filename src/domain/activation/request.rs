//! A request for a PIN, as the counter wrote it and as the rules accepted it.

use jiff::{Timestamp, civil::Date};

use super::{
    column::{COLUMNS, Column},
    standing::{Credential, Identity},
};
use crate::domain::{fiscal_code::FiscalCode, status::Level};

/// One line of a file of requests: the columns as text, in the order of [`Column::ALL`]; an absent column is
/// empty.
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub [&'a str; COLUMNS]);

impl<'a> Fields<'a> {
    /// The column, trimmed.
    #[must_use]
    pub fn get(&self, column: Column) -> &'a str {
        self.0[column.index()].trim()
    }
}

/// An accepted request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Unique for ever; the `legacy_id` of the PIN it brings about.
    pub request_id: String,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The holder's code after renaming.
    pub fiscal_code: FiscalCode,
    /// The holder.
    pub identity: Identity,
    /// Code of the profile.
    pub profile: String,
    /// The entity; empty for none.
    pub entity: String,
    /// Level asked for and documented.
    pub level: Level,
    /// The new PIN.
    pub credential: Credential,
    /// When the PIN was issued: the local date of acceptance, or what the diverted PIN says.
    pub issued_on: Date,
    /// When it expires by itself.
    pub expires_on: Option<Date>,
    /// Issuing office.
    pub office: Option<String>,
    /// Channel, upper case.
    pub channel: Option<String>,
    /// 0, 1 or 2.
    pub halves_delivered: u8,
    /// The guardian's code after renaming.
    pub guardian: Option<FiscalCode>,
}
