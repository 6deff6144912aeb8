//! The migration itself: extract, sort, judge, load, verify, cut over.

pub mod abort;
pub mod activate;
mod bitmap;
mod budget;
pub mod cases;
pub mod cursor;
pub mod doctor;
mod drain;
pub mod error;
pub mod extract;
pub mod intake;
pub mod job;
pub mod judge;
mod load;
pub mod locking;
pub mod overrule;
pub mod partition;
pub mod plan;
pub mod plan_file;
pub mod progress;
pub mod quarantine_export;
mod replay;
pub mod report;
pub mod run;
mod sort;
pub mod stop;
pub mod verify;
