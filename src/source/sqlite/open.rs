//! Opening a legacy database without touching it.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{SqliteTable, trouble::Trouble};
use crate::source::{SourceError, SourceMistake, file};

/// How long a reader waits for a writer.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that cannot write.
pub(super) fn read_only(table: &SqliteTable<'_>) -> Result<Connection, SourceError> {
    let path = table.path;
    file::regular(path).map_err(|mistake| unusable(table, vec![mistake]))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(failed(path, "opening it"))?;
    connection
        .busy_timeout(BUSY_TIMEOUT)
        .map_err(failed(path, "opening it"))?;
    // The first page says whether this is a database at all.
    let first_page = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()));
    match first_page {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
            let path = path.to_owned();
            Err(unusable(table, vec![SourceMistake::NotADatabase { path }]))
        }
        other => other
            .map(|()| connection)
            .map_err(failed(path, "reading its first page")),
    }
}

/// The columns of the table or view, in order.
pub(super) fn columns(
    connection: &Connection,
    table: &SqliteTable<'_>,
) -> Result<Vec<String>, SourceError> {
    let failed = |doing| failed(table.path, doing);
    let found = texts(
        connection,
        "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden IN (0, 2, 3)",
        &[table.table],
    )
    .map_err(failed("reading its columns"))?;
    if !found.is_empty() {
        return Ok(found);
    }
    let tables = texts(
        connection,
        "SELECT name FROM sqlite_schema
          WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        &[],
    )
    .map_err(failed("listing its tables"))?;
    let mistake = SourceMistake::NoTable {
        place: table.path.display().to_string(),
        table: table.table.to_owned(),
        found: tables,
    };
    Err(unusable(table, vec![mistake]))
}

fn texts(
    connection: &Connection,
    query: &str,
    parameters: &[&str],
) -> Result<Vec<String>, rusqlite::Error> {
    let mut statement = connection.prepare(query)?;
    let parameters = rusqlite::params_from_iter(parameters);
    let rows = statement.query_map(parameters, |row| row.get(0))?;
    rows.collect()
}

/// A warning for a database whose readers and writers wait for each other.
pub(in crate::source) fn journal_warning(table: &SqliteTable<'_>) -> Option<String> {
    let connection = read_only(table).ok()?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .ok()?;
    (mode != "wal").then(|| {
        format!(
            "keeps a rollback journal ({mode}): while it is read, logins that write wait; `PRAGMA journal_mode = WAL` avoids that"
        )
    })
}

/// The configuration does not fit the table.
pub(super) fn unusable(table: &SqliteTable<'_>, mistakes: Vec<SourceMistake>) -> SourceError {
    SourceError::Unusable {
        name: table.settings.rules.name.clone(),
        mistakes,
    }
}

/// Says what was being done, and tells a database that is locked from one that is broken.
pub(super) fn failed(
    path: &Path,
    doing: &'static str,
) -> impl Fn(rusqlite::Error) -> SourceError + use<> {
    let path = path.to_owned();
    move |source| match Trouble::of(&source) {
        Trouble::Busy => SourceError::Busy {
            path: path.clone(),
            waited: BUSY_TIMEOUT,
        },
        Trouble::Full => SourceError::Full {
            path: path.clone(),
            doing,
        },
        Trouble::CannotOpen => SourceError::CannotOpen {
            path: path.clone(),
            doing,
            source,
        },
        Trouble::ReadOnly => SourceError::ReadOnly {
            path: path.clone(),
            doing,
        },
        Trouble::Other => SourceError::Sqlite {
            path: path.clone(),
            doing,
            source,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rusqlite::{Error, ffi};

    use super::failed;

    /// `SQLITE_READONLY` and its kinds (<https://sqlite.org/rescode.html>): no write-ahead log or index of one can be
    /// made in the folder, a journal is to be rolled back, and so on. Whoever may write everything meets none of them.
    const READ_ONLY: [i32; 7] = [8, 264, 520, 776, 1032, 1288, 1544];

    #[test]
    fn a_database_whose_folder_may_not_be_written_is_no_damaged_one() {
        for code in READ_ONLY {
            let words = Some("attempt to write a readonly database".to_owned());
            let reported = Error::SqliteFailure(ffi::Error::new(code), words);
            let error = failed(Path::new("legacy.db"), "reading its first page")(reported);
            assert_eq!(
                error.to_string(),
                "legacy.db: the database or its folder is read-only, failed while reading its first page"
            );
            let hint = error.hint().expect("a hint");
            assert!(hint.contains("the right to write"), "{code}: {hint}");
        }
    }
}
