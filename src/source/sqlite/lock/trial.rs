//! The ways in that are tried on one table.

use rusqlite::{Connection, Error};

use crate::{
    config::settings::{CredentialChange, LockMode},
    domain::{
        field::Field,
        rules::SourceRules,
        status::LegacyStatus::{self, Active},
    },
    source::lock::{Expected, tightening},
};

use super::{
    condition::Conditions,
    datum::Datum,
    sample::{self, Sample},
    shape::{Key, TableShape},
    sql,
};

/// One way in, or why it cannot be tried.
pub(super) struct Trial {
    pub(super) what: String,
    pub(super) expected: Expected,
    /// The statement and its parameters, or what is missing.
    pub(super) statement: Result<(String, Vec<Datum>), String>,
}

/// Every way in and every permitted way; the first is the plain insert of a new row.
pub(super) fn trials(
    connection: &Connection,
    conditions: &Conditions<'_>,
    mode: LockMode,
) -> Result<Vec<Trial>, Error> {
    let shape = conditions.shape;
    let sample = Sample::find(connection, shape, "1")?;
    let mut trials = new_rows(conditions, sample.as_ref(), mode);
    match &sample {
        Some(sample) => {
            trials.extend(existing_row(connection, conditions, sample)?);
            trials.extend(open_columns(connection, conditions, sample)?);
        }
        None => trials.push(Trial {
            what: "changes of an existing row".to_owned(),
            expected: Expected::Refused,
            statement: Err("the table is empty".to_owned()),
        }),
    }
    trials.extend(statuses(connection, conditions)?);
    Ok(trials)
}

fn new_rows(conditions: &Conditions<'_>, sample: Option<&Sample>, mode: LockMode) -> Vec<Trial> {
    let shape = conditions.shape;
    let expected = match mode {
        LockMode::Refuse => Expected::Refused,
        LockMode::Divert => Expected::Diverted,
    };
    let values = sample::new_row(shape, sample);
    let touch = touched_column(conditions);
    [
        ("a new row", "INSERT", String::new()),
        ("a new row OR IGNORE", "INSERT OR IGNORE", String::new()),
        ("a new row OR REPLACE", "INSERT OR REPLACE", String::new()),
        ("a new row OR FAIL", "INSERT OR FAIL", String::new()),
        (
            "a new row by upsert",
            "INSERT",
            touch.map_or_else(String::new, |column| {
                format!(" ON CONFLICT DO UPDATE SET {column} = excluded.{column}")
            }),
        ),
        ("a new row RETURNING", "INSERT", " RETURNING 1".to_owned()),
    ]
    .map(|(what, verb, tail)| Trial {
        what: what.to_owned(),
        expected,
        statement: Ok(insert(shape, verb, &tail, &values)),
    })
    .into()
}

/// Everything forbidden to a row that is there.
fn existing_row(
    connection: &Connection,
    conditions: &Conditions<'_>,
    sample: &Sample,
) -> Result<Vec<Trial>, Error> {
    let shape = conditions.shape;
    let refused = |what: String, statement| Trial {
        what,
        expected: Expected::Refused,
        statement: Ok(statement),
    };
    let table = sql::name(&shape.table);
    let delete = format!("DELETE FROM {table} WHERE {}", sample.is_it);
    let mut trials = vec![refused(
        "delete of a row".to_owned(),
        (delete, sample.key.clone()),
    )];
    trials.push(refused(
        "an existing row OR REPLACE".to_owned(),
        insert(shape, "INSERT OR REPLACE", "", &sample.values),
    ));
    for &at in &conditions.guarded {
        if shape.columns[at].generated {
            continue;
        }
        let other = if shape.mapped.get(&Field::Status) == Some(&at) {
            // A word that is no status: every real one is tried by itself.
            Datum::text("pinferry-lock-test")
        } else {
            sample.other_value(connection, shape, at)?
        };
        let column = shape.column(at);
        if is_new_credential(conditions, sample, at) {
            trials.push(Trial {
                what: format!("UPDATE of {column} of an active PIN"),
                expected: Expected::Captured,
                statement: Ok(update(shape, "UPDATE", at, other, sample, "")),
            });
            continue;
        }
        for verb in ["UPDATE", "UPDATE OR IGNORE", "UPDATE OR REPLACE"] {
            trials.push(refused(
                format!("{verb} of {column}"),
                update(shape, verb, at, other.clone(), sample, ""),
            ));
        }
        trials.push(refused(
            format!("upsert that changes {column}"),
            upsert(shape, at, other.clone(), sample),
        ));
        trials.push(refused(
            format!("UPDATE of {column} RETURNING"),
            update(shape, "UPDATE", at, other, sample, " RETURNING 1"),
        ));
    }
    if let Key::Rowid { alias, .. } = &shape.key {
        let mut bound = sample.key.clone();
        bound.push(Datum::Integer(8_070_605_040_302_010));
        let statement = format!(
            "UPDATE OR REPLACE {table} SET {} = ?{} WHERE {}",
            sql::name(alias),
            bound.len(),
            sample.is_it
        );
        trials.push(refused("another rowid".to_owned(), (statement, bound)));
    }
    Ok(trials)
}

/// A holder's own change, where the configuration lets it through.
fn is_new_credential(conditions: &Conditions<'_>, sample: &Sample, at: usize) -> bool {
    let mapped = &conditions.shape.mapped;
    let captured = match conditions.credential_change {
        CredentialChange::Refuse => false,
        CredentialChange::Capture => conditions.captures,
    };
    let status = match mapped.get(&Field::Status).map(|&at| &sample.values[at]) {
        Some(Datum::Text(code)) => String::from_utf8_lossy(code).trim().to_ascii_uppercase(),
        Some(Datum::Integer(code)) => code.to_string(),
        Some(Datum::Null | Datum::Real(_) | Datum::Blob(_)) | None => return false,
    };
    captured
        && mapped.get(&Field::Credential) == Some(&at)
        && conditions.rules.status_codes.get(&status) == Some(&Active)
}

