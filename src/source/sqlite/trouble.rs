//! What kind of failure a database reports, as far as the way out of it differs.

use rusqlite::{Error, ErrorCode};

/// The kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Others hold it.
    Busy,
    /// It, or its folder, may not be written.
    ReadOnly,
    /// Its disk is full.
    Full,
    /// It is not there, or may not be opened.
    CannotOpen,
    /// Anything else.
    Other,
}

/// `SQLITE_IOERR_SHMSIZE` and `SQLITE_IOERR_SHMMAP` (<https://sqlite.org/rescode.html>): the index of a
/// write-ahead log has no room beside the database, even where it is only read.
const NO_ROOM_FOR_SHARED_MEMORY: [i32; 2] = [4874, 5386];

impl Trouble {
    /// The kind of this failure.
    pub(super) fn of(error: &Error) -> Self {
        let extended = error.sqlite_error().map(|error| error.extended_code);
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::CannotOpen) => Self::CannotOpen,
            _ if extended.is_some_and(|code| NO_ROOM_FOR_SHARED_MEMORY.contains(&code)) => {
                Self::Full
            }
            _ => Self::Other,
        }
    }
}
