//! The migration itself: extract, sort, judge, load, verify, cut over.

pub mod activate;
pub mod intake;
pub mod plan_file;
pub mod progress;
pub mod report;
pub mod stop;
