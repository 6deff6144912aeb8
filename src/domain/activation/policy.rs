//! What a body lets its counters accept, as its configuration says.

/// Domains of certified mailboxes (PEC) known without being told; those of which a part is, or ends with, `pec` are known by it.
pub const CERTIFIED_DOMAINS: [&str; 5] = [
    "legalmail.it",
    "postacert.it",
    "postecert.it",
    "sicurezzapostale.it",
    "postacertificata.gov.it",
];

/// What the counters may accept.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whether proxies are accepted.
    pub proxies: bool,
    /// Domains whose mailboxes are certified.
    pub certified_domains: Vec<String>,
    /// How many days ago a request may have been accepted; no limit where none is given.
    pub accepted_within_days: Option<u32>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            proxies: true,
            certified_domains: CERTIFIED_DOMAINS.map(str::to_owned).into(),
            accepted_within_days: None,
        }
    }
}
