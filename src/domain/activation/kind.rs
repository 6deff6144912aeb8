//! What a request asks for, and who asks.

use crate::domain::status::vocabulary;

vocabulary! {
    /// What a request asks for.
    Kind {
        /// A PIN, with a profile.
        NewPin = "new_pin",
        /// A further profile for somebody who has a PIN.
        FurtherProfile = "further_profile",
        /// Another PIN in the place of the present one, with the rights that one has.
        Replacement = "replacement",
        /// The end of a profile or, without one, of PIN and profiles.
        Revocation = "revocation",
        /// The suspension of a profile or, without one, of the PIN.
        Suspension = "suspension",
    }
}

impl Kind {
    /// Whether it brings a PIN.
    #[must_use]
    pub const fn brings_pin(self) -> bool {
        match self {
            Self::NewPin | Self::Replacement => true,
            Self::FurtherProfile | Self::Revocation | Self::Suspension => false,
        }
    }

    /// Whether it asks for a profile. Another PIN comes with the profiles that the present one has.
    #[must_use]
    pub const fn asks_for_grant(self) -> bool {
        match self {
            Self::NewPin | Self::FurtherProfile => true,
            Self::Replacement | Self::Revocation | Self::Suspension => false,
        }
    }

    /// Whether it takes rights away: it needs no documents, waits for no day, and wins over what was accepted
    /// before it.
    #[must_use]
    pub const fn takes_away(self) -> bool {
        match self {
            Self::NewPin | Self::FurtherProfile | Self::Replacement => false,
            Self::Revocation | Self::Suspension => true,
        }
    }
}

vocabulary! {
    /// Who stands at the counter.
    Requester {
        /// The holder.
        Holder = "self",
        /// The guardian of a minor or of a person under guardianship, with a declaration.
        Guardian = "guardian",
        /// Somebody the holder constituted by a mandate.
        Proxy = "proxy",
        /// A relative, who may do nothing without a mandate.
        Relative = "relative",
    }
}
