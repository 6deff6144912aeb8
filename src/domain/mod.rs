//! The rules: pure functions from legacy records to people in the multi-profile model.
//!
//! Nothing here reads a file, a clock, the environment or a database; the date of judgement and the
//! catalogue are arguments.

pub mod activation;
pub mod case;
pub mod catalogue;
pub(crate) mod check_character;
pub mod comparison;
pub mod content;
pub mod date;
pub mod delegations;
pub mod digest;
pub mod duplicates;
pub mod evidence;
pub mod field;
pub mod finding;
pub mod findings;
pub mod fiscal_code;
pub mod folding;
pub mod forecast;
pub mod grants;
pub mod identity;
pub mod known_codes;
pub mod legacy_record;
pub mod links;
pub mod name_letters;
pub mod normalise;
pub mod notice;
mod omocodia;
pub mod parse;
pub mod payload;
pub mod person;
pub mod quarantine;
pub mod raw_record;
pub mod record_id;
pub mod record_name;
pub mod rows;
pub mod rules;
pub mod sort_key;
pub mod span;
pub mod standing;
pub mod status;
pub mod survey;
pub mod survivor;
pub mod tally;
pub mod verdict;
pub mod window;
