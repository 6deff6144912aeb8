//! The transaction that makes the multi-profile model the valid one.

use rusqlite::params;

use super::{connection::NOW, leased_tx::LeasedTx};
use crate::{
    domain::digest::Digest,
    failpoint,
    store::{RunPhase, StoreError},
};

impl LeasedTx<'_> {
    /// Cuts over: the model, the run's phase, and its digest, final from here on.
    ///
    /// # Errors
    ///
    /// When the run is not verified, or the database fails.
    pub fn cut_over(&self, digest: Digest) -> Result<(), StoreError> {
        failpoint::reached("cut_over.begin");
        self.set_phase(RunPhase::Verified, RunPhase::CutOver)?;
        let failed = StoreError::sqlite;
        let action = "cut over";
        self.connection
            .execute(
                &format!("UPDATE run SET digest = ?2, cut_over_at = {NOW} WHERE run_id = ?1"),
                params![self.run_id(), digest.to_string()],
            )
            .map_err(failed(action))?;
        let changed = self
            .connection
            .execute(
                &format!(
                    "UPDATE model_state SET model = 'multiprofile', run_id = ?1, changed_at = {NOW} WHERE id = 1"
                ),
                [self.run_id()],
            )
            .map_err(failed(action))?;
        if changed == 1 {
            Ok(())
        } else {
            Err(StoreError::Damaged {
                what: "no row in model_state".to_owned(),
            })
        }
    }
}
