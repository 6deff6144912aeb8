//! The divert table: new PINs caught before they were inserted, every column as it was to be written.

use sqlx::{Row, postgres::PgArguments};

use crate::{
    domain::field::Field,
    postgres::{PostgresError, Session, Trouble},
    source::{
        lock::{LockError, NotHandedBack, Released, message::Messages},
        postgres::relation,
    },
};

use super::{
    guard::{self, REFUSED},
    keys,
    legacy::exists,
    names,
    plan::Plan,
    shape::TableShape,
    sql, state,
};

const DOING: &str = "handing diverted PINs back";

/// The function of the guard that catches new PINs.
pub(super) const FUNCTION: &str = "divert";

/// Which of them nobody processed.
const WAITS: &str = "processed_at IS NULL";

/// The statement that makes the table. An id waits once: the second PIN of that id, or the change of the first,
/// would be lost otherwise.
pub(super) fn create(source: &str, shape: &TableShape) -> String {
    let table = names::within(&names::diverted(source));
    let columns: String = (shape.insertable())
        .map(|at| format!(", {} {}", shape.column(at), shape.columns[at].kind))
        .collect();
    format!(
        "CREATE TABLE {table} (pinferry_seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
           pinferry_at text NOT NULL DEFAULT {}, processed_at text, pinferry_id text{columns});
         CREATE UNIQUE INDEX ON {table} (pinferry_id) WHERE processed_at IS NULL;
         REVOKE ALL ON TABLE {table} FROM PUBLIC;",
        super::NOW
    )
}

/// How many new PINs were diverted, and how many of them are unprocessed.
pub(super) fn tally(session: &mut Session, source: &str) -> Result<(u64, u64), PostgresError> {
    state::tally(session, &names::diverted(source), "true")
}

/// The statements that make the guard which catches a new PIN. Partitions have it too; a child of another kind
/// may have columns of its own, so that a new PIN there is refused. A table whose collisions nobody can foresee
/// gets none, and the lock's test says so. A transaction that goes on seeing an older state of the table cannot foresee
/// any, and nobody can once there is a unique index that came later: new PINs are refused then.
pub(super) fn guard(
    session: &mut Session,
    plan: &Plan<'_>,
    shape: &TableShape,
    messages: &Messages,
) -> Result<String, PostgresError> {
    let Some(collides) = keys::collides(session, shape)? else {
        return Ok(String::new());
    };
    let unknown = keys::unknown(session, shape)?;
    let name = plan.place.name();
    let table = names::within(&names::diverted(name));
    let (mut columns, mut values) = (String::new(), String::new());
    for at in shape.insertable() {
        columns.push_str(&format!(", {}", shape.column(at)));
        values.push_str(&format!(", NEW.{}", shape.column(at)));
    }
    let id = match shape.mapped.get(&Field::LegacyId) {
        Some(&at) => format!("NEW.{}::pg_catalog.text", shape.column(at)),
        None => "NULL".to_owned(),
    };
    let complete = sql::all(
        (shape.insertable())
            .filter(|&at| shape.columns[at].not_null)
            .map(|at| format!("NEW.{} IS NOT NULL", shape.column(at))),
    );
    let waits = sql::text(&messages.locked("this PIN is already waiting to be activated"));
    let body = format!(
        "BEGIN
           IF pg_catalog.current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
             RETURN NEW;
           END IF;
           IF {unknown} OR {collides} OR NOT {complete} THEN RETURN NEW; END IF;
           INSERT INTO {table} (pinferry_id{columns}) VALUES ({id}{values})
             ON CONFLICT (pinferry_id) WHERE processed_at IS NULL DO NOTHING;
           IF NOT FOUND THEN {} END IF;
           RETURN NULL;
         END",
        guard::raise(name, REFUSED, &waits)
    );
    let mut statements = guard::function(plan, FUNCTION, &body);
    let event = "BEFORE INSERT ROW";
    statements.push_str(&guard::trigger(
        plan,
        shape.root(),
        "divert",
        event,
        "",
        FUNCTION,
    ));
    Ok(statements)
}

