//! A person as read back.

use super::row_set::RowSet;

/// Text columns of `person`.
pub mod person {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const SURNAME: usize = 0;
    pub const GIVEN_NAME: usize = 1;
    pub const BIRTH_DATE: usize = 2;
    pub const EMAIL: usize = 3;
    pub const PHONE: usize = 4;
    pub const COLUMNS: usize = 5;
}

/// Text columns of `fiscal_code`.
pub mod code {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const FISCAL_CODE: usize = 0;
    pub const CURRENT: usize = 1;
    pub const COLUMNS: usize = 2;
}

/// Text columns of `pin`; `superseded_by` and the ids are among the keys.
pub mod pin {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const STATUS: usize = 0;
    pub const DISPOSITION: usize = 1;
    pub const LEVEL: usize = 2;
    pub const CREDENTIAL: usize = 3;
    pub const CREDENTIAL_SCHEME: usize = 4;
    pub const CREDENTIAL_SALT: usize = 5;
    pub const HALVES_DELIVERED: usize = 6;
    pub const ISSUED_ON: usize = 7;
    pub const EXPIRES_ON: usize = 8;
    pub const LAST_USED_ON: usize = 9;
    pub const OFFICE: usize = 10;
    pub const CHANNEL: usize = 11;
    pub const SOURCE: usize = 12;
    pub const LEGACY_ID: usize = 13;
    pub const LEGACY_PROFILE: usize = 14;
    pub const LEGACY_ENTITY: usize = 15;
    pub const LEGACY_STATUS: usize = 16;
    pub const COLUMNS: usize = 17;
}

/// Text columns of `profile_grant`.
pub mod grant {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const PROFILE: usize = 0;
    pub const ENTITY: usize = 1;
    pub const STATUS: usize = 2;
    pub const LEVEL: usize = 3;
    pub const VALID_FROM: usize = 4;
    pub const EVIDENCE: usize = 5;
    pub const COLUMNS: usize = 6;
}

/// Text columns of `delegation`.
pub mod delegation {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const GUARDIAN: usize = 0;
    pub const EVIDENCE: usize = 1;
    pub const COLUMNS: usize = 2;
}

/// A person as it stands, with its codes, PINs, grants and delegations.
#[derive(Debug)]
pub struct PersonRead {
    /// Surrogate key, for joining only.
    pub person_id: i64,
    /// One row, unless rows hang on a person that does not exist.
    pub person: RowSet,
    /// All codes.
    pub codes: RowSet,
    /// All PINs, in no particular order.
    pub pins: RowSet,
    /// All grants.
    pub grants: RowSet,
    /// All delegations.
    pub delegations: RowSet,
}

impl PersonRead {
    pub(super) fn empty() -> Self {
        Self {
            person_id: i64::MIN,
            person: RowSet::new(person::COLUMNS),
            codes: RowSet::new(code::COLUMNS),
            pins: RowSet::new(pin::COLUMNS),
            grants: RowSet::new(grant::COLUMNS),
            delegations: RowSet::new(delegation::COLUMNS),
        }
    }

    pub(super) fn clear(&mut self, person_id: i64) {
        self.person_id = person_id;
        for rows in [
            &mut self.person,
            &mut self.codes,
            &mut self.pins,
            &mut self.grants,
            &mut self.delegations,
        ] {
            rows.clear();
        }
    }
}
