//! What a PostgreSQL target is given after the bulk load: indexes first, the longest ones at the head, so that
//! two workers end together.

use crate::store::step::{IndexStep, StepWork};

macro_rules! index {
    ($number:literal, $index:literal) => {
        IndexStep {
            name: concat!("index.", $index),
            stage: 0,
            work: StepWork::Index {
                index: $index,
                sql: include_str!(concat!(
                    "../../../migrations/postgres/index/",
                    $number,
                    "_",
                    $index,
                    ".sql"
                )),
            },
        }
    };
}

macro_rules! validate {
    ($table:literal, $column:literal) => {
        IndexStep {
            name: concat!("foreign_key.", $table, "_", $column),
            stage: 2,
            work: StepWork::Validate {
                table: $table,
                key: concat!($table, "_", $column, "_fkey"),
            },
        }
    };
}

macro_rules! statistics {
    ($table:literal) => {
        IndexStep {
            name: concat!("statistics.", $table),
            stage: 3,
            work: StepWork::Statistics(Some($table)),
        }
    };
}

/// Every step, in order.
pub(in crate::store) const INDEX_STEPS: &[IndexStep] = &[
    index!("01", "pin_source"),
    index!("02", "fiscal_code_pkey"),
    index!("03", "profile_grant_pkey"),
    index!("04", "pin_pkey"),
    index!("05", "pin_person"),
    index!("06", "pin_one_live"),
    index!("07", "person_pkey"),
    index!("08", "fiscal_code_person"),
    index!("09", "fiscal_code_current"),
    index!("10", "finding_record"),
    index!("11", "quarantine_pkey"),
    index!("12", "pin_superseded"),
    index!("13", "delegation_pkey"),
    IndexStep {
        name: "keys",
        stage: 1,
        work: StepWork::Keys(include_str!("../../../migrations/postgres/keys.sql")),
    },
    validate!("profile_grant", "person"),
    validate!("pin", "person"),
    validate!("fiscal_code", "person"),
    validate!("pin", "superseded"),
    validate!("profile_grant", "profile"),
    validate!("profile_grant", "run"),
    validate!("pin", "run"),
    validate!("person", "run"),
    validate!("quarantine", "run"),
    validate!("finding", "run"),
    validate!("delegation", "person"),
    validate!("delegation", "run"),
    validate!("delayed_activation", "pin"),
    statistics!("pin"),
    statistics!("profile_grant"),
    statistics!("person"),
    statistics!("fiscal_code"),
    statistics!("quarantine"),
    statistics!("finding"),
    statistics!("delegation"),
];
