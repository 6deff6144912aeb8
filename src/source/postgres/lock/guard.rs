//! The guards: triggers whose presence is the lock.
//!
//! They fire whatever session_replication_role says. Row guards look at what was really written, after every
//! trigger of the application had its say; partitions have theirs from the table above them, those attached later
//! too. A truncation fires triggers of the statement only, which nobody passes on.

use sqlx::{Row, postgres::PgArguments};

use sha2::{Digest as _, Sha256};

use crate::{
    config::settings::LockMode,
    postgres::{PostgresError, Session},
    source::lock::{control::Control, guard::Guard, message::Messages},
};

use super::{
    capture, divert, names,
    plan::Plan,
    remains,
    shape::{Member, TableShape},
    sql,
};

/// The SQLSTATE of what an engaged lock refuses.
pub(super) const REFUSED: &str = "PF001";

/// The SQLSTATE of what a sealed legacy refuses.
pub(super) const SEALED: &str = "PF002";

/// Set by the lock's own test, whose refusals nobody wants counted.
pub(super) const TRIAL: &str = "pinferry.trial";

const PRESENT: &str = "
SELECT n.nspname || '.' || c.relname, t.tgname::text, t.tgparentid <> 0,
       pg_catalog.format('%I.%I', n.nspname, c.relname),
       pg_catalog.concat_ws(' ', t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid), p.prosecdef, p.proowner,
                            p.proconfig, p.prosrc),
       t.tgenabled = 'D' OR p.prosrc = $2
  FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND pg_catalog.starts_with(t.tgname::text, $1)
 ORDER BY 1, 2";

/// What the function of a guard does once the lock is open.
const OPENED: &str = "BEGIN
  IF TG_LEVEL = 'STATEMENT' THEN RETURN NULL; ELSIF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END";

/// A guard that is there, whatever it is.
pub(super) struct Present {
    pub(super) guard: Guard,
    /// The table it stands on, as messages show it.
    pub(super) table: String,
    /// The same as SQL names it.
    quoted: String,
    trigger: String,
    /// Whether it came from a table above.
    pub(super) inherited: bool,
    /// Whether it refuses nothing: it was left behind, or somebody disabled it.
    pub(super) open: bool,
}

/// Whether a guard stands that may refuse something.
pub(super) fn stand(session: &mut Session, source: &str) -> Result<bool, PostgresError> {
    Ok(present(session, source)?.iter().any(|one| !one.open))
}

/// The guards of a source that are there.
pub(super) fn present(session: &mut Session, source: &str) -> Result<Vec<Present>, PostgresError> {
    let mut arguments = PgArguments::default();
    for text in [&names::guards(source), OPENED] {
        sqlx::Arguments::add(&mut arguments, text).expect("a text is an argument");
    }
    let rows = session.rows("looking for the guards", PRESENT, arguments)?;
    let present = |row: &sqlx::postgres::PgRow| {
        let (table, trigger): (String, String) = (row.get(0), row.get(1));
        let definition = Sha256::digest(row.get::<String, _>(4));
        Present {
            guard: Guard {
                name: format!("{table}:{trigger}"),
                definition: definition
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect(),
            },
            table,
            trigger,
            inherited: row.get(2),
            quoted: row.get(3),
            open: row.get(5),
        }
    };
    Ok(rows.iter().map(present).collect())
}

/// The tables that guards stand on, as SQL names them.
pub(super) fn tables(present: &[Present]) -> Vec<String> {
    let mut tables: Vec<String> = present.iter().map(|one| one.quoted.clone()).collect();
    tables.dedup();
    tables
}

/// Disables guards and empties their functions. The tables are to be held against writers.
pub(super) fn open(
    session: &mut Session,
    source: &str,
    guards: &[Present],
) -> Result<(), PostgresError> {
    let mut statements: String = (guards.iter())
        .map(|one| {
            let trigger = sql::name(&one.trigger);
            format!("ALTER TABLE {} DISABLE TRIGGER {trigger};", one.quoted)
        })
        .collect();
    for function in remains::functions(session, source, "true")? {
        statements.push_str(&format!(
            "CREATE OR REPLACE FUNCTION {}() RETURNS trigger LANGUAGE plpgsql AS {};",
            names::within(&function),
            sql::text(OPENED)
        ));
    }
    session.batch("opening the guards", &statements)
}

/// Drops guards. The tables are to be held against everybody.
pub(super) fn drop_all(session: &mut Session, guards: &[Present]) -> Result<(), PostgresError> {
    let drops: String = (guards.iter())
        .filter(|one| !one.inherited)
        .map(|one| {
            format!(
                "DROP TRIGGER {} ON {};",
                sql::name(&one.trigger),
                one.quoted
            )
        })
        .collect();
    session.batch("dropping the guards", &drops)
}

