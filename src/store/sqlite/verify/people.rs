//! Reads people back, one by one in the order of their ids, with all that hangs on them.

use std::ops::{ControlFlow, RangeInclusive};

use rusqlite::{
    Connection, Row, Rows, Statement, fallible_streaming_iterator::FallibleStreamingIterator,
};

use super::{
    error::ReadBackError,
    row_set::{Keys, RowSet},
};

/// Text columns of `person`.
pub mod person {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const SURNAME: usize = 0;
    pub const GIVEN_NAME: usize = 1;
    pub const BIRTH_DATE: usize = 2;
    pub const EMAIL: usize = 3;
    pub const PHONE: usize = 4;
    pub const COLUMNS: usize = 5;
}

/// Text columns of `fiscal_code`.
pub mod code {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const FISCAL_CODE: usize = 0;
    pub const CURRENT: usize = 1;
    pub const COLUMNS: usize = 2;
}

/// Text columns of `pin`; `superseded_by` and the ids are among the keys.
pub mod pin {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const STATUS: usize = 0;
    pub const DISPOSITION: usize = 1;
    pub const LEVEL: usize = 2;
    pub const CREDENTIAL: usize = 3;
    pub const CREDENTIAL_SCHEME: usize = 4;
    pub const CREDENTIAL_SALT: usize = 5;
    pub const HALVES_DELIVERED: usize = 6;
    pub const ISSUED_ON: usize = 7;
    pub const EXPIRES_ON: usize = 8;
    pub const LAST_USED_ON: usize = 9;
    pub const OFFICE: usize = 10;
    pub const CHANNEL: usize = 11;
    pub const SOURCE: usize = 12;
    pub const LEGACY_ID: usize = 13;
    pub const LEGACY_PROFILE: usize = 14;
    pub const LEGACY_ENTITY: usize = 15;
    pub const LEGACY_STATUS: usize = 16;
    pub const COLUMNS: usize = 17;
}

/// Text columns of `profile_grant`.
pub mod grant {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const PROFILE: usize = 0;
    pub const ENTITY: usize = 1;
    pub const STATUS: usize = 2;
    pub const LEVEL: usize = 3;
    pub const VALID_FROM: usize = 4;
    pub const EVIDENCE: usize = 5;
    pub const COLUMNS: usize = 6;
}

/// Text columns of `delegation`.
pub mod delegation {
    #![expect(missing_docs, reason = "named after the columns")]
    pub const GUARDIAN: usize = 0;
    pub const EVIDENCE: usize = 1;
    pub const COLUMNS: usize = 2;
}

/// A person as it stands, with its codes, PINs, grants and delegations.
#[derive(Debug)]
pub struct PersonRead {
    /// Surrogate key, for joining only.
    pub person_id: i64,
    /// One row, unless rows hang on a person that does not exist.
    pub person: RowSet,
    /// All codes.
    pub codes: RowSet,
    /// All PINs, in no particular order.
    pub pins: RowSet,
    /// All grants.
    pub grants: RowSet,
    /// All delegations.
    pub delegations: RowSet,
}

impl PersonRead {
    fn empty() -> Self {
        Self {
            person_id: i64::MIN,
            person: RowSet::new(person::COLUMNS),
            codes: RowSet::new(code::COLUMNS),
            pins: RowSet::new(pin::COLUMNS),
            grants: RowSet::new(grant::COLUMNS),
            delegations: RowSet::new(delegation::COLUMNS),
        }
    }

    fn clear(&mut self, person_id: i64) {
        self.person_id = person_id;
        for rows in [
            &mut self.person,
            &mut self.codes,
            &mut self.pins,
            &mut self.grants,
            &mut self.delegations,
        ] {
            rows.clear();
        }
    }
}

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

