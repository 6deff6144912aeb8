//! Writing an effect.

use super::tx::ActivationTx;
use crate::{
    domain::{
        activation::{
            effect::{Change, Effect, Holder},
            standing::{Grant, Pin, PinName},
        },
        rows::DelegationRow,
    },
    store::{
        StoreError,
        database::{Value, values},
    },
};

/// Ids that no run has reserved and no row has.
const NEXT_ID: &str = "
SELECT coalesce(max(taken.id), 0) + 1 FROM (
    SELECT max(person_id) AS id FROM person
    UNION ALL SELECT max(pin_id) FROM pin
    UNION ALL SELECT max(id_end) FROM run) AS taken";

const ACTION: &str = "let a request take effect";

impl ActivationTx<'_> {
    /// Writes an effect and gives the id of the person's PIN it brought about, or that it changed last.
    ///
    /// # Errors
    /// When the database fails or its constraints refuse a row.
    pub fn apply(
        &self,
        run_id: i64,
        person_id: Option<i64>,
        effect: &Effect,
    ) -> Result<i64, StoreError> {
        let next_id: i64 = self.database.value(ACTION, NEXT_ID, &[])?;
        let person_id = match effect.holder {
            Holder::New => self.insert_person(run_id, next_id, effect)?,
            Holder::Standing => person_id.ok_or_else(|| StoreError::Damaged {
                what: "a person without an id".to_owned(),
            })?,
        };
        let new_pin = effect.pins.iter().find(|change| change.before.is_none());
        let new_name = new_pin.map(|change| change.after.name.clone());
        let new_id = next_id + 1;
        let mut last_id = new_id;
        for change in &effect.pins {
            let successor = match &change.after.superseded_by {
                Some(name) if Some(name) == new_name.as_ref() => Some(new_id),
                Some(name) => Some(self.pin_id(name)?),
                None => None,
            };
            last_id = match change.before {
                None => self.insert_pin(run_id, person_id, new_id, &change.after, successor)?,
                Some(_) => self.update_pin(&change.after, successor)?,
            };
        }
        for change in &effect.grants {
            self.put_grant(run_id, person_id, change)?;
        }
        if let Some(delegation) = &effect.delegation {
            self.insert_delegation(run_id, person_id, delegation)?;
        }
        Ok(last_id)
    }

    fn insert_person(
        &self,
        run_id: i64,
        person_id: i64,
        effect: &Effect,
    ) -> Result<i64, StoreError> {
        let identity = &effect.identity;
        self.put(
            "INSERT INTO person (person_id, surname, given_name, birth_date, email, phone, run_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            values![
                person_id,
                &identity.surname,
                &identity.given_name,
                identity.birth_date,
                &identity.email,
                &identity.phone,
                run_id
            ],
        )?;
        self.put(
            "INSERT INTO fiscal_code (fiscal_code, person_id, current) VALUES (?1, ?2, ?3)",
            values![effect.fiscal_code.as_str(), person_id, true],
        )?;
        Ok(person_id)
    }

    fn pin_id(&self, name: &PinName) -> Result<i64, StoreError> {
        self.database.value(
            ACTION,
            "SELECT pin_id FROM pin WHERE legacy_id = ?1 AND source = ?2",
            values![&name.legacy_id, &name.source],
        )
    }

    fn insert_pin(
        &self,
        run_id: i64,
        person_id: i64,
        pin_id: i64,
        pin: &Pin,
        successor: Option<i64>,
    ) -> Result<i64, StoreError> {
        let credential = pin.credential.as_ref();
        self.put(
            "INSERT INTO pin (pin_id, person_id, status, disposition, level, credential, credential_scheme,
                 credential_salt, halves_delivered, issued_on, expires_on, last_used_on, office, channel,
                 source, legacy_id, legacy_profile, legacy_entity, legacy_status, superseded_by, run_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19,
                 ?20, ?21)",
            values![
                pin_id,
                person_id,
                pin.status.as_str(),
                pin.disposition.as_str(),
                pin.level.as_str(),
                credential.map(|credential| credential.hash.as_str()),
                credential.map(|credential| credential.scheme.as_str()),
                credential.and_then(|credential| credential.salt.as_deref()),
                pin.halves_delivered,
                pin.issued_on,
                pin.expires_on,
                pin.last_used_on,
                &pin.office,
                &pin.channel,
                &pin.name.source,
                &pin.name.legacy_id,
                &pin.legacy_profile,
                &pin.legacy_entity,
                pin.legacy_status.as_str(),
                successor,
                run_id
            ],
        )?;
        Ok(pin_id)
    }

    /// Writes what an effect may change of a PIN that stands: status, expiry, successor.
    fn update_pin(&self, pin: &Pin, successor: Option<i64>) -> Result<i64, StoreError> {
        self.database.value(
            ACTION,
            "UPDATE pin SET status = ?3, expires_on = ?4, superseded_by = ?5
             WHERE legacy_id = ?1 AND source = ?2 RETURNING pin_id",
            values![
                &pin.name.legacy_id,
                &pin.name.source,
                pin.status.as_str(),
                pin.expires_on,
                successor
            ],
        )
    }

    fn put_grant(
        &self,
        run_id: i64,
        person_id: i64,
        change: &Change<Grant>,
    ) -> Result<(), StoreError> {
        let grant = &change.after;
        self.put(
            "INSERT INTO profile_grant
                 (person_id, profile, entity, status, level, valid_from, evidence, run_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (person_id, profile, entity) DO UPDATE SET status = excluded.status,
                 level = excluded.level, valid_from = excluded.valid_from, evidence = excluded.evidence",
            values![
                person_id,
                &grant.profile,
                &grant.entity,
                grant.status.as_str(),
                grant.level.as_str(),
                grant.valid_from,
                &grant.evidence,
                run_id
            ],
        )
    }

    fn insert_delegation(
        &self,
        run_id: i64,
        person_id: i64,
        delegation: &DelegationRow,
    ) -> Result<(), StoreError> {
        self.put(
            "INSERT INTO delegation (person_id, guardian_fiscal_code, evidence, run_id)
             VALUES (?1, ?2, ?3, ?4)",
            values![
                person_id,
                delegation.guardian_fiscal_code.as_str(),
                &delegation.evidence,
                run_id
            ],
        )
    }

    fn put(&self, sql: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.database.execute(ACTION, sql, values).map(drop)
    }
}
