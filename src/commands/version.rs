//! What `--version` tells whoever reports a fault.

use crate::{engine::document::SCHEMA, store};

/// The program's version, the commit it is built from where that is known, and those of what it writes.
pub(super) fn long(commit: Option<&str>) -> String {
    let mut text = env!("CARGO_PKG_VERSION").to_owned();
    if let Some(commit) = commit {
        text.push_str(&format!("\ncommit {commit}"));
    }
    text.push_str(&format!(
        "\ntarget tables: version {}\nJSON documents: schema {}",
        store::tables_version(),
        SCHEMA
    ));
    text
}
