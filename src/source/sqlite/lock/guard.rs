//! The guards: triggers whose presence is the lock.
//!
//! A guard that must hold against OR IGNORE and OR REPLACE uses RAISE, which no outer conflict clause can
//! override; REPLACE deletes rows without a delete trigger, so an insert is refused after the deed, which
//! undoes the whole statement. SQLite fires the newest trigger first: the guards come before the
//! application's own triggers, and what those write meets the guards in turn.

use rusqlite::{Connection, Error};

use crate::{
    config::settings::LockMode,
    source::lock::{LockState, control::Control, guard::Guard, message::Messages},
};

use super::{capture, condition::Conditions, divert, plan::Plan, shape::TableShape, sql};

/// What every guard's name begins with.
pub(super) const PREFIX: &str = "pinferry_guard:";

/// The guards a lock in this state consists of.
pub(super) fn expected(plan: &Plan<'_>, control: &Control) -> Vec<Guard> {
    let messages = Messages::of(plan.place, control);
    let guards = |shape| match control.state {
        LockState::Engaged => engaged(plan, shape, control, &messages),
        LockState::Sealed => sealed(plan, shape, &messages),
        LockState::Open | LockState::Broken => Vec::new(),
    };
    plan.tables.iter().flat_map(guards).collect()
}

/// The guards of a source that are there, whatever they are.
pub(super) fn present(connection: &Connection, source: &str) -> Result<Vec<Guard>, Error> {
    let prefix = format!("{PREFIX}{source}:");
    let mut statement = connection.prepare(
        "SELECT name, sql FROM sqlite_schema
          WHERE type = 'trigger' AND substr(name, 1, length(?1)) = ?1 ORDER BY name",
    )?;
    let rows = statement.query_map([prefix], |row| {
        Ok(Guard {
            name: row.get(0)?,
            definition: row.get(1)?,
        })
    })?;
    rows.collect()
}

/// Makes guards.
pub(super) fn create(connection: &Connection, guards: &[Guard]) -> Result<(), Error> {
    let mut definitions = guards.iter();
    definitions.try_for_each(|guard| connection.execute_batch(&guard.definition))
}

/// Drops guards.
pub(super) fn drop_all(connection: &Connection, guards: &[Guard]) -> Result<(), Error> {
    guards.iter().try_for_each(|guard| {
        connection.execute_batch(&format!("DROP TRIGGER {}", sql::name(&guard.name)))
    })
}

fn engaged(
    plan: &Plan<'_>,
    shape: &TableShape,
    control: &Control,
    messages: &Messages,
) -> Vec<Guard> {
    let conditions = plan.conditions(shape);
    let made = |what: &str, event: &str, when: Option<String>, body: String| {
        guard(plan, shape, what, event, when, &body)
    };
    let refuse = |what| {
        format!(
            "SELECT RAISE(ABORT, {});",
            sql::text(&messages.locked(what))
        )
    };
    let mut guards = vec![
        made(
            "insert",
            "AFTER INSERT",
            None,
            refuse("no PIN can be added now"),
        ),
        made(
            "delete",
            "BEFORE DELETE",
            None,
            refuse("no PIN can be deleted now"),
        ),
        made(
            "update_early",
            "BEFORE UPDATE",
            Some(format!(
                "{} OR {}",
                conditions.forbidden_update(),
                conditions.update_collides()
            )),
            refuse("this change cannot be made now"),
        ),
        update(
            plan,
            shape,
            &conditions,
            &refuse("this change cannot be made now"),
        ),
    ];
    if let (Some(view), true) = (&plan.view, conditions.captures) {
        guards.push(made(
            "update_before",
            "BEFORE UPDATE",
            Some(conditions.touched()),
            capture::keep_before(plan, shape, view),
        ));
    }
    if let Some(collides) = conditions.insert_collides() {
        guards.push(match control.mode {
            LockMode::Refuse => made(
                "insert_early",
                "BEFORE INSERT",
                Some(format!("NOT {collides}")),
                refuse("no PIN can be added now"),
            ),
            LockMode::Divert => made(
                "divert",
                "BEFORE INSERT",
                Some(format!(
                    "NOT {collides} AND {}",
                    conditions.insert_is_complete()
                )),
                divert::catch(plan, shape, messages),
            ),
        });
    }
    if let (Some(changes), Some(count)) = (
        conditions.hidden_unique_changes(),
        control.tables.get(&shape.table),
    ) {
        let table = sql::name(&shape.table);
        guards.push(made(
            "update_replace",
            "AFTER UPDATE",
            Some(format!(
                "{changes} AND (SELECT count(*) FROM {table}) IS NOT {count}"
            )),
            refuse("this change would delete another PIN"),
        ));
    }
    guards
}

/// Looks at the stored values once more, and captures what passes.
fn update(plan: &Plan<'_>, shape: &TableShape, conditions: &Conditions<'_>, refuse: &str) -> Guard {
    let forbidden = conditions.forbidden_update();
    let refuse = format!("{} WHERE {forbidden};", refuse.trim_end_matches(';'));
    let body = if conditions.captures {
        format!("{refuse} {}", capture::keep(plan, shape))
    } else {
        refuse
    };
    let touched = Some(conditions.touched());
    guard(plan, shape, "update", "AFTER UPDATE", touched, &body)
}

fn sealed(plan: &Plan<'_>, shape: &TableShape, messages: &Messages) -> Vec<Guard> {
    let refuse = format!("SELECT RAISE(ABORT, {});", sql::text(&messages.sealed()));
    ["INSERT", "UPDATE", "DELETE"]
        .map(|event| {
            let what = format!("sealed_{}", event.to_ascii_lowercase());
            guard(
                plan,
                shape,
                &what,
                &format!("BEFORE {event}"),
                None,
                &refuse,
            )
        })
        .into()
}

fn guard(
    plan: &Plan<'_>,
    shape: &TableShape,
    what: &str,
    event: &str,
    when: Option<String>,
    body: &str,
) -> Guard {
    let name = format!("{PREFIX}{}:{}:{what}", plan.place.name(), shape.table);
    let when = when.map_or_else(String::new, |condition| format!(" WHEN {condition}"));
    Guard {
        definition: format!(
            "CREATE TRIGGER {} {event} ON {} FOR EACH ROW{when} BEGIN {body} END",
            sql::name(&name),
            sql::name(&shape.table)
        ),
        name,
    }
}
