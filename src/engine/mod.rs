//! The migration itself: extract, sort, judge, load, verify, cut over.

pub mod progress;
pub mod stop;
