//! The management lock in a PostgreSQL legacy database.

mod capture;
mod condition;
mod control;
mod divert;
mod engage;
mod foresee;
mod grants;
mod guard;
mod isolation;
mod keys;
mod legacy;
mod lock_test;
mod moves;
mod names;
mod plan;
mod reading;
mod release;
mod remains;
mod rights;
mod sample;
mod seal;
mod shape;
mod spelling;
mod sql;
mod state;
mod trial;

pub(in crate::source) use engage::{claim, engage, give_back};
pub(in crate::source) use foresee::{foresee, permitted};
pub(in crate::source) use grants::script as grants;
pub(in crate::source) use lock_test::test;
pub(in crate::source::postgres) use reading::{Image, adjust};
pub(in crate::source) use reading::{captures, diverted, mark_captures, mark_diverted};
pub(in crate::source) use release::{break_open, clear, release, reopen};
pub(in crate::source) use remains::sweep;
pub(in crate::source) use seal::seal;
pub(in crate::source) use state::{check_present, status};

/// The server's clock as the tables keep it.
const NOW: &str = "pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')";
