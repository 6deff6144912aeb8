//! The closed vocabularies of the model, with the spelling the tables use.

macro_rules! vocabulary {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant,)+ }

        impl $name {
            /// Every value, in order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The spelling in tables, reports and configuration.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value with this spelling.
            #[must_use]
            pub fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary! {
    /// What a legacy PIN was.
    LegacyStatus {
        /// In use.
        Active = "active",
        /// Suspended.
        Suspended = "suspended",
        /// Assigned, never usable yet.
        Pending = "pending",
        /// Revoked.
        Revoked = "revoked",
        /// Ceased.
        Ceased = "ceased",
    }
}

impl LegacyStatus {
    /// Active, suspended or pending: may become the person's one PIN.
    #[must_use]
    pub const fn is_candidate(self) -> bool {
        match self {
            Self::Active | Self::Suspended | Self::Pending => true,
            Self::Revoked | Self::Ceased => false,
        }
    }
}

vocabulary! {
    /// What a PIN is in the multi-profile model.
    PinStatus {
        /// Opens what the grants allow.
        Active = "active",
        /// Opens nothing until lifted.
        Suspended = "suspended",
        /// Opens nothing until both halves are delivered.
        Pending = "pending",
        /// Replaced by another PIN of the same person.
        Retired = "retired",
        /// Revoked.
        Revoked = "revoked",
        /// Ceased.
        Ceased = "ceased",
    }
}

impl PinStatus {
    /// Active, suspended or pending: a person has at most one such PIN.
    #[must_use]
    pub const fn is_live(self) -> bool {
        match self {
            Self::Active | Self::Suspended | Self::Pending => true,
            Self::Retired | Self::Revoked | Self::Ceased => false,
        }
    }
}

vocabulary! {
    /// Where a legacy record ended that was migrated.
    Disposition {
        /// Became the person's one PIN.
        Survivor = "survivor",
        /// Was a candidate and gave way to the survivor.
        Retired = "retired",
        /// Was revoked or ceased already.
        History = "history",
    }
}

vocabulary! {
    /// Assurance of a credential; `Ordinary` is the lower.
    Level {
        /// Ordinary.
        Ordinary = "ordinary",
        /// Dispositive.
        Dispositive = "dispositive",
    }
}

vocabulary! {
    /// What a grant of a profile is.
    GrantStatus {
        /// In force.
        Active = "active",
        /// Suspended.
        Suspended = "suspended",
        /// Waits for the PIN's delivery.
        Pending = "pending",
        /// No longer in force.
        Ended = "ended",
    }
}
