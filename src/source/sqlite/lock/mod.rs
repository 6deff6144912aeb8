//! The management lock in a SQLite legacy database.

mod capture;
mod condition;
mod control;
mod datum;
mod divert;
mod engage;
mod foresee;
mod guard;
mod legacy;
mod lock_test;
mod plan;
mod reading;
mod release;
mod sample;
mod seal;
mod shape;
mod sql;
mod state;
mod trial;

use rusqlite::Error;

pub(in crate::source) use engage::{claim, engage, give_back};
pub(in crate::source) use foresee::foresee;
pub(in crate::source) use lock_test::test;
pub(in crate::source) use reading::{
    Image, adjust, captures, diverted, mark_captures, mark_diverted,
};
pub(in crate::source) use release::{break_open, clear, release, reopen};
pub(in crate::source) use seal::seal;
pub(in crate::source) use state::{check_present, status};

/// The database's clock as the tables keep it.
const NOW: &str = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')";

/// The database's words, without the library's wrapping.
fn words(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}
