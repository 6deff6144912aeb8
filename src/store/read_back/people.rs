//! Reads people back, one by one in the order of their ids, with all that hangs on them.

use std::ops::{ControlFlow, RangeInclusive};

use super::{ReadBack, ReadBackError, person_read::PersonRead, postgres, sqlite};
use crate::store::database::Database;

/// One table, read in the order of `person_id`.
pub(super) trait Stream {
    /// Whose row comes next.
    fn at(&self) -> Option<i64>;

    /// Adds that row to the person, and goes on to the one after it.
    fn take(&mut self, read: &mut PersonRead) -> Result<(), ReadBackError>;
}

/// Reads every person of the range, and calls `each` for it. Rows that hang on a person that does not exist
/// come as a [`PersonRead`] without a row in `person`.
///
/// # Errors
/// When a table cannot be read.
pub fn read_people(
    target: &ReadBack,
    range: &RangeInclusive<i64>,
    each: &mut dyn FnMut(&PersonRead) -> ControlFlow<()>,
) -> Result<(), ReadBackError> {
    match &target.database {
        Database::Sqlite(connection) => sqlite::people::read(connection, range, each),
        Database::Postgres(_) => postgres::people::read(&target.database, range, each),
    }
}

/// Merges tables. Before `each` sees a person, `complete` may look at what was read of it.
pub(super) fn merge<S: Stream>(
    streams: &mut [S],
    mut complete: impl FnMut(&mut PersonRead) -> Result<(), ReadBackError>,
    each: &mut dyn FnMut(&PersonRead) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, ReadBackError> {
    let mut read = PersonRead::empty();
    while let Some(person_id) = streams.iter().filter_map(Stream::at).min() {
        read.clear(person_id);
        for stream in &mut *streams {
            while stream.at() == Some(person_id) {
                stream.take(&mut read)?;
            }
        }
        complete(&mut read)?;
        if each(&read).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}
