//! Which request takes the place of another for the same code, profile and entity.

use jiff::Timestamp;

use super::{kind::Kind, standing::Identity};

/// What decides it.
#[derive(Clone, Debug)]
pub struct Rival {
    /// What it asks for; it gives rights.
    pub kind: Kind,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// For whom: a code that somebody mistyped takes nobody's place.
    pub identity: Identity,
}

impl Rival {
    /// Whether the other one brings nothing that this one, accepted later, does not bring: a new PIN comes in the place
    /// of all of them, anything else in that of its like.
    #[must_use]
    pub fn brings_as_much_as(&self, other: &Self) -> bool {
        (self.kind == Kind::NewPin || self.kind == other.kind)
            && self.identity.is_same_person(&other.identity)
    }
}
