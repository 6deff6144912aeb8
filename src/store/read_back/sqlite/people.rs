//! People on SQLite: one statement per table, all of them in the order of `person_id`.

use std::ops::{ControlFlow, RangeInclusive};

use rusqlite::{
    Connection, Row, Rows, Statement, fallible_streaming_iterator::FallibleStreamingIterator,
    types::ValueRef,
};

use super::{failed, text};
use crate::store::read_back::{
    error::ReadBackError,
    people::{Stream, merge},
    person_read::{PersonRead, code, delegation, grant, person, pin},
    row_set::{Keys, RowSet},
};

const PERSONS: &str = "SELECT person_id, run_id, surname, given_name, birth_date, email, phone
    FROM person WHERE person_id BETWEEN ?1 AND ?2 ORDER BY person_id";
const CODES: &str = "SELECT person_id, fiscal_code
    FROM fiscal_code INDEXED BY fiscal_code_person WHERE person_id BETWEEN ?1 AND ?2 ORDER BY person_id";
const IS_CURRENT: &str = "SELECT current FROM fiscal_code WHERE fiscal_code = ?1";
const PINS: &str = "SELECT person_id, pin_id, superseded_by, run_id, status, disposition, level, credential,
        credential_scheme, credential_salt, halves_delivered, issued_on, expires_on, last_used_on, office,
        channel, source, legacy_id, legacy_profile, legacy_entity, legacy_status
    FROM pin INDEXED BY pin_person WHERE person_id BETWEEN ?1 AND ?2 ORDER BY person_id";
const GRANTS: &str =
    "SELECT person_id, run_id, profile, entity, status, level, valid_from, evidence
    FROM profile_grant WHERE person_id BETWEEN ?1 AND ?2 ORDER BY person_id";
const DELEGATIONS: &str = "SELECT person_id, run_id, guardian_fiscal_code, evidence
    FROM delegation WHERE person_id BETWEEN ?1 AND ?2 ORDER BY person_id";

/// A person with one code is read as having it as its current one; whether it is, the reading of all codes tells.
pub(in crate::store::read_back) fn read(
    connection: &Connection,
    range: &RangeInclusive<i64>,
    each: &mut dyn FnMut(&PersonRead) -> ControlFlow<()>,
) -> Result<(), ReadBackError> {
    let mut statements = [PERSONS, CODES, PINS, GRANTS, DELEGATIONS]
        .map(|sql| connection.prepare(sql))
        .into_iter()
        .collect::<Result<Vec<Statement<'_>>, _>>()
        .map_err(failed)?;
    let mut is_current = connection.prepare(IS_CURRENT).map_err(failed)?;
    let mut tables = statements
        .iter_mut()
        .zip(PARTS)
        .map(|(statement, part)| Table::start(statement, range, part))
        .collect::<Result<Vec<_>, _>>()?;
    let complete = |read: &mut PersonRead| match read.codes.len() {
        0 | 1 => Ok(()),
        _ => read_currency(&mut read.codes, &mut is_current),
    };
    merge(&mut tables, complete, each).map(drop)
}

/// Where one table is read.
struct Table<'s> {
    rows: Rows<'s>,
    at: Option<i64>,
    part: Part,
}

impl<'s> Table<'s> {
    fn start(
        statement: &'s mut Statement<'_>,
        range: &RangeInclusive<i64>,
        part: Part,
    ) -> Result<Self, ReadBackError> {
        let rows = statement
            .query([range.start(), range.end()])
            .map_err(failed)?;
        let mut table = Self {
            rows,
            at: None,
            part,
        };
        table.step()?;
        Ok(table)
    }

    fn step(&mut self) -> Result<(), ReadBackError> {
        self.rows.advance().map_err(failed)?;
        self.at = match self.rows.get() {
            Some(row) => Some(row.get(0).map_err(failed)?),
            None => None,
        };
        Ok(())
    }
}

impl Stream for Table<'_> {
    fn at(&self) -> Option<i64> {
        self.at
    }

    fn take(&mut self, read: &mut PersonRead) -> Result<(), ReadBackError> {
        if let Some(row) = self.rows.get() {
            (self.part)(read, row)?;
        }
        self.step()
    }
}

type Part = fn(&mut PersonRead, &Row<'_>) -> Result<(), ReadBackError>;

/// How a row of each table is taken, in the order of the statements.
const PARTS: [Part; 5] = [
    |read, row| push::<{ person::COLUMNS }>(&mut read.person, run_only(row)?, row, 2),
    |read, row| {
        let columns = [Some(text(row, 1)?), Some("1")];
        read.codes.push(Keys::default(), columns);
        Ok(())
    },
    |read, row| {
        let keys = keys(row).map_err(failed)?;
        push::<{ pin::COLUMNS }>(&mut read.pins, keys, row, 4)
    },
    |read, row| push::<{ grant::COLUMNS }>(&mut read.grants, run_only(row)?, row, 2),
    |read, row| push::<{ delegation::COLUMNS }>(&mut read.delegations, run_only(row)?, row, 2),
];

fn run_only(row: &Row<'_>) -> Result<Keys, ReadBackError> {
    Ok(Keys {
        run_id: row.get(1).map_err(failed)?,
        ..Keys::default()
    })
}

fn keys(row: &Row<'_>) -> rusqlite::Result<Keys> {
    Ok(Keys {
        id: row.get(1)?,
        refers_to: row.get(2)?,
        run_id: row.get(3)?,
    })
}

/// Takes the columns of `row` that begin at `first`, as text.
fn push<const COLUMNS: usize>(
    rows: &mut RowSet,
    keys: Keys,
    row: &Row<'_>,
    first: usize,
) -> Result<(), ReadBackError> {
    rows.start(keys);
    for column in first..first + COLUMNS {
        match row.get_ref(column).map_err(failed)? {
            ValueRef::Null => rows.null_column(),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
                rows.column(|out| match std::str::from_utf8(bytes) {
                    Ok(text) => out.push_str(text),
                    Err(_) => out.push_str(&String::from_utf8_lossy(bytes)),
                });
            }
            ValueRef::Integer(number) => rows.column(|out| out.push_str(&number.to_string())),
            ValueRef::Real(number) => rows.column(|out| out.push_str(&number.to_string())),
        }
    }
    Ok(())
}

fn read_currency(codes: &mut RowSet, is_current: &mut Statement<'_>) -> Result<(), ReadBackError> {
    let mut read = RowSet::new(code::COLUMNS);
    for row in 0..codes.len() {
        let fiscal_code = codes.text(row, code::FISCAL_CODE);
        let current: i64 = is_current
            .query_row([fiscal_code], |row| row.get(0))
            .map_err(failed)?;
        let current = if current == 1 { "1" } else { "0" };
        read.push(Keys::default(), [Some(fiscal_code), Some(current)]);
    }
    *codes = read;
    Ok(())
}
