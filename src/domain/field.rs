//! The canonical fields of a legacy record.

use serde::{Deserialize, Serialize};

/// How many canonical fields there are.
pub const FIELDS: usize = 21;

/// A canonical field of a legacy record, whatever the source calls its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// The record's id, unique within its source.
    LegacyId,
    /// The holder's fiscal code.
    FiscalCode,
    /// The holder's surname, or a body's name.
    Surname,
    /// The holder's given name; empty for numeric codes.
    GivenName,
    /// ISO date of birth; may be empty.
    BirthDate,
    /// Code of the profile catalogue.
    Profile,
    /// Patronato, company or firm the profile is exercised for.
    Entity,
    /// Status code of the PIN.
    Status,
    /// Assurance level of the credential.
    Level,
    /// The credential's hash, carried and never decoded.
    Credential,
    /// The scheme the credential was hashed with.
    CredentialScheme,
    /// The salt, where it is kept apart from the hash.
    CredentialSalt,
    /// ISO date of issue; required.
    IssuedOn,
    /// ISO date of expiry.
    ExpiresOn,
    /// ISO date of the last use.
    LastUsedOn,
    /// The issuing office; opaque text, leading zeros kept.
    Office,
    /// The channel the PIN was issued through.
    Channel,
    /// How many halves of the PIN were delivered: 0, 1 or 2.
    HalvesDelivered,
    /// E-mail address.
    Email,
    /// Telephone number.
    Phone,
    /// Fiscal code of the guardian.
    GuardianFiscalCode,
}

impl Field {
    /// All fields in canonical order, the order of [`crate::domain::raw_record::RawRecord::fields`].
    pub const ALL: [Self; FIELDS] = [
        Self::LegacyId,
        Self::FiscalCode,
        Self::Surname,
        Self::GivenName,
        Self::BirthDate,
        Self::Profile,
        Self::Entity,
        Self::Status,
        Self::Level,
        Self::Credential,
        Self::CredentialScheme,
        Self::CredentialSalt,
        Self::IssuedOn,
        Self::ExpiresOn,
        Self::LastUsedOn,
        Self::Office,
        Self::Channel,
        Self::HalvesDelivered,
        Self::Email,
        Self::Phone,
        Self::GuardianFiscalCode,
    ];

    /// Position in [`Field::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The canonical name, as configuration files and payloads spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LegacyId => "legacy_id",
            Self::FiscalCode => "fiscal_code",
            Self::Surname => "surname",
            Self::GivenName => "given_name",
            Self::BirthDate => "birth_date",
            Self::Profile => "profile",
            Self::Entity => "entity",
            Self::Status => "status",
            Self::Level => "level",
            Self::Credential => "credential",
            Self::CredentialScheme => "credential_scheme",
            Self::CredentialSalt => "credential_salt",
            Self::IssuedOn => "issued_on",
            Self::ExpiresOn => "expires_on",
            Self::LastUsedOn => "last_used_on",
            Self::Office => "office",
            Self::Channel => "channel",
            Self::HalvesDelivered => "halves_delivered",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::GuardianFiscalCode => "guardian_fiscal_code",
        }
    }

    /// The column of the default legacy layout; `None` for the salt, which that layout has not.
    #[must_use]
    pub const fn default_column(self) -> Option<&'static str> {
        Some(match self {
            Self::LegacyId => "id",
            Self::FiscalCode => "codice_fiscale",
            Self::Surname => "cognome",
            Self::GivenName => "nome",
            Self::BirthDate => "data_nascita",
            Self::Profile => "classe_utente",
            Self::Entity => "codice_ente",
            Self::Status => "stato",
            Self::Level => "tipo_pin",
            Self::Credential => "pin_hash",
            Self::CredentialScheme => "algoritmo",
            Self::CredentialSalt => return None,
            Self::IssuedOn => "data_rilascio",
            Self::ExpiresOn => "data_scadenza",
            Self::LastUsedOn => "ultimo_accesso",
            Self::Office => "sede",
            Self::Channel => "canale",
            Self::HalvesDelivered => "meta_consegnate",
            Self::Email => "email",
            Self::Phone => "telefono",
            Self::GuardianFiscalCode => "cf_tutore",
        })
    }

    /// The field with this canonical name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }
}
