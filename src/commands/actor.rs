//! Who runs a command.

use std::env;

/// Who runs the command, as the audit log names him; by his number where the environment says no name, as cron's may.
pub(super) fn actor() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .filter_map(|name| env::var(name).ok())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()))
}
