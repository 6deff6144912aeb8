//! A request, as the counter wrote it and as the rules accepted it.

use jiff::{Timestamp, civil::Date};

use super::{
    column::{COLUMNS, Column},
    kind::{Kind, Requester},
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
    /// The holder; the surname is empty where rights are taken away and the counter did not say.
    pub identity: Identity,
    /// Code of the profile; empty where PIN and all profiles are meant.
    pub profile: String,
    /// The entity; empty for none.
    pub entity: String,
    /// The office that took it.
    pub office: Option<String>,
    /// The office that is competent for the holder, where that is another.
    pub competent_office: Option<String>,
    /// Who asked; nobody of whom we know for a diverted PIN.
    pub requester: Option<Requester>,
    /// What proves that a proxy may ask.
    pub mandate: Option<String>,
    /// The guardian's code after renaming.
    pub guardian: Option<FiscalCode>,
    /// What it asks for.
    pub ask: Ask,
}

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A PIN, with a profile.
    NewPin(IssuedPin),
    /// A further profile, at most at this level.
    FurtherProfile(Level),
    /// A PIN in the place of the present one.
    Replacement(IssuedPin),
    /// The end of rights.
    Revocation,
    /// The suspension of rights.
    Suspension,
}

/// A PIN as the counter issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedPin {
    /// Level asked for and documented.
    pub level: Level,
    /// Its hash.
    pub credential: Credential,
    /// When it was issued: the local date of acceptance, or what the diverted PIN says.
    pub issued_on: Date,
    /// When it expires by itself.
    pub expires_on: Option<Date>,
    /// Channel, upper case.
    pub channel: Option<String>,
    /// 0, 1 or 2.
    pub halves_delivered: u8,
}

impl Request {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.ask {
            Ask::NewPin(_) => Kind::NewPin,
            Ask::FurtherProfile(_) => Kind::FurtherProfile,
            Ask::Replacement(_) => Kind::Replacement,
            Ask::Revocation => Kind::Revocation,
            Ask::Suspension => Kind::Suspension,
        }
    }

    /// The PIN it brings, if it brings one.
    #[must_use]
    pub const fn pin(&self) -> Option<&IssuedPin> {
        match &self.ask {
            Ask::NewPin(pin) | Ask::Replacement(pin) => Some(pin),
            Ask::FurtherProfile(_) | Ask::Revocation | Ask::Suspension => None,
        }
    }

    /// The level it asks for, if it asks for one.
    #[must_use]
    pub const fn level(&self) -> Option<Level> {
        match &self.ask {
            Ask::NewPin(pin) | Ask::Replacement(pin) => Some(pin.level),
            Ask::FurtherProfile(level) => Some(*level),
            Ask::Revocation | Ask::Suspension => None,
        }
    }
}
