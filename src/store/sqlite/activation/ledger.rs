//! What pinferry answers for after cut-over: the ledger of the digest and the audit log.

use super::{failed, tx::ActivationTx};
use crate::{
    domain::tally::Tally,
    store::{StoreError, chain},
};

const NOW: &str = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

impl ActivationTx<'_> {
    /// Notes the difference a change makes to the tally.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn ledger(&mut self, cause: &str, tally: &Tally) -> Result<(), StoreError> {
        let json = serde_json::to_string(tally).map_err(|_| StoreError::Damaged {
            what: "a tally that has no JSON form".to_owned(),
        })?;
        sqlx::query(
            "INSERT INTO digest_ledger (at, cause, tally)
             VALUES (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), ?1, ?2)",
        )
        .bind(cause)
        .bind(json)
        .execute(self.connection())
        .await
        .map(|_| ())
        .map_err(failed("write the digest ledger"))
    }

    /// Adds to the audit log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn audit(
        &mut self,
        actor: &str,
        action: &str,
        reason: &str,
        detail: &serde_json::Value,
    ) -> Result<(), StoreError> {
        let cannot = "write the audit log";
        let at: String = sqlx::query_scalar(NOW)
            .fetch_one(self.connection())
            .await
            .map_err(failed(cannot))?;
        let before: Option<String> =
            sqlx::query_scalar("SELECT chain FROM audit_event ORDER BY audit_id DESC LIMIT 1")
                .fetch_optional(self.connection())
                .await
                .map_err(failed(cannot))?;
        let detail = detail.to_string();
        let columns = [at.as_str(), actor, action, reason, &detail];
        let link = chain::link(before.as_deref().unwrap_or_default(), &columns);
        sqlx::query(
            "INSERT INTO audit_event (at, actor, action, reason, detail, chain)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(&at)
        .bind(actor)
        .bind(action)
        .bind(reason)
        .bind(&detail)
        .bind(link)
        .execute(self.connection())
        .await
        .map(|_| ())
        .map_err(failed(cannot))
    }
}
