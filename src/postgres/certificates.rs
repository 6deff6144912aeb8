//! The files that a URL names for TLS, looked at before the server is: the database layer takes one that is not there
//! for a server that is not there, and one without a certificate for one with nothing to say.

use std::{fs, io, path::Path};

use crate::config::postgres::PostgresSettings;

/// Why a file cannot serve.
pub(super) struct Unfit {
    pub(super) message: String,
    pub(super) source: Option<io::Error>,
}

const CERTIFICATE: [&str; 1] = ["CERTIFICATE"];

/// Keys that need no passphrase.
const KEYS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];

/// That every file can be read and holds what it is named for.
pub(super) fn check(settings: &PostgresSettings) -> Result<(), Unfit> {
    settings
        .files()
        .try_for_each(|(option, path)| match option {
            "sslkey" => holds(option, path, &KEYS, "private key without a passphrase"),
            _ => holds(option, path, &CERTIFICATE, "certificate"),
        })
}

/// Whether a passphrase was put on a key in the older way, which leaves its label as it is (RFC 1421, 4.6.1.1).
fn is_sealed(text: &str) -> bool {
    text.lines()
        .filter_map(|line| line.strip_prefix("Proc-Type:"))
        .any(|kind| kind.ends_with(",ENCRYPTED"))
}

fn holds(option: &str, path: &Path, labels: &[&str], what: &str) -> Result<(), Unfit> {
    let unfit = |why: &str, source| Unfit {
        message: format!("{option}={} {why}", path.display()),
        source,
    };
    let bytes = fs::read(path).map_err(|error| unfit("cannot be read", Some(error)))?;
    let text = String::from_utf8_lossy(&bytes);
    let begins = |label: &&str| text.contains(&format!("-----BEGIN {label}-----"));
    if labels.iter().any(begins) && !is_sealed(&text) {
        Ok(())
    } else {
        Err(unfit(&format!("holds no {what} (PEM)"), None))
    }
}
