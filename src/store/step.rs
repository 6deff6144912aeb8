//! The steps between the bulk load and verification, each done once and marked in its own transaction.

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexStep {
    /// Its name in `run_step`.
    pub name: &'static str,
    /// Steps of one stage may be done at the same time; a stage begins when the one before it is over.
    pub stage: u8,
    /// What it does.
    pub(super) work: StepWork,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepWork {
    /// Builds an index that a fresh target is loaded without.
    Index {
        /// Name of the index.
        index: &'static str,
        /// The statement that builds it.
        sql: &'static str,
    },
    /// Makes unique indexes the primary keys, and foreign keys hold from now on (PostgreSQL).
    Keys(&'static str),
    /// Checks that what was there before keeps a foreign key (PostgreSQL).
    Validate {
        /// The table that refers to another.
        table: &'static str,
        /// Name of the foreign key.
        key: &'static str,
    },
    /// Checks every foreign key (SQLite).
    ForeignKeys,
    /// Gathers statistics for the query planner; of this table, or of all.
    Statistics(Option<&'static str>),
}
