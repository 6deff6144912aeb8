//! Why a request is refused at the counter, and why an accepted one could not take effect.

use crate::domain::{quarantine::Reason, status::vocabulary};

vocabulary! {
    /// What only a request can lack; all else is judged by the rules for legacy records.
    RequestMistake {
        /// Its time of acceptance lies in the future.
        AcceptedInFuture = "accepted_in_future",
        /// The credential has not the shape of the scheme's hash; it may be a PIN in clear.
        CredentialNotHashed = "credential_not_hashed",
        /// A document the profile requires was not presented.
        DocumentsMissing = "documents_missing",
        /// A PIN diverted by the lock that is neither active nor pending.
        NothingToActivate = "nothing_to_activate",
        /// The office is empty or not in the file of offices, where there is one.
        OfficeUnknown = "office_unknown",
        /// The queue holds another request with this id.
        RequestIdTaken = "request_id_taken",
    }
}

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As a legacy record with this flaw would be.
    Record(Reason),
    /// As a request.
    Request(RequestMistake),
}

impl Refusal {
    /// The spelling in tables and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Record(reason) => reason.as_str(),
            Self::Request(mistake) => mistake.as_str(),
        }
    }
}

vocabulary! {
    /// Why an accepted request, once due, changed nothing.
    Failure {
        /// The person in the model has another name or birth date.
        IdentityConflict = "identity_conflict",
        /// The target's catalogue has no such profile.
        ProfileUnknown = "profile_unknown",
        /// A PIN of the same person, profile and entity was revoked under the lock, and not before the request was
        /// accepted.
        Revoked = "revoked",
        /// The database refused the effect time and again.
        SetAside = "set_aside",
    }
}
