//! The capture table: what the lock let through, row before and after.
//!
//! Its columns have the types of what they keep, below any domains, so that an image is read by the very code that
//! reads the source.
//!
//! Under a view a row of a table is only part of a record, and what the view showed before is gone after the
//! update: the row before is kept first, pending, with a mark, because the view may have shown none. What stays
//! pending, because a trigger of the application dropped the update, is the row before of the next one.

use crate::{
    domain::field::Field,
    postgres::{PostgresError, Session},
};

use super::{
    names,
    plan::{Plan, View},
    shape::{Column, TableShape},
    sql, state,
};

/// The column of a field in the image `before` or `after`.
pub(super) fn image_column(image: &str, field: Field) -> String {
    format!("{image}_{}", field.name())
}

/// What counts as captured.
pub(super) const SETTLED: &str = "pending IS NULL";

/// The statement that makes the table.
pub(super) fn create(plan: &Plan<'_>) -> String {
    let mut images = String::new();
    for image in ["before", "after"] {
        for (field, column) in plan.record() {
            let name = sql::name(&image_column(image, field));
            images.push_str(&format!(", {name} {}", column.kind));
        }
    }
    let table = names::within(&names::captures(plan.place.name()));
    format!(
        "CREATE TABLE {table} (seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at text NOT NULL DEFAULT {now},
           processed_at text, image text NOT NULL, pending boolean, pending_id text,
           xact xid8 NOT NULL DEFAULT pg_catalog.pg_current_xact_id(){images});
         REVOKE ALL ON TABLE {table} FROM PUBLIC;",
        now = super::NOW
    )
}

/// How many changes were captured, and how many of them are unprocessed.
pub(super) fn tally(session: &mut Session, source: &str) -> Result<(u64, u64), PostgresError> {
    state::tally(session, &names::captures(source), SETTLED)
}

/// How many this very transaction has captured, whatever others do meanwhile.
pub(super) fn own(session: &mut Session, source: &str) -> Result<u64, PostgresError> {
    let own = format!("{SETTLED} AND xact = pg_catalog.pg_current_xact_id()");
    Ok(state::tally(session, &names::captures(source), &own)?.0)
}

/// Empties the table.
pub(super) fn forget(session: &mut Session, source: &str) -> Result<(), PostgresError> {
    state::empty(session, &names::captures(source))
}

/// The statements of the update guard that keep the row before and after.
pub(super) fn keep(plan: &Plan<'_>, shape: &TableShape, refuse: &str) -> String {
    let table = names::within(&names::captures(plan.place.name()));
    let Some(view) = &plan.view else {
        let (mut columns, mut values) = (String::from("image"), String::from("'both'"));
        for (image, row) in [("before", "OLD"), ("after", "NEW")] {
            for (field, &at) in &shape.mapped {
                columns.push_str(&format!(", {}", sql::name(&image_column(image, *field))));
                values.push_str(&format!(", {row}.{}", shape.column(at)));
            }
        }
        return format!("INSERT INTO {table} ({columns}) VALUES ({values});");
    };
    let id = format!("NEW.{}", id_of(shape));
    let waits = format!("pending AND pending_id = {id}::pg_catalog.text");
    format!(
        "IF EXISTS (SELECT 1 FROM {table} WHERE {waits} AND image = 'mark') THEN
           UPDATE {table} SET pending = NULL, xact = pg_catalog.pg_current_xact_id() WHERE {waits} AND image = 'before';
           UPDATE {table} SET pending = false, xact = pg_catalog.pg_current_xact_id() WHERE {waits};
           {}
         ELSIF NOT EXISTS (SELECT 1 FROM {table} WHERE NOT pending AND pending_id = {id}::pg_catalog.text
                              AND xact = pg_catalog.pg_current_xact_id()) THEN
           {refuse}
         END IF;",
        shown(plan, view, "after", &id, "NULL", shape)
    )
}

/// The statements that keep what a view shows before the update.
pub(super) fn keep_before(plan: &Plan<'_>, shape: &TableShape, view: &View) -> String {
    let table = names::within(&names::captures(plan.place.name()));
    let id = format!("OLD.{}", id_of(shape));
    format!(
        "IF NOT EXISTS (SELECT 1 FROM {table} WHERE pending AND pending_id = {id}::pg_catalog.text) THEN
           INSERT INTO {table} (image, pending, pending_id) VALUES ('mark', true, {id}::pg_catalog.text);
           {}
         END IF;
         RETURN NEW;",
        shown(plan, view, "before", &id, "true", shape)
    )
}

/// Keeps the rows the view shows for an id.
fn shown(
    plan: &Plan<'_>,
    view: &View,
    image: &str,
    id: &str,
    pending: &str,
    shape: &TableShape,
) -> String {
    let (mut columns, mut values) = (String::new(), String::new());
    for (field, &at) in &view.mapped {
        columns.push_str(&format!(", {}", sql::name(&image_column(image, *field))));
        values.push_str(&format!(", v.{}", sql::name(&view.columns[at].name)));
    }
    let shown_id = view
        .mapped
        .get(&Field::LegacyId)
        .map(|&at| &view.columns[at]);
    let own_id = shape
        .mapped
        .get(&Field::LegacyId)
        .map(|&at| &shape.columns[at]);
    let same = match (shown_id, own_id) {
        (Some(shown), Some(own)) if shown.kind == own.kind => {
            format!("v.{} = {id}", sql::name(&shown.name))
        }
        (Some(shown), _) => format!(
            "v.{}::pg_catalog.text = {id}::pg_catalog.text",
            sql::name(&shown.name)
        ),
        (None, _) => "false".to_owned(),
    };
    format!(
        "INSERT INTO {} (image, pending, pending_id{columns})
           SELECT '{image}', {pending}, {id}::pg_catalog.text{values} FROM {} AS v WHERE {same};",
        names::within(&names::captures(plan.place.name())),
        view.quoted,
    )
}

fn id_of(shape: &TableShape) -> String {
    let id = shape.mapped.get(&Field::LegacyId);
    id.map_or_else(|| sql::name("id"), |&at| shape.column(at))
}

impl Plan<'_> {
    /// The columns that make up a record as it is read.
    fn record(&self) -> Vec<(Field, &Column)> {
        let (mapped, columns) = match (&self.view, self.tables.first()) {
            (Some(view), _) => (&view.mapped, &view.columns),
            (None, Some(shape)) => (&shape.mapped, &shape.columns),
            (None, None) => return Vec::new(),
        };
        mapped
            .iter()
            .map(|(field, &at)| (*field, &columns[at]))
            .collect()
    }
}
