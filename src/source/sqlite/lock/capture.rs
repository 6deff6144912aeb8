//! The capture table: what the lock let through, row before and after.
//!
//! It has an autoincrement key and no other constraint, because an outer OR IGNORE or OR REPLACE would
//! override the trigger's own conflict clause; its columns have no type, so values stay as they were.
//!
//! Under a view a row of a table is only part of a record, and what the view showed before is gone after the
//! update: the row before is kept first, pending, and stays so if an outer OR IGNORE skips the update.

use rusqlite::{Connection, Error};

use crate::domain::field::Field;

use super::{
    plan::{Plan, View},
    shape::TableShape,
    sql, state,
};

/// The capture table of a source.
pub(super) fn table(source: &str) -> String {
    format!("pinferry_capture_{source}")
}

/// The column of a field in the image `before` or `after`.
pub(super) fn image_column(image: &str, field: Field) -> String {
    format!("{image}_{}", field.name())
}

/// Makes the table.
pub(super) fn create(connection: &Connection, source: &str) -> Result<(), Error> {
    let images: String = ["before", "after"]
        .iter()
        .flat_map(|image| Field::ALL.map(|field| format!(", {}", image_column(image, field))))
        .collect();
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {} (seq INTEGER PRIMARY KEY AUTOINCREMENT, at, processed_at, image, pending_id, pending{images})",
        sql::name(&table(source))
    ))
}

/// What counts as captured.
pub(super) const SETTLED: &str = "pending IS NULL";

/// How many changes were captured, and how many of them are unprocessed.
pub(super) fn tally(connection: &Connection, source: &str) -> Result<(u64, u64), Error> {
    state::tally(connection, &table(source), SETTLED)
}

/// The statement of the update guard that keeps the row before and after.
pub(super) fn keep(plan: &Plan<'_>, shape: &TableShape) -> String {
    let Some(view) = &plan.view else {
        let (mut columns, mut values) =
            (String::from("at, image"), format!("{}, 'both'", super::NOW));
        for (image, row) in [("before", "OLD"), ("after", "NEW")] {
            for (field, &at) in &shape.mapped {
                columns.push_str(", ");
                columns.push_str(&image_column(image, *field));
                values.push_str(&format!(", {row}.{}", shape.column(at)));
            }
        }
        let table = sql::name(&table(plan.place.name()));
        return format!("INSERT INTO {table} ({columns}) VALUES ({values});");
    };
    let id = id_of(shape);
    let table = sql::name(&table(plan.place.name()));
    format!(
        "UPDATE {table} SET pending = NULL, pending_id = NULL WHERE pending AND pending_id IS NEW.{id}; {}",
        shown(plan, view, "after", &format!("NEW.{id}"), "NULL")
    )
}

/// The statements that keep what a view shows before the update.
pub(super) fn keep_before(plan: &Plan<'_>, shape: &TableShape, view: &View) -> String {
    let id = id_of(shape);
    let table = sql::name(&table(plan.place.name()));
    format!(
        "DELETE FROM {table} WHERE pending AND pending_id IS OLD.{id}; {}",
        shown(plan, view, "before", &format!("OLD.{id}"), "1")
    )
}

/// Keeps the rows the view shows for an id.
fn shown(plan: &Plan<'_>, view: &View, image: &str, id: &str, pending: &str) -> String {
    let (mut columns, mut values) = (String::new(), String::new());
    for (field, column) in &view.columns {
        columns.push_str(", ");
        columns.push_str(&image_column(image, *field));
        values.push_str(&format!(", v.{}", sql::name(column)));
    }
    let shown_id = view
        .columns
        .get(&Field::LegacyId)
        .map_or("id", String::as_str);
    format!(
        "INSERT INTO {} (at, image, pending, pending_id{columns}) SELECT {}, '{image}', {pending}, CASE WHEN {pending} THEN {id} END{values} FROM {} AS v WHERE v.{} IS {id};",
        sql::name(&table(plan.place.name())),
        super::NOW,
        sql::name(&view.name),
        sql::name(shown_id)
    )
}

fn id_of(shape: &TableShape) -> String {
    let id = shape.mapped.get(&Field::LegacyId);
    id.map_or_else(|| sql::name("id"), |&at| shape.column(at))
}
