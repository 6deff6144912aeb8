//! The columns of a file of requests.

use crate::domain::status::vocabulary;

/// How many columns there are.
pub const COLUMNS: usize = 28;

vocabulary! {
    /// A column of a file of requests, in the order of [`super::request::Fields`].
    Column {
        /// The request's id, unique for ever: letters, digits and `._:/-`, at most 64; never a fiscal code.
        RequestId = "request_id",
        /// What it asks for: `new_pin` (also where it is empty), `further_profile`, `replacement`, `revocation`,
        /// `suspension`; or what became of a half of a PIN: `receipt`.
        Kind = "kind",
        /// When the counter accepted it: `2013-11-04T10:15`, in the offices' zone unless it has an offset.
        AcceptedAt = "accepted_at",
        /// The office that took it.
        Office = "office",
        /// The office competent for the holder, where that is another.
        CompetentOffice = "competent_office",
        /// The channel.
        Channel = "channel",
        /// The holder's fiscal code.
        FiscalCode = "fiscal_code",
        /// The holder's surname, or a body's name.
        Surname = "surname",
        /// The holder's given name; empty for numeric codes.
        GivenName = "given_name",
        /// ISO date of birth; may be empty.
        BirthDate = "birth_date",
        /// Code of the profile catalogue.
        Profile = "profile",
        /// The entity, where the profile has one.
        Entity = "entity",
        /// `ordinary` (`ORD`) or `dispositive` (`DISP`).
        Level = "level",
        /// The new PIN's hash, never the PIN.
        Credential = "credential",
        /// The scheme it was hashed with.
        CredentialScheme = "credential_scheme",
        /// The salt, where it is kept apart.
        CredentialSalt = "credential_salt",
        /// How many halves of the PIN were delivered: 0, 1 or 2.
        HalvesDelivered = "halves_delivered",
        /// Codes of the documents presented, separated by spaces or `|`.
        Documents = "documents",
        /// Who asked: `self` (also where it is empty), `guardian`, `proxy`, `relative`.
        Requester = "requester",
        /// The reference of a proxy's mandate.
        Mandate = "mandate",
        /// E-mail address.
        Email = "email",
        /// Telephone number.
        Phone = "phone",
        /// Fiscal code of the guardian.
        GuardianFiscalCode = "guardian_fiscal_code",
        /// Of a receipt: the request whose PIN it is about.
        OfRequest = "of_request",
        /// Of a receipt: the migrated PIN it is about, as `source:id`.
        OfPin = "of_pin",
        /// Of a receipt: `first` or `second`.
        Half = "half",
        /// Of a receipt: `delivered`, `refused` or `returned`.
        Outcome = "outcome",
        /// Of a receipt: `letter`, `email` or `text`; may be empty.
        Way = "way",
    }
}

impl Column {
    /// Position in [`Column::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The longest text it takes, in characters.
    #[must_use]
    pub const fn chars_max(self) -> usize {
        match self {
            Self::Kind
            | Self::AcceptedAt
            | Self::Channel
            | Self::FiscalCode
            | Self::BirthDate
            | Self::Level
            | Self::CredentialScheme
            | Self::HalvesDelivered
            | Self::Requester
            | Self::GuardianFiscalCode
            | Self::Half
            | Self::Outcome
            | Self::Way => 40,
            Self::RequestId
            | Self::Office
            | Self::CompetentOffice
            | Self::Profile
            | Self::Phone => 64,
            Self::Surname
            | Self::GivenName
            | Self::Entity
            | Self::Mandate
            | Self::Email
            | Self::OfRequest => 255,
            Self::CredentialSalt | Self::OfPin => 512,
            Self::Credential | Self::Documents => 1024,
        }
    }

    /// Whether a file without the column is refused.
    #[must_use]
    pub const fn is_required(self) -> bool {
        match self {
            Self::RequestId | Self::AcceptedAt => true,
            Self::FiscalCode
            | Self::Kind
            | Self::Office
            | Self::CompetentOffice
            | Self::Channel
            | Self::Surname
            | Self::GivenName
            | Self::BirthDate
            | Self::Profile
            | Self::Entity
            | Self::Level
            | Self::Credential
            | Self::CredentialScheme
            | Self::CredentialSalt
            | Self::HalvesDelivered
            | Self::Documents
            | Self::Requester
            | Self::Mandate
            | Self::Email
            | Self::Phone
            | Self::GuardianFiscalCode
            | Self::OfRequest
            | Self::OfPin
            | Self::Half
            | Self::Outcome
            | Self::Way => false,
        }
    }
}
