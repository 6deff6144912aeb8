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
    legacy::exists,
    names,
    plan::Plan,
    shape::TableShape,
    sql, state,
};

/// The keys of unique indexes, those that only some partitions have too: per column the table, the numbers of the
/// partitions a row of it may be in (none given, it may be in all), its name, the operator its equality is, the collation,
/// and whether two rows without a value collide; a key of an expression has no name.
const UNIQUES: &str = "
SELECT i.indexrelid::bigint, pg_catalog.format('%I.%I', s.nspname, r.relname),
       CASE WHEN i.indrelid = $1::bigint::oid THEN ''
            ELSE (SELECT pg_catalog.string_agg(p.relid::oid::text, ', ')
                    FROM pg_catalog.pg_partition_tree(i.indrelid) p) END,
       coalesce(a.attname::text, ''),
       coalesce((SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname)
                   FROM pg_catalog.pg_opclass c
                   JOIN pg_catalog.pg_amop a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype
                    AND a.amoprighttype = c.opcintype AND a.amopstrategy = 3
                   JOIN pg_catalog.pg_operator o ON o.oid = a.amopopr
                   JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
                  WHERE c.oid = i.indclass[k.place - 1]), ''),
       coalesce((SELECT pg_catalog.format(' COLLATE %I.%I', n.nspname, l.collname)
                   FROM pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
                  WHERE l.oid = i.indcollation[k.place - 1]), ''),
       i.indnullsnotdistinct AND NOT coalesce(a.attnotnull, false)
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_class r ON r.oid = i.indrelid
  JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace
 CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
 WHERE (i.indrelid = $1::bigint::oid
        OR NOT x.relispartition
           AND i.indrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1::bigint::oid) p))
   AND i.indisunique AND k.place <= i.indnkeyatts
 ORDER BY 1, k.place";

const DOING: &str = "handing diverted PINs back";

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
/// any: its new PINs are refused.
pub(super) fn guard(
    session: &mut Session,
    plan: &Plan<'_>,
    shape: &TableShape,
    messages: &Messages,
) -> Result<String, PostgresError> {
    let Some(collides) = collides(session, shape)? else {
        return Ok(String::new());
    };
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
           IF {collides} OR NOT {complete} THEN RETURN NEW; END IF;
           INSERT INTO {table} (pinferry_id{columns}) VALUES ({id}{values})
             ON CONFLICT (pinferry_id) WHERE processed_at IS NULL DO NOTHING;
           IF NOT FOUND THEN {} END IF;
           RETURN NULL;
         END",
        guard::raise(name, REFUSED, &waits)
    );
    let mut statements = guard::function(plan, "divert", &body);
    let event = "BEFORE INSERT ROW";
    statements.push_str(&guard::trigger(
        plan,
        shape.root(),
        "divert",
        event,
        "",
        "divert",
    ));
    Ok(statements)
}

/// The new row meets one that is there, so that an upsert may become an update; `None` when nobody can foresee
/// that.
fn collides(session: &mut Session, shape: &TableShape) -> Result<Option<String>, PostgresError> {
    let mut keys: Vec<Key> = Vec::new();
    if let Some(&id) = shape.mapped.get(&Field::LegacyId) {
        let column = shape.column(id);
        keys.push(Key {
            index: None,
            table: shape.root().quoted.clone(),
            partitions: String::new(),
            same: vec![format!("t.{column} = NEW.{column}")],
        });
    }
    let rows = session.rows(
        "reading unique indexes",
        UNIQUES,
        relation::oid(shape.root().oid),
    )?;
    for row in &rows {
        let index: Option<i64> = Some(row.get(0));
        let (column, equal, collation): (String, String, String) =
            (row.get(3), row.get(4), row.get(5));
        if !shape.columns.iter().any(|known| known.name == column) {
            return Ok(None);
        }
        let name = sql::name(&column);
        let mut same = format!("t.{name}{collation} {equal} NEW.{name}");
        if row.get(6) {
            same = format!("({same} OR t.{name} IS NULL AND NEW.{name} IS NULL)");
        }
        match keys.last_mut() {
            Some(key) if key.index == index => key.same.push(same),
            Some(_) | None => keys.push(Key {
                index,
                table: row.get(1),
                partitions: row.get(2),
                same: vec![same],
            }),
        }
    }
    Ok(Some(sql::any(keys.iter().map(Key::collides))))
}

/// What no two rows share.
struct Key {
    index: Option<i64>,
    /// The table whose rows these are, as SQL names it.
    table: String,
    /// The numbers of its partitions, where it is one itself.
    partitions: String,
    /// Per column, that the row `t` has what the new row has.
    same: Vec<String>,
}

impl Key {
    fn collides(&self) -> String {
        let (table, same) = (&self.table, self.same.join(" AND "));
        let exists = format!("EXISTS (SELECT 1 FROM {table} AS t WHERE {same})");
        match self.partitions.as_str() {
            "" => exists,
            partitions => format!("(TG_RELID IN ({partitions}) AND {exists})"),
        }
    }
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
