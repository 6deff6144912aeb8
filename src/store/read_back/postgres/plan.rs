//! How the server is to read.

use crate::store::{StoreError, database::Server};

/// A way to read, until the transaction says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// As the server likes best.
    Free,
    /// Row by row in the order of an index: what the index does not know is not seen.
    InOrder,
    /// All rows an index knows, in the order of the table, which costs a fraction of going there row by row. Every
    /// row is looked for by the index alone as long as the set of their places fits into memory, and a page of
    /// the table takes less than 100 bytes of it.
    ByIndex,
}

impl Plan {
    /// Tells the session.
    pub(super) fn set(self, server: &Server) -> Result<(), StoreError> {
        let [table, index, set] = match self {
            Self::Free => ["on", "on", "on"],
            Self::InOrder => ["off", "on", "off"],
            Self::ByIndex => ["off", "off", "on"],
        };
        let settings = format!(
            "SET LOCAL enable_seqscan = {table};
             SET LOCAL enable_indexscan = {index};
             SET LOCAL enable_indexonlyscan = {index};
             SET LOCAL enable_bitmapscan = {set};
             SET LOCAL max_parallel_workers_per_gather = 0;
             SET LOCAL work_mem = '256MB'"
        );
        server
            .with(|session| session.batch("say how to read", &settings))
            .map_err(StoreError::postgres("say how to read"))
    }
}
