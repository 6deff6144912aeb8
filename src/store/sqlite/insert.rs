//! Writing the rows of a chunk: one prepared statement per table, bound and run row by row.

use rusqlite::{
    Connection, Statement, ToSql,
    types::{ToSqlOutput, ValueRef},
};

use crate::store::{
    ChunkRows, StoreError,
    tape::{Cell, Tape},
};

const PERSON: &str =
    "INSERT INTO person (person_id, surname, given_name, birth_date, email, phone, run_id)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const FISCAL_CODE: &str =
    "INSERT INTO fiscal_code (fiscal_code, person_id, current) VALUES (?1, ?2, ?3)";
const PIN: &str = "INSERT INTO pin (pin_id, person_id, status, disposition, level, credential, credential_scheme,
         credential_salt, halves_delivered, issued_on, expires_on, last_used_on, office, channel, source, legacy_id,
         legacy_profile, legacy_entity, legacy_status, superseded_by, run_id)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";
const PROFILE_GRANT: &str = "INSERT INTO profile_grant (person_id, profile, entity, status, level, valid_from, evidence, run_id)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const DELEGATION: &str =
    "INSERT INTO delegation (person_id, guardian_fiscal_code, evidence, run_id)
     VALUES (?1, ?2, ?3, ?4)";
const QUARANTINE: &str =
    "INSERT INTO quarantine (source, legacy_id, copy, reason, detail, payload, run_id)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const FINDING: &str =
    "INSERT INTO finding (run_id, kind, source, legacy_id) VALUES (?1, ?2, ?3, ?4)";

/// Writes the rows of a chunk.
pub(in crate::store) fn insert(
    connection: &Connection,
    rows: &ChunkRows,
) -> Result<(), StoreError> {
    for (sql, tape) in [
        (PERSON, &rows.person),
        (FISCAL_CODE, &rows.fiscal_code),
        (PIN, &rows.pin),
        (PROFILE_GRANT, &rows.profile_grant),
        (DELEGATION, &rows.delegation),
        (QUARANTINE, &rows.quarantine),
        (FINDING, &rows.finding),
    ] {
        connection
            .prepare_cached(sql)
            .and_then(|mut statement| write(&mut statement, tape))
            .map_err(StoreError::sqlite("write a chunk's rows"))?;
    }
    Ok(())
}

fn write(statement: &mut Statement<'_>, tape: &Tape) -> rusqlite::Result<()> {
    let columns = statement.parameter_count();
    let mut cells = tape.cells();
    for _ in 0..tape.rows() {
        for (column, cell) in (1..=columns).zip(cells.by_ref()) {
            statement.raw_bind_parameter(column, cell)?;
        }
        statement.raw_execute()?;
    }
    Ok(())
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Cell::Null => ValueRef::Null,
            Cell::Integer(value) => ValueRef::Integer(value),
            Cell::Text(text) => ValueRef::Text(text),
        }))
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that cannot set itself up has failed"
)]
mod tests {
    use std::{borrow::Cow, collections::BTreeMap, time::Duration};

    use jiff::civil::date;

    use crate::{
        config::settings::TargetSettings,
        domain::{
            catalogue::Catalogue,
            quarantine::{QuarantineRow, Reason},
        },
        store::{ChunkBuilder, Intent, NewRun, StoreError, Target, database::Database},
    };

    #[test]
    fn a_full_disk_is_said_and_leaves_nothing_of_the_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let settings = TargetSettings::Sqlite(folder.path().join("target.db"));
        let mut target = Target::open(&settings, Intent::CreateIfMissing).unwrap();
        let run = target
            .create_run(&NewRun {
                as_of: date(2013, 11, 3),
                fixed: &BTreeMap::new(),
                sources: &[],
                catalogue: &Catalogue::default(),
                codes: &[],
            })
            .unwrap();
        let lease = target
            .acquire(run.run_id, "host:1", Duration::from_secs(60))
            .unwrap();
        let mut chunk = ChunkBuilder::new(run.run_id);
        for number in 0..10_000 {
            chunk.push_quarantine(&QuarantineRow {
                source: "inps",
                legacy_id: Cow::Owned(number.to_string()),
                copy: 0,
                reason: Reason::StatusUnknown,
                detail: Cow::Borrowed("status"),
                payload: "{}".to_owned(),
            });
        }
        // SQLite answers a file that may not grow as it does a disk that is full.
        let Database::Sqlite(connection) = &target.database else {
            panic!("a target in a file");
        };
        let pages: i64 = connection
            .pragma_query_value(None, "page_count", |row| row.get(0))
            .unwrap();
        connection
            .pragma_update(None, "max_page_count", pages + 2)
            .unwrap();
        let tx = target.begin(&lease).unwrap();
        let error = tx.insert(&chunk.finish()).unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
        assert!(error.hint().unwrap().contains("free some space"));
        drop(tx);
        let rows: i64 = target
            .database
            .value("count", "SELECT count(*) FROM quarantine", &[])
            .unwrap();
        assert_eq!(rows, 0);
    }
}
