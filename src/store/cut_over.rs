//! The transaction that makes the multi-profile model the valid one.

use super::{RunPhase, StoreError, database::values, leased_tx::LeasedTx};
use crate::{domain::digest::Digest, failpoint};

const ACTION: &str = "cut over";

impl LeasedTx<'_> {
    /// Cuts over: the model, the run's phase, and its digest, final from here on.
    ///
    /// # Errors
    ///
    /// When the run is not verified, or the database fails.
    pub fn cut_over(&self, digest: Digest) -> Result<(), StoreError> {
        failpoint::reached("cut_over.begin");
        self.set_phase(RunPhase::Verified, RunPhase::CutOver)?;
        self.database.execute(
            ACTION,
            "UPDATE run SET digest = ?2, cut_over_at = {now} WHERE run_id = ?1",
            values![self.run_id(), &digest.to_string()],
        )?;
        let changed = self.database.execute(
            ACTION,
            "UPDATE model_state SET model = 'multiprofile', run_id = ?1, changed_at = {now} WHERE id = 1",
            values![self.run_id()],
        )?;
        if changed == 1 {
            Ok(())
        } else {
            Err(StoreError::Damaged {
                what: "no row in model_state".to_owned(),
            })
        }
    }
}
