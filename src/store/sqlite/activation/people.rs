//! People as they stand in the model.

use sqlx::{Row as _, sqlite::SqliteRow};

use super::{failed, tx::ActivationTx};
use crate::{
    domain::{
        activation::standing::{
            ACTIVATION_SOURCE, Credential, Grant, Identity, MaxAges, Pin, PinName, Standing,
        },
        status::{Disposition, GrantStatus, LegacyStatus, Level, PinStatus},
    },
    store::StoreError,
};

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged {
        what: format!("a person with {what}"),
    }
}

/// Reads the columns of one row.
struct Columns<'r>(&'r SqliteRow);

impl Columns<'_> {
    fn text(&self, column: &str) -> Result<String, StoreError> {
        self.0.try_get(column).map_err(failed("read a person"))
    }

    fn optional(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.0.try_get(column).map_err(failed("read a person"))
    }

    fn date(&self, column: &str) -> Result<Option<jiff::civil::Date>, StoreError> {
        let text = self.optional(column)?;
        text.map(|text| text.parse().map_err(|_| damaged("a date that is none")))
            .transpose()
    }

    fn word<T>(&self, column: &str, by_name: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
        by_name(&self.text(column)?).ok_or_else(|| damaged("an unknown status or level"))
    }
}

fn pin(row: &SqliteRow) -> Result<Pin, StoreError> {
    let columns = Columns(row);
    let halves: i64 = row
        .try_get("halves_delivered")
        .map_err(failed("read a person"))?;
    let scheme = columns.optional("credential_scheme")?;
    let salt = columns.optional("credential_salt")?;
    let credential = columns.optional("credential")?.map(|hash| Credential {
        hash,
        scheme: scheme.unwrap_or_default(),
        salt,
    });
    let no_date = || damaged("a PIN without a date of issue");
    Ok(Pin {
        name: PinName {
            source: columns.text("source")?,
            legacy_id: columns.text("legacy_id")?,
        },
        status: columns.word("status", PinStatus::by_name)?,
        disposition: columns.word("disposition", Disposition::by_name)?,
        level: columns.word("level", Level::by_name)?,
        credential,
        halves_delivered: u8::try_from(halves).map_err(|_| damaged("too many halves"))?,
        issued_on: columns.date("issued_on")?.ok_or_else(no_date)?,
        expires_on: columns.date("expires_on")?,
        last_used_on: columns.date("last_used_on")?,
        office: columns.optional("office")?,
        channel: columns.optional("channel")?,
        legacy_profile: columns.text("legacy_profile")?,
        legacy_entity: columns.text("legacy_entity")?,
        legacy_status: columns.word("legacy_status", LegacyStatus::by_name)?,
        superseded_by: None,
    })
}

fn grant(row: &SqliteRow) -> Result<Grant, StoreError> {
    let columns = Columns(row);
    Ok(Grant {
        profile: columns.text("profile")?,
        entity: columns.text("entity")?,
        status: columns.word("status", GrantStatus::by_name)?,
        level: columns.word("level", Level::by_name)?,
        valid_from: columns
            .date("valid_from")?
            .ok_or_else(|| damaged("a grant without a date"))?,
        evidence: columns.text("evidence")?,
    })
}

impl ActivationTx<'_> {
    /// The days a PIN lasts unused, by profile, as the target's catalogue has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn max_ages(&mut self) -> Result<MaxAges, StoreError> {
        let rows: Vec<(String, u32)> = sqlx::query_as("SELECT profile, max_age_days FROM profile")
            .fetch_all(self.connection())
            .await
            .map_err(failed("read the catalogue"))?;
        Ok(rows.into_iter().collect())
    }

    /// The person a code leads to, old codes included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn person_of(&mut self, code: &str) -> Result<Option<i64>, StoreError> {
        sqlx::query_scalar("SELECT person_id FROM fiscal_code WHERE fiscal_code = ?1")
            .bind(code)
            .fetch_optional(self.connection())
            .await
            .map_err(failed("look for a person"))
    }

    /// The person as he stands.
    ///
    /// # Errors
    /// When the database fails or holds what no person can be.
    pub async fn standing(&mut self, person_id: i64) -> Result<Standing, StoreError> {
        let action = "read a person";
        let person = sqlx::query(
            "SELECT * FROM person JOIN fiscal_code USING (person_id)
             WHERE person_id = ?1 AND current = 1",
        )
        .bind(person_id)
        .fetch_one(self.connection())
        .await
        .map_err(failed(action))?;
        let pin_row = sqlx::query(
            "SELECT * FROM pin WHERE person_id = ?1 AND status IN ('active', 'suspended', 'pending')",
        )
        .bind(person_id)
        .fetch_optional(self.connection())
        .await
        .map_err(failed(action))?;
        let grants = sqlx::query("SELECT * FROM profile_grant WHERE person_id = ?1")
            .bind(person_id)
            .fetch_all(self.connection())
            .await
            .map_err(failed(action))?;
        let guardians =
            sqlx::query_scalar("SELECT guardian_fiscal_code FROM delegation WHERE person_id = ?1")
                .bind(person_id)
                .fetch_all(self.connection())
                .await
                .map_err(failed(action))?;
        let columns = Columns(&person);
        let code = columns.text("fiscal_code")?;
        Ok(Standing {
            fiscal_code: code
                .parse()
                .map_err(|_| damaged("a fiscal code that is none"))?,
            identity: Identity {
                surname: columns.text("surname")?,
                given_name: columns.optional("given_name")?,
                birth_date: columns.date("birth_date")?,
                email: columns.optional("email")?,
                phone: columns.optional("phone")?,
            },
            pin: pin_row.as_ref().map(pin).transpose()?,
            latest_request: self.latest_request(person_id).await?,
            grants: grants.iter().map(grant).collect::<Result<_, _>>()?,
            guardians,
        })
    }

    async fn latest_request(
        &mut self,
        person_id: i64,
    ) -> Result<Option<(jiff::Timestamp, PinName)>, StoreError> {
        let latest: Option<(String, String)> = sqlx::query_as(
            "SELECT delayed_activation.accepted_at, pin.legacy_id
             FROM pin JOIN delayed_activation ON delayed_activation.request_id = pin.legacy_id
             WHERE pin.person_id = ?1 AND pin.source = ?2
             ORDER BY delayed_activation.accepted_at DESC, delayed_activation.activation_id DESC LIMIT 1",
        )
        .bind(person_id)
        .bind(ACTIVATION_SOURCE)
        .fetch_optional(self.connection())
        .await
        .map_err(failed("read a person"))?;
        latest
            .map(|(accepted_at, legacy_id)| {
                let accepted_at = accepted_at
                    .parse()
                    .map_err(|_| damaged("a time that is none"))?;
                Ok((
                    accepted_at,
                    PinName {
                        source: ACTIVATION_SOURCE.to_owned(),
                        legacy_id,
                    },
                ))
            })
            .transpose()
    }
}
