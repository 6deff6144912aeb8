//! What only SQLite does: opening its file, writing in bulk, building indexes.

pub(super) mod connection;
mod draft;
pub(super) mod file;
pub(super) mod index;
pub(super) mod insert;
mod schema;
pub(super) mod steps;
