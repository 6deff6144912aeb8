//! The terminal: progress, tables, errors.

pub mod activation;
mod comparison;
pub mod confirm;
pub mod error;
pub mod fate;
pub mod forecast;
pub mod live;
pub mod log;
pub mod metrics;
pub mod notices;
pub mod progress;
pub mod report;
pub mod report_files;
pub mod report_page;
pub mod service;
pub mod signals;
pub mod state;
pub mod table;
pub mod terminal;
pub mod verification;
