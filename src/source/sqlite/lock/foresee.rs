//! Looking ahead: would the lock engage, and would it hold? Tried on a copy in memory, so nothing is written.

use std::fmt::Write as _;

use rusqlite::{Connection, Error, params_from_iter};

use crate::source::lock::{Foreseen, LockError, LockState, Place};

use super::{
    control,
    datum::Datum,
    guard,
    legacy::{self, Failure},
    lock_test,
    plan::Plan,
    release, sql,
};

/// How many rows of each table are copied: enough to try every status on, and to answer the application's
/// own triggers.
const ROWS: u32 = 10_000;

/// See [`crate::source::lock::foresee`].
pub(in crate::source) fn foresee(place: &Place) -> Result<Foreseen, LockError> {
    legacy::read(
        place,
        "looking at what locking it would meet",
        |connection| {
            let plan = Plan::make(connection, place)?;
            let name = place.name();
            let state =
                control::read(connection, name)?.map_or(LockState::Open, |found| found.state);
            match state {
                LockState::Engaged | LockState::Sealed => return Ok(Foreseen::Held),
                LockState::Open | LockState::Broken => {}
            }
            if !guard::present(connection, name)?.is_empty() {
                return Ok(Foreseen::Held);
            }
            release::nothing_diverted(connection, name)?;
            let whole = plan.view.is_some();
            drop(plan);
            Ok(match copied(connection, whole)? {
                Ok(copy) => rehearsed(&copy, place)?,
                Err(why) => Foreseen::Unknown(why),
            })
        },
    )
}

fn rehearsed(copy: &Connection, place: &Place) -> Result<Foreseen, Failure> {
    let plan = Plan::make(copy, place)?;
    lock_test::on_new_guards(copy, &plan).map(Foreseen::Tested)
}

/// The schema and the first rows of every table, or why there is no such copy. A view shows rows of several
/// tables together, so that parts of them would not do: then `whole` tables are asked for.
fn copied(legacy: &Connection, whole: bool) -> Result<Result<Connection, String>, Error> {
    let copy = Connection::open_in_memory()?;
    // Tables first, then rows, then what would act on them.
    let mut schema = legacy.prepare(
        "SELECT type, name, sql, sql LIKE 'CREATE VIRTUAL%' FROM sqlite_schema
          WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'
          ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'view' THEN 1 WHEN 'index' THEN 2 ELSE 3 END, rowid",
    )?;
    let mut rows = schema.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, name, definition): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        if row.get(3)? {
            return Ok(Err(format!("table {name:?} is a virtual one")));
        }
        if let Err(error) = copy.execute_batch(&definition) {
            let why = super::words(&error);
            return Ok(Err(format!("{kind} {name:?} cannot be copied ({why})")));
        }
        if kind == "table" && copy_rows(legacy, &copy, &name)? == Copied::Part && whole {
            return Ok(Err(format!(
                "table {name:?} under the view has more than {ROWS} rows"
            )));
        }
    }
    Ok(Ok(copy))
}

/// How much of a table was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copied {
    All,
    Part,
}

fn copy_rows(legacy: &Connection, copy: &Connection, table: &str) -> Result<Copied, Error> {
    let mut columns = legacy.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0")?;
    let columns: Vec<String> = columns
        .query_map([table], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let (mut names, mut places) = (String::new(), String::new());
    for (at, column) in columns.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(names, "{comma}{}", sql::name(column));
        let _ = write!(places, "{comma}?{}", at + 1);
    }
    let table = sql::name(table);
    // One row more tells whether that was all.
    let mut read = legacy.prepare(&format!("SELECT {names} FROM {table} LIMIT {}", ROWS + 1))?;
    let mut write = copy.prepare(&format!("INSERT INTO {table} ({names}) VALUES ({places})"))?;
    let mut rows = read.query([])?;
    for _ in 0..ROWS {
        let Some(row) = rows.next()? else {
            return Ok(Copied::All);
        };
        let values: Vec<Datum> = (0..columns.len())
            .map(|at| row.get(at))
            .collect::<Result<_, _>>()?;
        write.execute(params_from_iter(values))?;
    }
    Ok(match rows.next()? {
        None => Copied::All,
        Some(_) => Copied::Part,
    })
}
