//! The migration itself: extract, sort, judge, load, verify, cut over.

pub mod activate;
mod bitmap;
mod budget;
pub mod cases;
pub mod cursor;
pub mod doctor;
pub mod extract;
pub mod intake;
pub mod judge;
pub mod partition;
pub mod plan;
pub mod plan_file;
pub mod progress;
pub mod quarantine_export;
pub mod report;
mod sort;
pub mod stop;
pub mod verify;
