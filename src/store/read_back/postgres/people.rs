//! People on PostgreSQL: a stride of ids at a time, one COPY per table.
//!
//! A thread waits while the server works for it, and the server while it does: with as many threads as cores
//! nobody idles, and neither channels nor further sessions are needed.

use std::ops::{ControlFlow, RangeInclusive};

use super::{
    copied::Copied,
    plan::Plan,
    server,
    value::{
        Kind::{self, Date, Number, Text},
        integer, push,
    },
};
use crate::store::{
    StoreError,
    database::{Database, values},
    read_back::{
        error::ReadBackError,
        people::{Stream, merge},
        person_read::{PersonRead, code, delegation, grant, person, pin},
        row_set::Keys,
    },
};

/// Ids of people that are read at once: some megabytes of rows.
const STRIDE: i64 = 16_384;

const PERSONS: &str =
    "SELECT person_id, run_id, surname, given_name, birth_date, email, phone FROM person";
const CODES: &str = "SELECT person_id, fiscal_code, current FROM fiscal_code";
const PINS: &str = "SELECT person_id, pin_id, superseded_by, run_id, status, disposition, level, credential,
        credential_scheme, credential_salt, halves_delivered, issued_on, expires_on, last_used_on, office,
        channel, source, legacy_id, legacy_profile, legacy_entity, legacy_status
    FROM pin";
const GRANTS: &str = "SELECT person_id, run_id, profile, entity, status, level, valid_from, evidence FROM profile_grant";
const DELEGATIONS: &str =
    "SELECT person_id, run_id, guardian_fiscal_code, evidence FROM delegation";

const NEXT: &str = "SELECT least(
        (SELECT min(person_id) FROM person WHERE person_id BETWEEN ?1 AND ?2),
        (SELECT min(person_id) FROM fiscal_code WHERE person_id BETWEEN ?1 AND ?2),
        (SELECT min(person_id) FROM pin WHERE person_id BETWEEN ?1 AND ?2),
        (SELECT min(person_id) FROM profile_grant WHERE person_id BETWEEN ?1 AND ?2),
        (SELECT min(person_id) FROM delegation WHERE person_id BETWEEN ?1 AND ?2))";

/// Reads people by the indexes they are found by.
pub(in crate::store::read_back) fn read(
    database: &Database,
    range: &RangeInclusive<i64>,
    each: &mut dyn FnMut(&PersonRead) -> ControlFlow<()>,
) -> Result<(), ReadBackError> {
    let server = server(database)?;
    Plan::InOrder.set(server)?;
    let mut tables = [
        Table::new(PERSONS, take_person),
        Table::new(CODES, take_code),
        Table::new(PINS, take_pin),
        Table::new(GRANTS, take_grant),
        Table::new(DELEGATIONS, take_delegation),
    ];
    let mut from = *range.start();
    // Each turn reads the person it begins with.
    while let Some(first) = next(database, from, *range.end())? {
        let last = first.saturating_add(STRIDE - 1).min(*range.end());
        for table in &mut tables {
            let query = format!(
                "{} WHERE person_id BETWEEN {first} AND {last} ORDER BY person_id",
                table.query
            );
            table.rows.read(server, &query)?;
        }
        if merge(&mut tables, |_| Ok(()), each)?.is_break() || last == *range.end() {
            break;
        }
        from = last + 1;
    }
    Ok(())
}

/// The first id in the range that any table knows.
fn next(database: &Database, from: i64, to: i64) -> Result<Option<i64>, StoreError> {
    database.value("find the next person", NEXT, values![from, to])
}

type Take = fn(&mut Copied, &mut PersonRead) -> Result<(), StoreError>;

/// The rows of one table.
struct Table {
    query: &'static str,
    rows: Copied,
    take: Take,
}

impl Table {
    fn new(query: &'static str, take: Take) -> Self {
        Self {
            query,
            rows: Copied::default(),
            take,
        }
    }
}

impl Stream for Table {
    fn at(&self) -> Option<i64> {
        self.rows.peek()
    }

    fn take(&mut self, read: &mut PersonRead) -> Result<(), ReadBackError> {
        Ok((self.take)(&mut self.rows, read)?)
    }
}

fn take_person(rows: &mut Copied, read: &mut PersonRead) -> Result<(), StoreError> {
    const KINDS: [Kind; person::COLUMNS] = [Text, Text, Date, Text, Text];
    let columns = rows.next::<7>()?;
    push(
        &mut read.person,
        run_only(columns[1])?,
        &KINDS,
        &columns[2..],
    )
}

fn take_code(rows: &mut Copied, read: &mut PersonRead) -> Result<(), StoreError> {
    const KINDS: [Kind; code::COLUMNS] = [Text, Number];
    let columns = rows.next::<3>()?;
    push(&mut read.codes, Keys::default(), &KINDS, &columns[1..])
}

fn take_pin(rows: &mut Copied, read: &mut PersonRead) -> Result<(), StoreError> {
    const KINDS: [Kind; pin::COLUMNS] = [
        Text, Text, Text, Text, Text, Text, Number, Date, Date, Date, Text, Text, Text, Text, Text,
        Text, Text,
    ];
    let columns = rows.next::<21>()?;
    let keys = Keys {
        id: integer(columns[1])?,
        refers_to: match columns[2] {
            Some(_) => Some(integer(columns[2])?),
            None => None,
        },
        run_id: integer(columns[3])?,
    };
    push(&mut read.pins, keys, &KINDS, &columns[4..])
}

fn take_grant(rows: &mut Copied, read: &mut PersonRead) -> Result<(), StoreError> {
    const KINDS: [Kind; grant::COLUMNS] = [Text, Text, Text, Text, Date, Text];
    let columns = rows.next::<8>()?;
    push(
        &mut read.grants,
        run_only(columns[1])?,
        &KINDS,
        &columns[2..],
    )
}

fn take_delegation(rows: &mut Copied, read: &mut PersonRead) -> Result<(), StoreError> {
    const KINDS: [Kind; delegation::COLUMNS] = [Text, Text];
    let columns = rows.next::<4>()?;
    push(
        &mut read.delegations,
        run_only(columns[1])?,
        &KINDS,
        &columns[2..],
    )
}

fn run_only(run_id: Option<&[u8]>) -> Result<Keys, StoreError> {
    Ok(Keys {
        run_id: integer(run_id)?,
        ..Keys::default()
    })
}
