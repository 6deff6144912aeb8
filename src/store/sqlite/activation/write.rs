//! Writing an effect.

use sqlx::query::Query;

use super::{failed, tx::ActivationTx};
use crate::{
    domain::{
        activation::{
            effect::{Change, Effect, Holder},
            standing::{Grant, Pin, PinName},
        },
        rows::DelegationRow,
    },
    store::StoreError,
};

type Bound<'q> = Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

/// Ids that no run has reserved and no row has.
const NEXT_ID: &str = "
SELECT 1 + max(
    coalesce((SELECT max(person_id) FROM person), 0),
    coalesce((SELECT max(pin_id) FROM pin), 0),
    coalesce((SELECT max(id_end) FROM run), 0))";

const ACTION: &str = "let a request take effect";

impl ActivationTx<'_> {
    /// Writes an effect and gives the id of the person's PIN it brought about, or that it changed last.
    ///
    /// # Errors
    /// When the database fails or its constraints refuse a row.
    pub async fn apply(
        &mut self,
        run_id: i64,
        person_id: Option<i64>,
        effect: &Effect,
    ) -> Result<i64, StoreError> {
        let next_id: i64 = sqlx::query_scalar(NEXT_ID)
            .fetch_one(self.connection())
            .await
            .map_err(failed(ACTION))?;
        let person_id = match effect.holder {
            Holder::New => self.insert_person(run_id, next_id, effect).await?,
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
                Some(name) => Some(self.pin_id(name).await?),
                None => None,
            };
            last_id = match change.before {
                None => {
                    self.insert_pin(run_id, person_id, new_id, &change.after, successor)
                        .await?
                }
                Some(_) => self.update_pin(&change.after, successor).await?,
            };
        }
        for change in &effect.grants {
            self.put_grant(run_id, person_id, change).await?;
        }
        if let Some(delegation) = &effect.delegation {
            self.insert_delegation(run_id, person_id, delegation)
                .await?;
        }
        Ok(last_id)
    }

    async fn insert_person(
        &mut self,
        run_id: i64,
        person_id: i64,
        effect: &Effect,
    ) -> Result<i64, StoreError> {
        let identity = &effect.identity;
        let person = sqlx::query(
            "INSERT INTO person (person_id, surname, given_name, birth_date, email, phone, run_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(person_id)
        .bind(&identity.surname)
        .bind(&identity.given_name)
        .bind(identity.birth_date.map(|date| date.to_string()))
        .bind(&identity.email)
        .bind(&identity.phone)
        .bind(run_id);
        self.one_row(person).await?;
        let code = sqlx::query(
            "INSERT INTO fiscal_code (fiscal_code, person_id, current) VALUES (?1, ?2, 1)",
        )
        .bind(effect.fiscal_code.as_str())
        .bind(person_id);
        self.one_row(code).await?;
        Ok(person_id)
    }

    async fn pin_id(&mut self, name: &PinName) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT pin_id FROM pin WHERE legacy_id = ?1 AND source = ?2")
            .bind(&name.legacy_id)
            .bind(&name.source)
            .fetch_one(self.connection())
            .await
            .map_err(failed(ACTION))
    }

    async fn insert_pin(
        &mut self,
        run_id: i64,
        person_id: i64,
        pin_id: i64,
        pin: &Pin,
        successor: Option<i64>,
    ) -> Result<i64, StoreError> {
        let credential = pin.credential.as_ref();
        let insert = sqlx::query(
            "INSERT INTO pin (pin_id, person_id, status, disposition, level, credential, credential_scheme,
                 credential_salt, halves_delivered, issued_on, expires_on, last_used_on, office, channel,
                 source, legacy_id, legacy_profile, legacy_entity, legacy_status, superseded_by, run_id)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(pin_id)
        .bind(person_id)
        .bind(pin.status.as_str())
        .bind(pin.disposition.as_str())
        .bind(pin.level.as_str())
        .bind(credential.map(|credential| credential.hash.as_str()))
        .bind(credential.map(|credential| credential.scheme.as_str()))
        .bind(credential.and_then(|credential| credential.salt.as_deref()))
        .bind(i64::from(pin.halves_delivered))
        .bind(pin.issued_on.to_string())
        .bind(pin.expires_on.map(|date| date.to_string()))
        .bind(pin.last_used_on.map(|date| date.to_string()))
        .bind(&pin.office)
        .bind(&pin.channel)
        .bind(&pin.name.source)
        .bind(&pin.name.legacy_id)
        .bind(&pin.legacy_profile)
        .bind(&pin.legacy_entity)
        .bind(pin.legacy_status.as_str())
        .bind(successor)
        .bind(run_id);
        self.one_row(insert).await?;
        Ok(pin_id)
    }

    /// Writes what an effect may change of a PIN that stands: status, expiry, successor.
    async fn update_pin(&mut self, pin: &Pin, successor: Option<i64>) -> Result<i64, StoreError> {
        sqlx::query_scalar(
            "UPDATE pin SET status = ?3, expires_on = ?4, superseded_by = ?5
             WHERE legacy_id = ?1 AND source = ?2 RETURNING pin_id",
        )
        .bind(&pin.name.legacy_id)
        .bind(&pin.name.source)
        .bind(pin.status.as_str())
        .bind(pin.expires_on.map(|date| date.to_string()))
        .bind(successor)
        .fetch_one(self.connection())
        .await
        .map_err(failed(ACTION))
    }

    async fn put_grant(
        &mut self,
        run_id: i64,
        person_id: i64,
        change: &Change<Grant>,
    ) -> Result<(), StoreError> {
        let grant = &change.after;
        let put = sqlx::query(
            "INSERT INTO profile_grant
                 (person_id, profile, entity, status, level, valid_from, evidence, run_id)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (person_id, profile, entity) DO UPDATE SET status = excluded.status,
                 level = excluded.level, valid_from = excluded.valid_from, evidence = excluded.evidence",
        )
        .bind(person_id)
        .bind(&grant.profile)
        .bind(&grant.entity)
        .bind(grant.status.as_str())
        .bind(grant.level.as_str())
        .bind(grant.valid_from.to_string())
        .bind(&grant.evidence)
        .bind(run_id);
        self.one_row(put).await
    }

    async fn insert_delegation(
        &mut self,
        run_id: i64,
        person_id: i64,
        delegation: &DelegationRow,
    ) -> Result<(), StoreError> {
        let insert = sqlx::query(
            "INSERT INTO delegation (person_id, guardian_fiscal_code, evidence, run_id)
             VALUES (?1, ?2, ?3, ?4)",
        )
        .bind(person_id)
        .bind(delegation.guardian_fiscal_code.as_str())
        .bind(&delegation.evidence)
        .bind(run_id);
        self.one_row(insert).await
    }

    async fn one_row(&mut self, statement: Bound<'_>) -> Result<(), StoreError> {
        statement
            .execute(self.connection())
            .await
            .map(|_| ())
            .map_err(failed(ACTION))
    }
}
