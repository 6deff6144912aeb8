//! What to do about a database that fails, whatever it was opened for.

pub(super) const BUSY: &str =
    "run the same command again, or find the program that holds the database";

pub(super) const FULL: &str = "free some space on its disk (SQLite keeps its journal or write-ahead log beside the database), then run the same command again";

pub(super) const READ_ONLY: &str = "give the account that runs pinferry the right to write the database and its folder (SQLite keeps a write-ahead log and its index beside the database, even where it is only read), then run the same command again";

pub(super) const CANNOT_OPEN: &str = "correct [[source]] url, or give the account that runs pinferry the right to read and write the database and its folder; then run the same command again";

pub(super) const CHECK: &str = "check the database with `sqlite3 FILE 'PRAGMA integrity_check'`, then run the same command again";
