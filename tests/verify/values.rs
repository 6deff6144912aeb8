//! One value after the other.

use pinferry::{engine::verify::MismatchCode, exit::Exit};
use rusqlite::Connection;

use crate::fixture::migrated;

/// Columns whose value says nothing that could be right or wrong.
const WITHOUT_MEANING: [&str; 8] = [
    // Who works, and since when, is the lease's affair; another process may take it at any time.
    "runner_lease.epoch",
    "runner_heartbeat.epoch",
    "runner_heartbeat.holder",
    "runner_heartbeat.beat_at",
    "runner_heartbeat.expires_at",
    // A row of another run says nothing of this one.
    "runner_lease.run_id",
    "runner_heartbeat.run_id",
    "model_state.id",
];

#[test]
fn what_was_migrated_and_left_alone_passes() {
    let found = migrated().verify().unwrap();
    assert!(found.passed(), "{:#?}", found.mismatches);
    assert!(found.changed_since.is_empty());
    assert!(found.found.quarantined() > 0 && found.found.persons > 0);
}

#[test]
fn any_single_value_changed_in_any_table_is_found() {
    let clean = migrated();
    let columns = columns(&clean.raw());
    let mut unseen = Vec::new();
    let mut changed = 0;
    for (table, column, kind) in &columns {
        if WITHOUT_MEANING.contains(&format!("{table}.{column}").as_str()) {
            continue;
        }
        for (what, assignment, of) in changes(column, kind) {
            let place = migrated();
            let sql = format!(
                "UPDATE {table} SET {column} = {assignment} WHERE {} = (SELECT {} FROM {table} WHERE {column} {of} LIMIT 1)",
                key(table),
                bare(key(table))
            );
            let rows = match place.raw().execute(&sql, []) {
                Ok(rows) => rows,
                // A constraint that is a type or a unique index guards the value itself.
                Err(error) => {
                    assert!(is_constraint(&error), "{sql}: {error}");
                    continue;
                }
            };
            if rows == 0 {
                continue;
            }
            changed += 1;
            match place.verify() {
                Ok(found) if found.passed() => unseen.push(format!("{table}.{column} {what}")),
                Ok(_) | Err(_) => {}
            }
        }
    }
    assert!(changed > 100, "only {changed} values were changed");
    assert_eq!(unseen, Vec::<String>::new(), "of {changed} changes");
}

#[test]
fn a_row_taken_away_from_any_table_is_found() {
    let tables = [
        "person",
        "fiscal_code",
        "pin",
        "profile_grant",
        "delegation",
        "quarantine",
        "finding",
        "profile",
        "profile_service",
        "run_source",
        "run_partition",
        "run_step",
        "run_event",
        "model_state",
        "audit_event",
    ];
    for table in tables {
        let place = migrated();
        let key = key(table);
        let sql = format!(
            "DELETE FROM {table} WHERE {key} = (SELECT {} FROM {table} LIMIT 1)",
            bare(key)
        );
        assert!(place.raw().execute(&sql, []).unwrap() > 0, "{table}");
        let found = place.verify();
        assert!(found.is_err() || !found.unwrap().passed(), "{table}");
    }
}

#[test]
fn a_changed_view_or_a_missing_index_is_named() {
    for (sql, name) in [
        ("DROP INDEX pin_one_live", "index pin_one_live is missing"),
        (
            "DROP VIEW effective_access; CREATE VIEW effective_access AS SELECT 1",
            "view effective_access was changed",
        ),
        (
            "CREATE TRIGGER t AFTER INSERT ON pin BEGIN DELETE FROM pin; END",
            "trigger t is not pinferry's",
        ),
    ] {
        let place = migrated();
        place.raw().execute_batch(sql).unwrap();
        let found = place.verify().unwrap();
        assert_eq!(found.mismatches[0].code, MismatchCode::Schema);
        assert_eq!(found.mismatches[0].examples, [name]);
    }
}

#[test]
fn a_mismatch_names_records_and_never_a_fiscal_code() {
    let place = migrated();
    place
        .raw()
        .execute_batch("UPDATE person SET surname = 'ALTRO'")
        .unwrap();
    let found = place.verify().unwrap();
    let details = found
        .mismatches
        .iter()
        .find(|mismatch| mismatch.code == MismatchCode::PersonDetails)
        .unwrap();
    assert!(details.count > 10);
    assert_eq!(details.examples.len(), 10);
    assert!(details.examples[0].contains(':'), "{details:?}");
    let text = format!("{found:?}");
    let codes: Vec<String> = place
        .raw()
        .prepare("SELECT fiscal_code FROM fiscal_code")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(codes.iter().all(|code| !text.contains(code)));
}

#[test]
fn a_run_that_is_not_loaded_is_no_verification_that_passes() {
    let place = migrated();
    place
        .raw()
        .execute_batch("UPDATE run SET phase = 'loading'")
        .unwrap();
    let error = place.verify().unwrap_err();
    assert_eq!(error.exit(), Exit::Failed);
}

/// Table, column and type of every column of every table.
fn columns(connection: &Connection) -> Vec<(String, String, String)> {
    connection
        .prepare(
            "SELECT t.name, c.name, c.type FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
             WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%'
                 AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'
             ORDER BY t.name, c.cid",
        )
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// Ways to change a column: a name, the new value, and the rows it is for.
fn changes(column: &str, kind: &str) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut changes = vec![("removed", "NULL", "IS NOT NULL")];
    match kind {
        "INTEGER" => {
            changes.push(("raised", "1000001", "IS NOT NULL"));
            changes.push(("switched", if is_flag(column) { "0" } else { "2" }, "= 1"));
            changes.push(("given", "1", "IS NULL"));
        }
        "BLOB" => changes.push(("longer", "x'7A7A'", "IS NOT NULL")),
        _ => {
            changes.push(("given", "'2011-11-11'", "IS NULL"));
            changes.push(("longer", "'x'", "IS NOT NULL"));
            changes.push(("dated", "'2011-11-11'", "LIKE '____-__-__'"));
            changes.push(("promoted", "'dispositive'", "= 'ordinary'"));
            changes.push((
                "revived",
                "'active'",
                "IN ('suspended', 'pending', 'retired', 'revoked', 'ended')",
            ));
            changes.push(("ended", "'revoked'", "= 'active'"));
            changes.push(("multiplied", "'multiprofile'", "= 'legacy'"));
            changes.push(("verified", "'verified'", "= 'indexed'"));
            changes.push(("closed", "'closed'", "= 'open'"));
        }
    }
    changes
}

fn is_flag(column: &str) -> bool {
    ["done", "current", "target_fresh"].contains(&column)
}

pub(crate) fn key(table: &str) -> &'static str {
    match table {
        "fiscal_code" => "fiscal_code",
        "profile_grant" => "(person_id, profile, entity)",
        "delegation" => "(person_id, guardian_fiscal_code)",
        "profile" => "profile",
        "service" => "service",
        "profile_service" => "(profile, service)",
        "run_source" => "(run_id, source)",
        "run_partition" => "(run_id, partition_no)",
        "run_step" => "(run_id, step)",
        _ => "rowid",
    }
}

/// The columns of a key as a SELECT names them.
pub(crate) fn bare(key: &str) -> &str {
    key.trim_matches(['(', ')'])
}

fn is_constraint(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::ConstraintViolation | rusqlite::ErrorCode::TypeMismatch)
    )
}
