//! What the commands of the queue have in common.

use std::env;

use tokio::runtime::{Builder, Runtime};

use super::failure::Failure;
use crate::{
    config::settings::TargetSettings,
    exit::Exit,
    store::{StoreError, sqlite::activation::ActivationStore},
};

/// A runtime for one command.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, error, None))
}

/// The queue in the target.
pub(super) async fn open(target: &TargetSettings) -> Result<ActivationStore, StoreError> {
    ActivationStore::open(target).await
}

/// Who runs the command, as the audit log names him.
pub(super) fn actor() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .filter_map(|name| env::var(name).ok())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}
