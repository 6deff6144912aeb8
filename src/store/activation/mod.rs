//! The queue of delayed activations, asked and changed.

mod due;
mod ledger;
mod pending;
mod people;
mod queue;
mod sql;
mod tx;
mod write;

pub use due::{Due, DueCursor, Waiting};
pub use pending::PendingCursor;
pub use queue::{Known, Taken};
pub use tx::{ActivationTx, Readiness};

use super::{Intent, StoreError, Target};
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
        Ok(Self {
            target: Target::open(settings, Intent::MustExist)?,
        })
    }

    /// Begins a transaction on the queue and the model that no other writer of the queue overlaps.
    ///
    /// # Errors
    /// When the database stays busy or fails.
    pub fn begin(&mut self) -> Result<ActivationTx<'_>, StoreError> {
        let tx = self.target.write()?;
        tx.one_at_a_time("begin a transaction on the queue", "delayed_activation")?;
        Ok(ActivationTx::new(tx))
    }
}
