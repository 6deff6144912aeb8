//! What the commands that only look ask the target.

pub mod audit;
mod fate;
mod notices;
mod progress;
mod quarantine;
mod run;
mod story;
mod survey;
mod timing;
mod waiting;

use super::{StoreError, database::Database, postgres, sqlite};
use crate::config::settings::TargetSettings;

pub use fate::{Fate, GrantFate, PinFate, QuarantineFate};
pub use notices::Asked;
pub use progress::RunProgress;
pub use quarantine::{QuarantineFilter, Quarantined};
pub use run::{RunState, Runner, SourceState};
pub use story::{CaptureFate, ReceiptFate, RequestFate};
pub use waiting::QueueDepth;

/// A connection that cannot write.
#[derive(Debug)]
pub struct Reader {
    pub(super) database: Database,
}

impl Reader {
    /// Opens an existing target of this version.
    ///
    /// # Errors
    /// When there is none, it is not ours or of another version, or it cannot be opened.
    pub fn open(target: &TargetSettings) -> Result<Self, StoreError> {
        Ok(Self {
            database: match target {
                TargetSettings::Sqlite(path) => Database::Sqlite(sqlite::file::open_to_read(path)?),
                TargetSettings::Postgres(place) => postgres::schema::open_to_read(place)?,
            },
        })
    }
}
