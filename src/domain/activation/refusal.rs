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
        /// A relative, without a mandate, asks.
        RelativeWithoutMandate = "relative_without_mandate",
        /// A proxy asks without the reference of a mandate.
        MandateMissing = "mandate_missing",
        /// A proxy asks, and the configuration accepts none.
        ProxiesNotAccepted = "proxies_not_accepted",
        /// A minor, or somebody who has a guardian, asks alone.
        GuardianMustAsk = "guardian_must_ask",
        /// A guardian asks who does not say who he is, or does not declare to be it.
        GuardianNotShown = "guardian_not_shown",
        /// The channel reaches people by a contact that is missing.
        ContactMissing = "contact_missing",
        /// A certified mailbox (PEC) is no contact of the channel by e-mail.
        ContactCertified = "contact_certified",
        /// A channel of which nothing is known.
        ChannelUnknown = "channel_unknown",
        /// A level that the channel does not give.
        LevelAboveChannel = "level_above_channel",
        /// A credential where the request brings no PIN.
        CredentialUnexpected = "credential_unexpected",
        /// It was accepted longer ago than requests are taken in.
        AcceptedTooLongAgo = "accepted_too_long_ago",
        /// A column holds more text than it takes.
        TooLong = "too_long",
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
        /// The holder has a guardian, who did not ask.
        GuardianMustAsk = "guardian_must_ask",
        /// Nobody in the model has the code.
        HolderUnknown = "holder_unknown",
        /// The person has no PIN that is active, suspended or pending.
        PinMissing = "pin_missing",
        /// A receipt is of a PIN that nobody has.
        PinUnknown = "pin_unknown",
        /// The person does not have the profile.
        GrantMissing = "grant_missing",
        /// A suspension came later, or at the same time.
        Suspended = "suspended",
        /// The target's catalogue has no such profile.
        ProfileUnknown = "profile_unknown",
        /// The PIN, or the profile, was revoked, and not before the request was accepted.
        Revoked = "revoked",
        /// The database refused the effect time and again.
        SetAside = "set_aside",
    }
}