/// Inserts what was diverted and not processed into the table again: all at once, because the application waits
/// meanwhile, or one by one where the table refuses some. Such a row stays where it is, and is reported.
pub(super) fn hand_back(
    session: &mut Session,
    source: &str,
    shape: &TableShape,
) -> Result<Released, LockError> {
    let mut released = Released::default();
    if !exists(session, &names::diverted(source))? {
        return Ok(released);
    }
    let table = names::within(&names::diverted(source));
    let columns: Vec<String> = shape.insertable().map(|at| shape.column(at)).collect();
    let columns = columns.join(", ");
    let insert = format!(
        "INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {table} WHERE",
        shape.root().quoted
    );
    let done = format!("UPDATE {table} SET processed_at = {} WHERE", super::NOW);
    let waiting = session.rows(
        DOING,
        &format!("SELECT pinferry_seq FROM {table} WHERE {WAITS} ORDER BY pinferry_seq"),
        PgArguments::default(),
    )?;
    let together = format!("{insert} {WAITS} ORDER BY pinferry_seq");
    let all = waiting.len() as u64;
    if inserted(session, &together, PgArguments::default(), all)?.is_ok() {
        let done = format!("{done} {WAITS}");
        released.handed_back = session.execute(DOING, &done, PgArguments::default())?;
        return Ok(released);
    }
    let (insert, done) = (
        format!("{insert} pinferry_seq = $1"),
        format!("{done} pinferry_seq = $1"),
    );
    for seq in waiting.iter().map(|row| row.get::<i64, _>(0)) {
        match inserted(session, &insert, relation::oid(seq), 1)? {
            Ok(()) => {
                session.execute(DOING, &done, relation::oid(seq))?;
                released.handed_back += 1;
            }
            Err(why) => released.not_handed_back.push(NotHandedBack { seq, why }),
        }
    }
    Ok(released)
}

/// Inserts as many rows as are expected, or none: why the table would not take them.
fn inserted(
    session: &mut Session,
    insert: &str,
    arguments: PgArguments,
    expected: u64,
) -> Result<Result<(), String>, PostgresError> {
    session.batch(DOING, "SAVEPOINT pinferry_back")?;
    let why = match session.execute(DOING, insert, arguments) {
        Ok(rows) if rows == expected => None,
        Ok(_) => Some("a trigger of the table ignores it".to_owned()),
        Err(error) if is_refusal(&error) => Some(error.words()),
        Err(error) => return Err(error),
    };
    let end = match why {
        None => "RELEASE pinferry_back",
        Some(_) => "ROLLBACK TO pinferry_back; RELEASE pinferry_back",
    };
    session.batch(DOING, end)?;
    Ok(why.map_or(Ok(()), Err))
}

/// Empties the table.
pub(super) fn forget(session: &mut Session, source: &str) -> Result<(), PostgresError> {
    state::empty(session, &names::diverted(source))
}

/// Puts what the legacy would not take out of the way of later locks, and tells where. The table itself may have
/// readers, who keep it from being renamed.
pub(super) fn set_aside(session: &mut Session, source: &str) -> Result<String, PostgresError> {
    const ASIDE: &str = "keeping diverted PINs aside";
    let query = "SELECT pg_catalog.to_char(pg_catalog.clock_timestamp() AT TIME ZONE 'UTC', 'YYYYMMDD\"T\"HH24MISSMS\"Z\"')";
    let rows = session.rows(ASIDE, query, PgArguments::default())?;
    let at: String = rows.first().map_or_else(String::new, |row| row.get(0));
    let aside = names::within(&names::not_handed_back(source, &at));
    let table = names::within(&names::diverted(source));
    session.batch(
        ASIDE,
        &format!(
            "CREATE TABLE {aside} (LIKE {table} INCLUDING ALL); REVOKE ALL ON TABLE {aside} FROM PUBLIC;
             INSERT INTO {aside} OVERRIDING SYSTEM VALUE SELECT * FROM {table} WHERE {WAITS}"
        ),
    )?;
    Ok(aside)
}

/// The row is the matter, not the database.
fn is_refusal(error: &PostgresError) -> bool {
    match error.trouble() {
        Trouble::Constraint | Trouble::BadValue => true,
        Trouble::Other => error.sqlstate().is_some_and(|code| code.starts_with('P')),
        _ => false,
    }
}
