//! The capture table: what the lock let through, row before and after.
//!
//! It has an autoincrement key and no other constraint, because an outer OR IGNORE or OR REPLACE would
//! override the trigger's own conflict clause; its columns have no type, so values stay as they were.

use rusqlite::{Connection, Error};

use crate::domain::field::Field;

use super::{plan::Plan, shape::TableShape, sql};

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
        "CREATE TABLE IF NOT EXISTS {} (seq INTEGER PRIMARY KEY AUTOINCREMENT, at, processed_at{images})",
        sql::name(&table(source))
    ))
}

/// The statement of the update guard that keeps the row before and after.
pub(super) fn keep(plan: &Plan<'_>, shape: &TableShape) -> String {
    let (mut columns, mut values) = (String::from("at"), String::from(super::NOW));
    for (image, row) in [("before", "OLD"), ("after", "NEW")] {
        for (field, &at) in &shape.mapped {
            columns.push_str(", ");
            columns.push_str(&image_column(image, *field));
            values.push_str(&format!(", {row}.{}", shape.column(at)));
        }
    }
    let table = sql::name(&table(plan.place.name()));
    format!("INSERT INTO {table} ({columns}) VALUES ({values});")
}
