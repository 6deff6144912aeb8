//! The rules: pure functions from legacy records to people in the multi-profile model.
//!
//! Nothing here reads a file, a clock, the environment or a database; the date of judgement and the
//! catalogue are arguments.

pub mod case;
pub mod catalogue;
pub mod digest;
pub mod field;
pub mod finding;
pub mod fiscal_code;
pub mod legacy_record;
pub mod links;
pub mod quarantine;
pub mod raw_record;
pub mod rows;
pub mod rules;
pub mod sort_key;
pub mod status;
pub mod tally;