/// Columns that are not guarded may change, and every value may be written again as it is.
fn open_columns(
    connection: &Connection,
    conditions: &Conditions<'_>,
    sample: &Sample,
) -> Result<Vec<Trial>, Error> {
    let shape = conditions.shape;
    let open = |at: &usize| {
        let column = &shape.columns[*at];
        !conditions.guarded.contains(at) && !column.generated && !column.primary
    };
    let unique = |at: usize| {
        let mut indexes = shape.uniques.iter();
        indexes.any(|index| index.columns.iter().any(|(one, _)| *one == at))
    };
    let mut trials = Vec::new();
    for at in (0..shape.columns.len())
        .filter(open)
        .filter(|&at| !unique(at))
    {
        let other = sample.other_value(connection, shape, at)?;
        trials.push(Trial {
            what: format!("UPDATE of {}, which may change", shape.column(at)),
            expected: Expected::Passes,
            statement: Ok(update(shape, "UPDATE", at, other, sample, "")),
        });
    }
    let same: Vec<String> = shape
        .insertable()
        .map(|at| format!("{0} = {0}", shape.column(at)))
        .collect();
    let statement = format!(
        "UPDATE {} SET {} WHERE {}",
        sql::name(&shape.table),
        same.join(", "),
        sample.is_it
    );
    trials.push(Trial {
        what: "UPDATE of every column to the value it has".to_owned(),
        expected: Expected::Passes,
        statement: Ok((statement, sample.key.clone())),
    });
    Ok(trials)
}

/// Every change from one status to another, tightening or loosening.
fn statuses(connection: &Connection, conditions: &Conditions<'_>) -> Result<Vec<Trial>, Error> {
    let shape = conditions.shape;
    let Some(&at) = shape.mapped.get(&Field::Status) else {
        return Ok(Vec::new());
    };
    if shape.columns[at].generated || !conditions.guarded.contains(&at) {
        return Ok(Vec::new());
    }
    let mut trials = Vec::new();
    for &from in LegacyStatus::ALL {
        let Some((codes, _)) = codes(conditions.rules, from) else {
            continue;
        };
        let sample = match sample::with_status(shape, &codes) {
            Some(condition) => Sample::find(connection, shape, &condition)?,
            None => None,
        };
        for &to in LegacyStatus::ALL {
            let Some((_, code)) = codes_other(conditions.rules, from, to) else {
                continue;
            };
            let expected = if conditions.captures && tightening::tightens(from, to) {
                Expected::Captured
            } else {
                Expected::Refused
            };
            trials.push(Trial {
                what: format!("status from {from} to {to}"),
                expected,
                statement: match &sample {
                    Some(sample) => {
                        let to = Datum::text(&code);
                        Ok(update(shape, "UPDATE", at, to, sample, ""))
                    }
                    None => Err(format!("no row with status {from}")),
                },
            });
        }
    }
    Ok(trials)
}

/// The legacy's codes of a status, as a list, and the first.
fn codes(rules: &SourceRules, status: LegacyStatus) -> Option<(String, String)> {
    let codes = tightening::codes(&rules.status_codes, |one| one == status);
    let first = (*codes.first()?).to_owned();
    Some((sql::texts(codes.into_iter()), first))
}

/// The same for the status to go to, which is another.
fn codes_other(
    rules: &SourceRules,
    from: LegacyStatus,
    to: LegacyStatus,
) -> Option<(String, String)> {
    if from == to { None } else { codes(rules, to) }
}

/// A guarded column an upsert could set.
fn touched_column(conditions: &Conditions<'_>) -> Option<String> {
    let shape = conditions.shape;
    let mut guarded = conditions.guarded.iter();
    let at = guarded.find(|&&at| !shape.columns[at].generated && !shape.columns[at].primary)?;
    Some(shape.column(*at))
}

fn insert(shape: &TableShape, verb: &str, tail: &str, values: &[Datum]) -> (String, Vec<Datum>) {
    let (mut columns, mut places, mut bound) = (Vec::new(), Vec::new(), Vec::new());
    for at in shape.insertable() {
        columns.push(shape.column(at));
        bound.push(values[at].clone());
        places.push(format!("?{}", bound.len()));
    }
    let statement = format!(
        "{verb} INTO {} ({}) VALUES ({}){tail}",
        sql::name(&shape.table),
        columns.join(", "),
        places.join(", ")
    );
    (statement, bound)
}

fn upsert(shape: &TableShape, at: usize, value: Datum, sample: &Sample) -> (String, Vec<Datum>) {
    let (mut statement, mut bound) = insert(shape, "INSERT", "", &sample.values);
    bound.push(value);
    statement.push_str(&format!(
        " ON CONFLICT DO UPDATE SET {} = ?{}",
        shape.column(at),
        bound.len()
    ));
    (statement, bound)
}

fn update(
    shape: &TableShape,
    verb: &str,
    at: usize,
    value: Datum,
    sample: &Sample,
    tail: &str,
) -> (String, Vec<Datum>) {
    let mut bound = sample.key.clone();
    bound.push(value);
    let statement = format!(
        "{verb} {} SET {} = ?{} WHERE {}{tail}",
        sql::name(&shape.table),
        shape.column(at),
        bound.len(),
        sample.is_it
    );
    (statement, bound)
}
