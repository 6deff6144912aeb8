//! The configuration: file, then `PINFERRY_*` environment, then flags.

pub mod environment;
mod files;
mod fixed;
mod load;
mod location;
mod mistake;
mod node;
mod offices;
pub mod postgres;
mod quantity;
mod section;
pub mod settings;
mod source;

pub use load::{FlagKey, Inputs};
pub use mistake::{ConfigError, Mistake};
