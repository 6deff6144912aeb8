//! One value after the other.

use pinferry::{engine::verify::MismatchCode, exit::Exit};

use crate::{
    engine::{Engine, on_both_engines},
    fixture::migrated,
    raw::Refused,
};

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

on_both_engines! {
    what_was_migrated_and_left_alone_passes
    any_single_value_changed_in_any_table_is_found
    a_row_taken_away_from_any_table_is_found
    a_mismatch_names_records_and_never_a_fiscal_code
    a_run_that_is_not_loaded_is_no_verification_that_passes
}

fn what_was_migrated_and_left_alone_passes(engine: Engine) {
    let found = migrated(engine).verify().unwrap();
    assert!(found.passed(), "{:#?}", found.mismatches);
    assert!(found.changed_since.is_empty());
    assert!(found.found.quarantined() > 0 && found.found.persons > 0);
}

fn any_single_value_changed_in_any_table_is_found(engine: Engine) {
    let mut unseen = Vec::new();
    let mut changed = 0;
    let mut place = migrated(engine);
    for (table, column, kind) in columns(engine) {
        if WITHOUT_MEANING.contains(&format!("{table}.{column}").as_str()) {
            continue;
        }
        for (what, assignment, only) in changes(engine, kind) {
            let sql = format!(
                "UPDATE {table} SET {column} = {assignment} WHERE {} = (SELECT {} FROM {table} WHERE {column} {only} LIMIT 1)",
                key(engine, &table),
                bare(key(engine, &table))
            );
            let rows = match place.raw().change(&sql) {
                Ok(rows) => rows,
                // A constraint that is a type or a unique index guards the value itself.
                Err(Refused) => continue,
            };
            if rows == 0 {
                continue;
            }
            changed += 1;
            match place.verify() {
                Ok(found) if found.passed() => unseen.push(format!("{table}.{column} {what}")),
                Ok(_) | Err(_) => {}
            }
            place = place.restored(&table);
        }
    }
    assert!(
        place.verify().unwrap().passed(),
        "every change was taken back"
    );
    assert!(changed > 100, "only {changed} values were changed");
    assert_eq!(unseen, Vec::<String>::new(), "of {changed} changes");
}

fn a_row_taken_away_from_any_table_is_found(engine: Engine) {
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
        let place = migrated(engine);
        let key = key(engine, table);
        let sql = format!(
            "DELETE FROM {table} WHERE {key} = (SELECT {} FROM {table} LIMIT 1)",
            bare(key)
        );
        place.raw().must(&sql);
        let found = place.verify();
        assert!(found.is_err() || !found.unwrap().passed(), "{table}");
    }
}

fn a_mismatch_names_records_and_never_a_fiscal_code(engine: Engine) {
    let place = migrated(engine);
    place.raw().must("UPDATE person SET surname = 'ALTRO'");
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
    let codes = place.raw().texts("SELECT fiscal_code FROM fiscal_code");
    assert!(!codes.is_empty() && codes.iter().all(|code| !text.contains(code)));
}

fn a_run_that_is_not_loaded_is_no_verification_that_passes(engine: Engine) {
    let place = migrated(engine);
    place.raw().must("UPDATE run SET phase = 'loading'");
    let error = place.verify().unwrap_err();
    assert_eq!(error.exit(), Exit::Failed);
}

/// What kind of values a column takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Flag,
    Integer,
    Bytes,
    Text,
    Date,
    Time,
}

