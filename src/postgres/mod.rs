//! The synchronous face of one connection to PostgreSQL. What is said over it is the callers' business.

mod bridge;
mod certificates;
mod copy_in;
mod copy_out;
mod error;
mod limits;
mod migrate;
mod session;
mod setup;
mod trouble;

pub use copy_in::CopyIn;
pub use error::PostgresError;
pub use limits::Limits;
pub use migrate::migrate;
pub use session::Session;
pub use trouble::Trouble;