/// Reads every person of the range, and calls `each` for it. Rows that hang on a person that does not exist
/// come as a [`PersonRead`] without a row in `person`. A person with one code is read as having it as its
/// current one; whether it is, [`super::codes::read_codes`] tells.
///
/// # Errors
/// When a table cannot be read.
pub fn read_people(
    connection: &Connection,
    range: &RangeInclusive<i64>,
    each: &mut dyn FnMut(&PersonRead) -> ControlFlow<()>,
) -> Result<(), ReadBackError> {
    let mut statements = [PERSONS, CODES, PINS, GRANTS, DELEGATIONS]
        .map(|sql| connection.prepare(sql))
        .into_iter()
        .collect::<Result<Vec<Statement<'_>>, _>>()
        .map_err(ReadBackError::read)?;
    let mut is_current = connection
        .prepare(IS_CURRENT)
        .map_err(ReadBackError::read)?;
    let mut streams = statements
        .iter_mut()
        .map(|statement| Stream::start(statement, range))
        .collect::<Result<Vec<_>, _>>()?;
    let mut read = PersonRead::empty();
    while let Some(person_id) = streams.iter().filter_map(|stream| stream.at).min() {
        read.clear(person_id);
        for (stream, part) in streams.iter_mut().zip(PARTS) {
            while stream.at == Some(person_id) {
                if let Some(row) = stream.rows.get() {
                    part(&mut read, row)?;
                }
                stream.step()?;
            }
        }
        if read.codes.len() > 1 {
            read_currency(&mut read.codes, &mut is_current)?;
        }
        if each(&read).is_break() {
            break;
        }
    }
    Ok(())
}

/// Where one table is read.
struct Stream<'s> {
    rows: Rows<'s>,
    at: Option<i64>,
}

impl<'s> Stream<'s> {
    fn start(
        statement: &'s mut Statement<'_>,
        range: &RangeInclusive<i64>,
    ) -> Result<Self, ReadBackError> {
        let rows = statement
            .query([range.start(), range.end()])
            .map_err(ReadBackError::read)?;
        let mut stream = Self { rows, at: None };
        stream.step()?;
        Ok(stream)
    }

    fn step(&mut self) -> Result<(), ReadBackError> {
        self.rows.advance().map_err(ReadBackError::read)?;
        self.at = match self.rows.get() {
            Some(row) => Some(row.get(0).map_err(ReadBackError::read)?),
            None => None,
        };
        Ok(())
    }
}

type Part = fn(&mut PersonRead, &Row<'_>) -> Result<(), ReadBackError>;

/// How a row of each table is taken, in the order of the statements.
const PARTS: [Part; 5] = [
    |read, row| read.person.push(run_only(row)?, row, 2),
    |read, row| {
        let fiscal_code = row
            .get_ref(1)
            .and_then(|value| Ok(value.as_str()?))
            .map_err(ReadBackError::read)?;
        read.codes.push_texts(Keys::default(), [fiscal_code, "1"]);
        Ok(())
    },
    |read, row| {
        let keys = super::lookup::keys(row).map_err(ReadBackError::read)?;
        read.pins.push(keys, row, 4)
    },
    |read, row| read.grants.push(run_only(row)?, row, 2),
    |read, row| read.delegations.push(run_only(row)?, row, 2),
];

fn run_only(row: &Row<'_>) -> Result<Keys, ReadBackError> {
    Ok(Keys {
        run_id: row.get(1).map_err(ReadBackError::read)?,
        ..Keys::default()
    })
}

fn read_currency(codes: &mut RowSet, is_current: &mut Statement<'_>) -> Result<(), ReadBackError> {
    let mut read = RowSet::new(code::COLUMNS);
    for row in 0..codes.len() {
        let fiscal_code = codes.text(row, code::FISCAL_CODE);
        let current: i64 = is_current
            .query_row([fiscal_code], |row| row.get(0))
            .map_err(ReadBackError::read)?;
        let current = if current == 1 { "1" } else { "0" };
        read.push_texts(Keys::default(), [fiscal_code, current]);
    }
    *codes = read;
    Ok(())
}
