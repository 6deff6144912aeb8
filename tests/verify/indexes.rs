//! Indexes that do not hold what their tables hold: whoever looks by them misses rows.

use crate::{
    engine::{Engine, on_both_engines},
    fixture::{Place, migrated},
};

on_both_engines! {
    a_row_that_an_index_does_not_know_is_found
}

/// Table and index.
type Indexed = (&'static str, &'static str);

/// Those that are no part of their tables, and known to be whole by another way of reading.
const ON_SQLITE: &[Indexed] = &[("fiscal_code", "fiscal_code_person"), ("pin", "pin_source")];

const ON_POSTGRES: &[Indexed] = &[
    ("person", "person_pkey"),
    ("fiscal_code", "fiscal_code_pkey"),
    ("fiscal_code", "fiscal_code_person"),
    ("pin", "pin_source"),
    ("pin", "pin_person"),
    ("profile_grant", "profile_grant_pkey"),
    ("delegation", "delegation_pkey"),
];

fn a_row_that_an_index_does_not_know_is_found(engine: Engine) {
    let (indexes, spoil) = match engine {
        Engine::Sqlite => (ON_SQLITE, behind_sqlite as fn(&Place, Indexed)),
        Engine::Postgres => (ON_POSTGRES, behind_postgres as fn(&Place, Indexed)),
    };
    for indexed in indexes {
        let place = migrated(engine);
        spoil(&place, *indexed);
        let found = place.verify();
        assert!(found.is_err() || !found.unwrap().passed(), "{indexed:?}");
    }
}

/// An index that is not in the schema is not written to.
fn behind_sqlite(place: &Place, (table, index): Indexed) {
    let kept = place.raw().texts(&format!(
        "SELECT quote(rootpage) || ', ' || quote(sql) FROM sqlite_schema WHERE name = '{index}'"
    ));
    let schema = |change: &str| {
        place
            .raw()
            .batch(&format!("PRAGMA writable_schema = ON; {change}"));
    };
    schema(&format!("DELETE FROM sqlite_schema WHERE name = '{index}'"));
    let column = if index == "pin_source" {
        "legacy_id"
    } else {
        "person_id"
    };
    place.raw().must(&format!(
        "UPDATE {table} SET {column} = (SELECT max({column}) FROM {table}) || 1 WHERE {column} = (
             SELECT max({column}) FROM {table})"
    ));
    schema(&format!(
        "INSERT INTO sqlite_schema VALUES ('index', '{index}', '{table}', {})",
        kept[0]
    ));
}

/// Nor is one that is not ready.
fn behind_postgres(place: &Place, (table, index): Indexed) {
    let ready = |ready: bool| {
        place.raw().batch(&format!(
            "UPDATE pg_index SET indisready = {ready} WHERE indexrelid = '{index}'::regclass"
        ));
    };
    ready(false);
    let moved = "WITH moved AS (DELETE FROM {table} WHERE ctid = (SELECT ctid FROM {table} LIMIT 1) RETURNING *)
        INSERT INTO {table} SELECT * FROM moved";
    place.raw().must(&moved.replace("{table}", table));
    ready(true);
}