/// Table, column and kind of every column of every table.
fn columns(engine: Engine) -> Vec<(String, String, Kind)> {
    let sql = match engine {
        Engine::Sqlite => {
            "SELECT t.name || ' ' || c.name || ' ' || c.type FROM pragma_table_list AS t, pragma_table_info(t.name) AS c
             WHERE t.schema = 'main' AND t.type = 'table' AND t.name NOT LIKE 'sqlite%'
                 AND t.name NOT LIKE '\\_sqlx%' ESCAPE '\\'
             ORDER BY t.name, c.cid"
        }
        Engine::Postgres => {
            "SELECT table_name || ' ' || column_name || ' ' || data_type FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%'
                 AND table_name <> 'effective_access'
             ORDER BY table_name, ordinal_position"
        }
    };
    let columns = migrated(engine).raw().texts(sql);
    let column = |line: &String| {
        let mut words = line.splitn(3, ' ').map(str::to_owned);
        let mut word = || words.next().unwrap();
        let (table, column, kind) = (word(), word(), word());
        let flag = ["done", "current", "known", "target_fresh"].contains(&column.as_str());
        let kind = match kind.as_str() {
            "INTEGER" | "boolean" if flag => Kind::Flag,
            "INTEGER" | "bigint" | "integer" | "smallint" => Kind::Integer,
            "BLOB" | "bytea" => Kind::Bytes,
            "TEXT" | "text" => Kind::Text,
            "date" => Kind::Date,
            "timestamp with time zone" => Kind::Time,
            other => panic!("{other}"),
        };
        (table, column, kind)
    };
    columns.iter().map(column).collect()
}

/// Ways to change a column: a name, the new value, and the rows it is for.
fn changes(engine: Engine, kind: Kind) -> Vec<(&'static str, &'static str, &'static str)> {
    let mut changes = vec![("removed", "NULL", "IS NOT NULL")];
    changes.extend_from_slice(match (kind, engine) {
        (Kind::Flag, Engine::Sqlite) => &[
            ("raised", "1000001", "IS NOT NULL"),
            ("switched", "0", "= 1"),
        ],
        (Kind::Flag, Engine::Postgres) => &[
            ("switched", "false", "= true"),
            ("switched on", "true", "= false"),
        ],
        (Kind::Integer, _) => &[
            ("raised", "10001", "IS NOT NULL"),
            ("switched", "2", "= 1"),
            ("given", "1", "IS NULL"),
        ],
        (Kind::Bytes, Engine::Sqlite) => &[("longer", "x'7A7A'", "IS NOT NULL")],
        (Kind::Bytes, Engine::Postgres) => &[("longer", "'\\x7a7a'", "IS NOT NULL")],
        (Kind::Date, _) => &[
            ("given", "'2011-11-11'", "IS NULL"),
            ("dated", "'2011-11-11'", "IS NOT NULL"),
            ("endless", "'infinity'", "IS NOT NULL"),
            ("long ago", "'0044-03-15 BC'", "IS NOT NULL"),
        ],
        (Kind::Time, _) => &[
            ("given", "'2011-11-11'", "IS NULL"),
            ("later", "'2911-11-11'", "IS NOT NULL"),
            ("endless", "'infinity'", "IS NOT NULL"),
        ],
        (Kind::Text, _) => &[
            ("given", "'2011-11-11'", "IS NULL"),
            ("longer", "'x'", "IS NOT NULL"),
            ("dated", "'2011-11-11'", "LIKE '____-__-__'"),
            ("promoted", "'dispositive'", "= 'ordinary'"),
            (
                "revived",
                "'active'",
                "IN ('suspended', 'pending', 'retired', 'revoked', 'ended')",
            ),
            ("ended", "'revoked'", "= 'active'"),
            ("multiplied", "'multiprofile'", "= 'legacy'"),
            ("verified", "'verified'", "= 'indexed'"),
            ("closed", "'closed'", "= 'open'"),
        ],
    });
    changes
}

/// A statement with what the engine knows a row by.
pub(crate) fn of(engine: Engine, sql: &str) -> String {
    sql.replace("{row}", row(engine))
}

fn row(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "rowid",
        Engine::Postgres => "ctid",
    }
}

pub(crate) fn key(engine: Engine, table: &str) -> &'static str {
    match table {
        "fiscal_code" => "fiscal_code",
        "profile_grant" => "(person_id, profile, entity)",
        "delegation" => "(person_id, guardian_fiscal_code)",
        "profile" => "profile",
        "service" => "service",
        "profile_service" => "(profile, service)",
        "run_code" => "(run_id, fiscal_code)",
        "run_source" => "(run_id, source)",
        "run_partition" => "(run_id, partition_no)",
        "run_step" => "(run_id, step)",
        _ => row(engine),
    }
}

/// The columns of a key as a SELECT names them.
pub(crate) fn bare(key: &str) -> &str {
    key.trim_matches(['(', ')'])
}
