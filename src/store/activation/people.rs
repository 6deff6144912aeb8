//! People as they stand in the model.

use jiff::Timestamp;

use super::tx::ActivationTx;
use crate::{
    domain::{
        activation::standing::{
            ACTIVATION_SOURCE, Credential, Grant, Identity, MaxAges, Pin, PinName, Standing,
        },
        status::{Disposition, GrantStatus, LegacyStatus, Level, PinStatus},
    },
    store::{
        StoreError,
        database::{Row, damaged, values},
    },
};

const ACTION: &str = "read a person";

impl ActivationTx<'_> {
    /// The days a PIN lasts unused, by profile, as the target's catalogue has it.
    ///
    /// # Errors
    /// When the database fails.
    pub fn max_ages(&self) -> Result<MaxAges, StoreError> {
        self.database
            .rows(
                "read the catalogue",
                "SELECT profile, max_age_days FROM profile",
                &[],
            )?
            .iter()
            .map(|row| Ok((row.get::<String>(0)?, row.get::<u32>(1)?)))
            .collect()
    }

    /// The person a code leads to, old codes included.
    ///
    /// # Errors
    /// When the database fails.
    pub fn person_of(&self, code: &str) -> Result<Option<i64>, StoreError> {
        self.database
            .row(
                "look for a person",
                "SELECT person_id FROM fiscal_code WHERE fiscal_code = ?1",
                values![code],
            )?
            .map(|row| row.get(0))
            .transpose()
    }

    /// The person as he stands.
    ///
    /// # Errors
    /// When the database fails or holds what no person can be.
    pub fn standing(&self, person_id: i64) -> Result<Standing, StoreError> {
        let person = self.database.row(
            ACTION,
            "SELECT fiscal_code.fiscal_code, person.surname, person.given_name, person.birth_date,
                 person.email, person.phone
             FROM person JOIN fiscal_code ON fiscal_code.person_id = person.person_id
             WHERE person.person_id = ?1 AND fiscal_code.current = ?2",
            values![person_id, true],
        )?;
        let person = person.ok_or_else(|| damaged("a person without a code"))?;
        let live_pin = self.database.row(
            ACTION,
            "SELECT source, legacy_id, status, disposition, level, credential, credential_scheme,
                 credential_salt, halves_delivered, issued_on, expires_on, last_used_on, office, channel,
                 legacy_profile, legacy_entity, legacy_status
             FROM pin WHERE person_id = ?1 AND status IN ('active', 'suspended', 'pending')",
            values![person_id],
        )?;
        let grants = self.database.rows(
            ACTION,
            "SELECT profile, entity, status, level, valid_from, evidence FROM profile_grant
             WHERE person_id = ?1",
            values![person_id],
        )?;
        let guardians = self.database.rows(
            ACTION,
            "SELECT guardian_fiscal_code FROM delegation WHERE person_id = ?1",
            values![person_id],
        )?;
        let mut columns = person.columns();
        Ok(Standing {
            fiscal_code: columns.next()?,
            identity: Identity {
                surname: columns.next()?,
                given_name: columns.next()?,
                birth_date: columns.next()?,
                email: columns.next()?,
                phone: columns.next()?,
            },
            pin: live_pin.as_ref().map(pin).transpose()?,
            latest_request: self.latest_request(person_id)?,
            grants: grants.iter().map(grant).collect::<Result<_, _>>()?,
            guardians: guardians
                .iter()
                .map(|row| row.get(0))
                .collect::<Result<_, _>>()?,
        })
    }

    fn latest_request(&self, person_id: i64) -> Result<Option<(Timestamp, PinName)>, StoreError> {
        let latest = self.database.row(
            ACTION,
            "SELECT delayed_activation.accepted_at, pin.legacy_id
             FROM pin JOIN delayed_activation ON delayed_activation.request_id = pin.legacy_id
             WHERE pin.person_id = ?1 AND pin.source = ?2
             ORDER BY delayed_activation.accepted_at DESC, delayed_activation.activation_id DESC LIMIT 1",
            values![person_id, ACTIVATION_SOURCE],
        )?;
        latest
            .map(|row| {
                let name = PinName {
                    source: ACTIVATION_SOURCE.to_owned(),
                    legacy_id: row.get(1)?,
                };
                Ok((row.get(0)?, name))
            })
            .transpose()
    }
}

fn pin(row: &Row) -> Result<Pin, StoreError> {
    let mut columns = row.columns();
    Ok(Pin {
        name: PinName {
            source: columns.next()?,
            legacy_id: columns.next()?,
        },
        status: columns.word(PinStatus::by_name)?,
        disposition: columns.word(Disposition::by_name)?,
        level: columns.word(Level::by_name)?,
        credential: {
            let hash: Option<String> = columns.next()?;
            let scheme: Option<String> = columns.next()?;
            let salt = columns.next()?;
            hash.map(|hash| Credential {
                hash,
                scheme: scheme.unwrap_or_default(),
                salt,
            })
        },
        halves_delivered: columns.next()?,
        issued_on: columns.next()?,
        expires_on: columns.next()?,
        last_used_on: columns.next()?,
        office: columns.next()?,
        channel: columns.next()?,
        legacy_profile: columns.next()?,
        legacy_entity: columns.next()?,
        legacy_status: columns.word(LegacyStatus::by_name)?,
        superseded_by: None,
    })
}

fn grant(row: &Row) -> Result<Grant, StoreError> {
    let mut columns = row.columns();
    Ok(Grant {
        profile: columns.next()?,
        entity: columns.next()?,
        status: columns.word(GrantStatus::by_name)?,
        level: columns.word(Level::by_name)?,
        valid_from: columns.next()?,
        evidence: columns.next()?,
    })
}
