//! The queue of delayed activations, asked and changed.

mod claim;
mod due;
mod ledger;
mod pending;
mod people;
mod queue;
mod receipt;
mod revoked;
mod sql;
mod supersede;
mod tx;
mod write;

pub(in crate::store) use claim::TAKES_AWAY;
pub use claim::{Awaited, Claim, Whom};
pub use due::{Due, DueCursor, Waiting};
pub(in crate::store) use due::{is_behind, is_of_nobody};
pub use ledger::Settled;
pub use pending::PendingCursor;
pub(in crate::store) use pending::pending_done;
pub use people::People;
pub use queue::{Known, Taken};
pub(in crate::store) use receipt::diverted;
pub use receipt::{AbsentPin, ReceiptCursor, SentHalf, SentPin};
pub use revoked::{
    CAPTURES_KEPT, CAPTURES_REPLAYED, Revoked, TakenBefore, TakenGrant, TakenUnderLock,
};
pub(in crate::store) use tx::readiness;
pub use tx::{ActivationTx, Readiness};
pub use write::{IdBase, PersonEffect};

use super::{StoreError, Target};
use crate::config::settings::TargetSettings;

/// The queue in an existing target of the current version.
#[derive(Debug)]
pub struct ActivationStore {
    target: Target,
}

impl ActivationStore {
    /// Opens the target.
    ///
    /// # Errors
    /// When there is none, it is not ours, or it cannot be opened.
    pub fn open(settings: &TargetSettings) -> Result<Self, StoreError> {
        let target = Target::open_to_serve(settings)?;
        target.database.serve_a_queue()?;
        Ok(Self { target })
    }

    /// Further hands, so that `hands` in all are at the queue at the same time; none on SQLite, which has one writer.
    ///
    /// # Errors
    /// When the server takes no more connections.
    pub fn crew(&self, hands: usize) -> Result<Vec<Self>, StoreError> {
        match self.target.settings() {
            TargetSettings::Postgres(_) => (1..hands)
                .map(|_| Self::open(self.target.settings()))
                .collect(),
            _one_writer => Ok(Vec::new()),
        }
    }

    /// Begins a transaction on the queue and the model. Others go on beside it where the engine lets them; what it
    /// claims is its own.
    ///
    /// # Errors
    /// When the database stays busy or fails.
    pub fn begin(&mut self) -> Result<ActivationTx<'_>, StoreError> {
        Ok(ActivationTx::new(self.target.write()?))
    }
}
