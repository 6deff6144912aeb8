//! The steps between the bulk load and verification, each done once and marked in its own transaction.

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexStep {
    /// Its name in `run_step`.
    pub name: &'static str,
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
    /// Checks every foreign key.
    ForeignKeys,
    /// Gathers statistics for the query planner.
    Statistics,
}

macro_rules! index {
    ($number:literal, $index:literal) => {
        IndexStep {
            name: concat!("index.", $index),
            work: StepWork::Index {
                index: $index,
                sql: include_str!(concat!(
                    "../../migrations/sqlite/index/",
                    $number,
                    "_",
                    $index,
                    ".sql"
                )),
            },
        }
    };
}

/// Every step, in order.
pub const INDEX_STEPS: [IndexStep; 9] = [
    index!("01", "pin_source"),
    index!("02", "pin_person"),
    index!("03", "pin_one_live"),
    index!("04", "pin_superseded"),
    index!("05", "fiscal_code_person"),
    index!("06", "fiscal_code_current"),
    index!("07", "finding_record"),
    IndexStep {
        name: "foreign_keys",
        work: StepWork::ForeignKeys,
    },
    IndexStep {
        name: "statistics",
        work: StepWork::Statistics,
    },
];
