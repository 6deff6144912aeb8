//! Whom the offices are to tell, and what: an event in the life of a PIN, a profile or a request.
//!
//! The words that people read are Italian ([`saying`]), because the offices' are.

mod failure;
mod reason;
pub mod saying;

use std::fmt;

use jiff::{Timestamp, civil::Date};

use super::{
    activation::{
        kind::Kind,
        receipt::Half,
        refusal::{Failure, Refusal},
    },
    status::{GrantStatus, PinStatus, vocabulary},
};

vocabulary! {
    /// A sort of notice, in the order in which an office's list has them.
    Sort {
        /// A PIN gave way to another one of the same person at migration.
        PinRetired = "pin_retired",
        /// A PIN became active.
        PinActive = "pin_active",
        /// A PIN took the place of a suspended one, and is suspended as well.
        PinSuspended = "pin_suspended",
        /// A further profile became active.
        ProfileActive = "profile_active",
        /// A request was refused, failed, or gave way to a later one.
        NotDone = "not_done",
        /// A request waits.
        Waiting = "waiting",
        /// A half of a PIN was refused by its holder, or came back.
        HalfBack = "half_back",
        /// A PIN or a profile was revoked or suspended at the counter.
        TakenAway = "taken_away",
    }
}

vocabulary! {
    /// Why a half that was sent did not reach its holder.
    Undelivered {
        /// The holder did not take it.
        Refused = "refused",
        /// It came back.
        Returned = "returned",
    }
}

/// Who is to be told. Its `Debug` tells nothing of him.
#[derive(Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct Addressee {
    pub fiscal_code: String,
    pub surname: String,
    pub given_name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
}

impl fmt::Debug for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Addressee")
    }
}

/// The PIN that a person goes on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staying {
    /// `source:id`.
    pub name: String,
    /// Where it is kept; empty for nowhere.
    pub office: String,
    /// How it was issued; empty where that is not known.
    pub channel: String,
    /// When it was last used, as far as that is known.
    pub last_used_on: Option<Date>,
    /// What it is now.
    pub status: PinStatus,
}

/// Why a request has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// It was refused at the counter.
    Refused(Refusal),
    /// It was due and changed nothing.
    Failed(Failure),
    /// This later one took its place.
    Superseded(String),
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// Its hour, and the rest of its PIN.
    Hour {
        /// The earliest moment at which it may take effect.
        not_before: Timestamp,
        /// 0, 1 or 2.
        halves_delivered: u8,
    },
    /// Somebody who has the code.
    Holder,
    /// The PIN of a request accepted before it.
    EarlierRequest,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A PIN gave way to another one.
    PinRetired {
        /// When it was last used, as far as that is known.
        last_used_on: Option<Date>,
        /// The one that stays.
        staying: Staying,
        /// What became of the profile it opened, where the person has or had it.
        profile: Option<GrantStatus>,
    },
    /// The PIN of a request of this kind became active, or a migrated one that was pending.
    PinActive(Option<Kind>),
    /// A PIN took the place of a suspended one, and is suspended as well.
    PinSuspended,
    /// A further profile became active; the PIN to use it with is in this status.
    ProfileActive(PinStatus),
    /// A request of this kind has no effect.
    NotDone(Kind, WhyNot),
    /// A request waits.
    Waiting {
        /// What it asks for.
        kind: Kind,
        /// For what.
        awaited: Awaited,
    },
    /// A half did not reach its holder.
    HalfBack {
        /// Which.
        half: Half,
        /// Why.
        why: Undelivered,
        /// The PIN, as `source:id`, with which the profile will be used that waits for it: the half is of one that gave
        /// way to that.
        opens_with: Option<String>,
    },
    /// A revocation or a suspension took effect.
    TakenAway {
        /// Which.
        kind: Kind,
        /// The PIN, as `source:id`, that is in use all the same: with the profile, where only that was meant.
        in_use: Option<String>,
    },
}

/// One person and one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The office that is to tell it; empty where none is known.
    pub office: String,
    /// Whom.
    pub addressee: Addressee,
    /// The profile it is about; empty for the whole PIN.
    pub profile: String,
    /// Its entity; empty for none.
    pub entity: String,
    /// When it happened.
    pub at: Timestamp,
    /// The request's id, or the PIN's `source:id`.
    pub name: String,
    /// What happened.
    pub event: Event,
}

impl Event {
    /// Its sort.
    #[must_use]
    pub const fn sort(&self) -> Sort {
        match self {
            Self::PinRetired { .. } => Sort::PinRetired,
            Self::PinActive(_) => Sort::PinActive,
            Self::PinSuspended => Sort::PinSuspended,
            Self::ProfileActive(_) => Sort::ProfileActive,
            Self::NotDone(..) => Sort::NotDone,
            Self::Waiting { .. } => Sort::Waiting,
            Self::HalfBack { .. } => Sort::HalfBack,
            Self::TakenAway { .. } => Sort::TakenAway,
        }
    }
}
