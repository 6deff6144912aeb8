//! The configuration: file, then `PINFERRY_*` environment, then flags.

pub mod settings;