/// Makes the guards of an engaged lock. The tables are to be held against writers.
pub(super) fn engage(
    session: &mut Session,
    plan: &Plan<'_>,
    control: &Control,
) -> Result<(), PostgresError> {
    let messages = Messages::of(plan.place, control);
    let mut statements = String::new();
    for (number, shape) in plan.tables.iter().enumerate() {
        statements.push_str(&engaged(plan, shape, number, &messages));
    }
    if let (LockMode::Divert, Some(shape)) = (control.mode, plan.tables.first()) {
        statements.push_str(&divert::guard(session, plan, shape, &messages)?);
    }
    session.batch("making the guards", &statements)
}

/// Makes the guards of a sealed legacy, beside those of the lock that was engaged.
pub(super) fn seal(
    session: &mut Session,
    plan: &Plan<'_>,
    control: &Control,
) -> Result<(), PostgresError> {
    let message = Messages::of(plan.place, control).sealed();
    let refuse = raise(plan.place.name(), SEALED, &sql::text(&message));
    let mut statements = function(plan, "sealed", &format!("BEGIN {refuse} END"));
    let made =
        |member: &Member, what: &str, event: &str| trigger(plan, member, what, event, "", "sealed");
    for shape in &plan.tables {
        for member in &shape.members {
            let events = "BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE";
            statements.push_str(&made(member, "0sealed", &format!("{events} STATEMENT")));
            if !member.partition {
                // Replication applies rows, and fires triggers of rows only. Digits come before letters.
                let events = "BEFORE INSERT OR UPDATE OR DELETE ROW";
                statements.push_str(&made(member, "0sealed_rows", events));
            }
        }
    }
    session.batch("making the guards", &statements)
}

fn engaged(plan: &Plan<'_>, shape: &TableShape, number: usize, messages: &Messages) -> String {
    let conditions = plan.conditions(shape);
    let name = format!("guard{number}");
    let refused = |what| sql::text(&messages.locked(what));
    let words = format!(
        "CASE TG_OP WHEN 'INSERT' THEN {} WHEN 'UPDATE' THEN {} ELSE {} END",
        refused("no PIN can be added now"),
        refused("this change cannot be made now"),
        refused("no PIN can be deleted now"),
    );
    let refuse = raise(plan.place.name(), REFUSED, &words);
    let keep = if conditions.captures {
        capture::keep(plan, shape, &refuse)
    } else {
        String::new()
    };
    let body = format!(
        "BEGIN IF TG_OP = 'UPDATE' THEN IF {} THEN {keep} RETURN NULL; END IF; END IF; {refuse} END",
        conditions.permitted()
    );
    let mut statements = function(plan, &name, &body);
    let touched = format!("WHEN ({})", conditions.touched());
    let before = match &plan.view {
        Some(view) if conditions.captures => {
            let body = capture::keep_before(plan, shape, view);
            let before = format!("before{number}");
            statements.push_str(&function(plan, &before, &format!("BEGIN {body} END")));
            Some(before)
        }
        Some(_) | None => None,
    };
    for member in &shape.members {
        let mut made = |what: &str, event: &str, when: &str, function: &str| {
            statements.push_str(&trigger(plan, member, what, event, when, function));
        };
        made("truncate", "BEFORE TRUNCATE STATEMENT", "", &name);
        if member.partition {
            continue;
        }
        made("rows", "AFTER INSERT OR DELETE ROW", "", &name);
        made("update", "AFTER UPDATE ROW", &touched, &name);
        if let Some(before) = &before {
            made("before", "BEFORE UPDATE ROW", &touched, before);
        }
    }
    statements
}

/// The statements that make a function nobody calls but a guard.
pub(super) fn function(plan: &Plan<'_>, name: &str, body: &str) -> String {
    let name = format!("{}{name}", names::functions(plan.place.name()));
    let name = names::within(&name);
    format!(
        "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
           SET search_path = pg_catalog, pg_temp SET row_security = off AS {};
         REVOKE ALL ON FUNCTION {name}() FROM PUBLIC;\n",
        sql::text(body)
    )
}

/// The statements that make a guard; `event` ends in ROW or STATEMENT.
pub(super) fn trigger(
    plan: &Plan<'_>,
    member: &Member,
    what: &str,
    event: &str,
    when: &str,
    function: &str,
) -> String {
    let source = plan.place.name();
    let trigger = sql::name(&format!("{}{what}", names::guards(source)));
    let function = names::within(&format!("{}{function}", names::functions(source)));
    let (event, each) = event.rsplit_once(' ').unwrap_or((event, "ROW"));
    let table = &member.quoted;
    format!(
        "CREATE OR REPLACE TRIGGER {trigger} {event} ON {table} FOR EACH {each} {when} EXECUTE FUNCTION {function}();
         ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger};\n"
    )
}

/// The statements that count a refusal and refuse. A sequence stays where it was when the refusal undoes all else.
pub(super) fn raise(source: &str, sqlstate: &str, message: &str) -> String {
    let counter = sql::text(&names::within(&names::refusals(source)));
    format!(
        "IF pg_catalog.current_setting('{TRIAL}', true) IS DISTINCT FROM 'on' THEN
           PERFORM pg_catalog.nextval({counter}::pg_catalog.regclass);
         END IF;
         RAISE EXCEPTION USING ERRCODE = '{sqlstate}', MESSAGE = {message};"
    )
}
