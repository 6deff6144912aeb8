//! What a SQLite target is given after the bulk load.

use crate::store::step::{IndexStep, StepWork};

macro_rules! index {
    ($number:literal, $index:literal) => {
        IndexStep {
            name: concat!("index.", $index),
            stage: 0,
            work: StepWork::Index {
                index: $index,
                sql: include_str!(concat!(
                    "../../../migrations/sqlite/index/",
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
pub(in crate::store) const INDEX_STEPS: &[IndexStep] = &[
    index!("01", "pin_source"),
    index!("02", "pin_person"),
    index!("03", "pin_one_live"),
    index!("04", "pin_superseded"),
    index!("05", "fiscal_code_person"),
    index!("06", "fiscal_code_current"),
    index!("07", "finding_record"),
    IndexStep {
        name: "foreign_keys",
        stage: 1,
        work: StepWork::ForeignKeys,
    },
    IndexStep {
        name: "statistics",
        stage: 2,
        work: StepWork::Statistics(None),
    },
];
