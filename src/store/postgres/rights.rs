//! What roles that do not own the tables need at the target.

use crate::store::{
    StoreError,
    database::{Database, damaged},
};

/// A right on tables: what is granted, the columns it may be limited to, and the tables.
type Right = (&'static str, &'static str, &'static [&'static str]);

/// The rights of whoever hands requests in and activates them. Rows are held by updating rights on a column nobody
/// changes.
const QUEUE: [Right; 8] = [
    (
        "SELECT",
        "",
        &[
            "_sqlx_migrations",
            "audit_event",
            "delayed_activation",
            "delegation",
            "delivery_receipt",
            "digest_ledger",
            "fiscal_code",
            "log_length",
            "model_state",
            "person",
            "pin",
            "profile",
            "profile_grant",
            "quarantine",
            "run",
            "run_code",
            "run_event",
            "run_source",
            "run_step",
        ],
    ),
    (
        "INSERT",
        "",
        &[
            "audit_event",
            "delayed_activation",
            "delegation",
            "delivery_receipt",
            "digest_ledger",
            "fiscal_code",
            "person",
            "pin",
            "profile_grant",
            "run_step",
        ],
    ),
    ("UPDATE", "", &["delayed_activation", "delivery_receipt"]),
    (
        "UPDATE",
        "status, expires_on, superseded_by, halves_delivered",
        &["pin"],
    ),
    (
        "UPDATE",
        "status, level, valid_from, evidence",
        &["profile_grant"],
    ),
    ("UPDATE", "length", &["log_length"]),
    ("UPDATE", "changed_at", &["model_state"]),
    ("UPDATE", "run_id", &["person"]),
];

/// The rights of whoever adds to the audit log.
const LOG: [Right; 3] = [
    ("SELECT", "", &["audit_event", "log_length"]),
    ("INSERT", "", &["audit_event"]),
    ("UPDATE", "length", &["log_length"]),
];

/// The sequences that number what they add.
const SEQUENCES: [&str; 3] = [
    "delayed_activation_activation_id_seq",
    "delivery_receipt_receipt_id_seq",
    "digest_ledger_entry_id_seq",
];

/// The statements that give `activation` what the queue needs and `reports` what looking needs, to be typed by the
/// owner, or by who may act for him; tables are named as the owner's search path finds them.
pub(in crate::store) fn script(activation: Option<&str>, reports: Option<&str>) -> String {
    let mut script = String::new();
    if let Some(role) = activation {
        let role = quoted(role);
        script.push_str(&on_schema(&role));
        for right in &QUEUE {
            script.push_str(&grant(right, &right.2.join(", "), &role));
            script.push('\n');
        }
        script.push_str(&on_sequences(&SEQUENCES.join(", "), &role));
        script.push('\n');
    }
    if let Some(role) = reports {
        let role = quoted(role);
        script.push_str(&on_schema(&role));
        script.push_str(&in_schema(&[
            &format!("GRANT SELECT ON ALL TABLES IN SCHEMA %I TO {role}"),
            &format!("ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT SELECT ON TABLES TO {role}"),
        ]));
    }
    script
}

/// That a role which does not own the tables may serve the queue, and nothing else is asked of it.
pub(super) fn may_serve(database: &Database, place: &str) -> Result<(), StoreError> {
    const WHAT: &str = "hand requests in and activate them";
    may(database, place, (&QUEUE, &SEQUENCES), WHAT)
}

/// That a role which does not own the tables may add to the audit log.
pub(super) fn may_log(database: &Database, place: &str) -> Result<(), StoreError> {
    may(database, place, (&LOG, &[]), "write the audit log")
}

fn may(
    database: &Database,
    place: &str,
    (rights, sequences): (&[Right], &[&str]),
    what: &str,
) -> Result<(), StoreError> {
    const ACTION: &str = "read what the role may do";
    let row = database
        .row(
            ACTION,
            "SELECT CAST(current_user AS text), quote_ident(current_user)",
            &[],
        )?
        .ok_or_else(|| damaged("no role"))?;
    let (name, role): (String, String) = (row.get(0)?, row.get(1)?);
    let mut missing = Vec::new();
    for right in rights {
        let tables = wanting(database, right.2, |table| has(right, table))?;
        if !tables.is_empty() {
            missing.push(grant(right, &tables.join(", "), &role));
        }
    }
    let sequences = wanting(database, sequences, |sequence| {
        format!("SELECT has_sequence_privilege('{sequence}', 'UPDATE')")
    })?;
    if !sequences.is_empty() {
        missing.push(on_sequences(&sequences.join(", "), &role));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(StoreError::Denied {
        place: place.to_owned(),
        role: name,
        what: what.to_owned(),
        grant: missing.join(" "),
    })
}

/// Those of which the statement does not say that the right is there.
fn wanting<'n>(
    database: &Database,
    names: &[&'n str],
    has: impl Fn(&str) -> String,
) -> Result<Vec<&'n str>, StoreError> {
    let mut wanting = Vec::new();
    for name in names {
        if !database.value::<bool>("read what the role may do", &has(name), &[])? {
            wanting.push(*name);
        }
    }
    Ok(wanting)
}

fn has((privilege, columns, _): &Right, table: &str) -> String {
    if columns.is_empty() {
        return format!("SELECT has_table_privilege('{table}', '{privilege}')");
    }
    let columns = columns.split(", ");
    let each: Vec<_> = columns
        .map(|column| format!("has_column_privilege('{table}', '{column}', '{privilege}')"))
        .collect();
    format!("SELECT {}", each.join(" AND "))
}

fn grant((privilege, columns, _): &Right, tables: &str, role: &str) -> String {
    let columns = match *columns {
        "" => String::new(),
        columns => format!(" ({columns})"),
    };
    format!("GRANT {privilege}{columns} ON {tables} TO {role};")
}

fn on_sequences(sequences: &str, role: &str) -> String {
    format!("GRANT USAGE, SELECT, UPDATE ON SEQUENCE {sequences} TO {role};")
}

fn on_schema(role: &str) -> String {
    in_schema(&[&format!("GRANT USAGE ON SCHEMA %I TO {role}")])
}

/// Statements about the owner's schema, which is `%I` in them.
fn in_schema(statements: &[&str]) -> String {
    let executed = statements.iter().map(|statement| {
        // What stands for the schema is the only thing that is formatted.
        let text = statement.replace('\'', "''");
        format!("  EXECUTE pg_catalog.replace('{text}', '%I', pg_catalog.quote_ident(current_schema()));\n")
    });
    format!(
        "DO $pinferry$ BEGIN\n{}END $pinferry$;\n",
        executed.collect::<String>()
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
