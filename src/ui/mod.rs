//! The terminal: progress, tables, errors.

pub mod error;
pub mod log;
pub mod signals;
pub mod terminal;
