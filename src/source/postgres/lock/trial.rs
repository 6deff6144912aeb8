//! The ways in that are tried on one table.

use crate::{
    config::settings::{CredentialChange, LockMode},
    domain::{
        field::Field,
        status::LegacyStatus::{self, Active},
    },
    postgres::{PostgresError, Session},
    source::lock::{Expected, tightening},
};

use super::{
    condition::Conditions,
    sample::{self, Sample},
    shape::TableShape,
    sql,
};

/// One way in, or why it cannot be tried.
pub(super) struct Trial {
    pub(super) what: String,
    pub(super) expected: Expected,
    pub(super) way: Result<Way, String>,
}

/// How something is tried.
pub(super) enum Way {
    /// A statement.
    Plain(String),
    /// One that means nothing if it finds no row: the row changed meanwhile.
    OfARow(String),
    /// A statement in a session that is told to fire no ordinary triggers.
    AsReplica(String),
    /// Such a statement of a row that may have changed meanwhile.
    OfARowAsReplica(String),
    /// The rows of the query go in by COPY.
    Copy { query: String, into: String },
}

/// Every way in and every permitted way; the first is the plain insert of a new row.
pub(super) fn trials(
    session: &mut Session,
    conditions: &Conditions<'_>,
    mode: LockMode,
    unique: &dyn Fn(usize) -> bool,
) -> Result<Vec<Trial>, PostgresError> {
    let sample = Sample::find(session, conditions.shape, None)?;
    let mut trials = new_rows(conditions, sample.as_ref(), mode, unique);
    for member in &conditions.shape.members {
        trials.push(refused(
            format!("TRUNCATE of {}", member.shown),
            Way::Plain(format!("TRUNCATE {}", member.quoted)),
        ));
    }
    match &sample {
        Some(sample) => {
            trials.extend(existing_row(session, conditions, sample, unique)?);
            trials.extend(open_columns(conditions, sample, unique));
        }
        None => trials.push(Trial {
            what: "changes of an existing row".to_owned(),
            expected: Expected::Refused,
            way: Err("the table is empty".to_owned()),
        }),
    }
    trials.extend(statuses(session, conditions)?);
    Ok(trials)
}

fn refused(what: impl Into<String>, way: Way) -> Trial {
    Trial {
        what: what.into(),
        expected: Expected::Refused,
        way: Ok(way),
    }
}

fn new_rows(
    conditions: &Conditions<'_>,
    sample: Option<&Sample>,
    mode: LockMode,
    unique: &dyn Fn(usize) -> bool,
) -> Vec<Trial> {
    let shape = conditions.shape;
    let expected = match mode {
        LockMode::Refuse => Expected::Refused,
        LockMode::Divert => Expected::Diverted,
    };
    let row = sample::new_row(shape, sample, unique);
    let into = into(shape);
    let insert = |tail: &str| {
        let row = row.clone()?;
        Ok(format!(
            "INSERT INTO {into} OVERRIDING SYSTEM VALUE {row}{tail}"
        ))
    };
    let plain = |what: &str, way: Result<String, String>| Trial {
        what: what.to_owned(),
        expected,
        way: way.map(Way::Plain),
    };
    let mut trials = vec![
        plain("a new row", insert("")),
        plain(
            "a new row ON CONFLICT DO NOTHING",
            insert(" ON CONFLICT DO NOTHING"),
        ),
        plain("a new row RETURNING", insert(" RETURNING 1")),
        plain("a new row by MERGE", merge(shape, &row, None)),
        Trial {
            what: "a new row by COPY".to_owned(),
            expected,
            way: row.clone().map(|query| Way::Copy {
                query,
                into: into.clone(),
            }),
        },
        Trial {
            what: "a new row with session_replication_role = replica".to_owned(),
            expected,
            way: insert("").map(Way::AsReplica),
        },
    ];
    let children = shape
        .members
        .iter()
        .skip(1)
        .filter(|member| !member.partition);
    for child in children {
        let into = into.replacen(&shape.root().quoted, &child.quoted, 1);
        trials.push(Trial {
            what: format!("a new row of {}", child.shown),
            expected: Expected::Refused,
            way: row
                .clone()
                .map(|row| Way::Plain(format!("INSERT INTO {into} OVERRIDING SYSTEM VALUE {row}"))),
        });
    }
    trials
}

/// Everything forbidden to a row that is there.
fn existing_row(
    session: &mut Session,
    conditions: &Conditions<'_>,
    sample: &Sample,
    unique: &dyn Fn(usize) -> bool,
) -> Result<Vec<Trial>, PostgresError> {
    let shape = conditions.shape;
    let table = &shape.root().quoted;
    let delete = format!("DELETE FROM {table} AS t WHERE {}", sample.is_it);
    let mut trials = vec![
        refused("delete of a row", Way::OfARow(delete.clone())),
        refused(
            "delete of a row with session_replication_role = replica",
            Way::OfARowAsReplica(delete),
        ),
    ];
    let own_credential = is_own_credential(session, conditions, sample)?;
    for &at in &conditions.guarded {
        if shape.columns[at].generated {
            continue;
        }
        let column = shape.column(at);
        // A word that is no status: every real one is tried by itself. And another row's key would be refused by
        // the table before the guard is asked.
        let is_status = shape.mapped.get(&Field::Status) == Some(&at);
        let other = if is_status || unique(at) {
            sample::invented(shape, at)
        } else {
            sample::other_value(shape, at)
        };
        let none = || format!("no value for {column} can be invented");
        let way = |tail: &str| {
            let other = other.as_ref().ok_or_else(none)?;
            Ok(Way::OfARow(update(shape, at, other, sample, tail)))
        };
        if own_credential && shape.mapped.get(&Field::Credential) == Some(&at) {
            trials.push(Trial {
                what: format!("UPDATE of {column} of an active PIN"),
                expected: Expected::Captured,
                way: way(""),
            });
            continue;
        }
        for (what, tail) in [("UPDATE of", ""), ("UPDATE RETURNING of", " RETURNING 1")] {
            trials.push(Trial {
                what: format!("{what} {column}"),
                expected: Expected::Refused,
                way: way(tail),
            });
        }
        let row = Ok(format!(
            "SELECT t.* FROM {table} AS t WHERE {}",
            sample.is_it
        ));
        let merged = other.as_ref().ok_or_else(none);
        trials.push(Trial {
            what: format!("MERGE that changes {column}"),
            expected: Expected::Refused,
            way: merged
                .and_then(|other| merge(shape, &row, Some((at, other, sample))))
                .map(Way::OfARow),
        });
    }
    Ok(trials)
}

/// A holder's own change, where the configuration lets it through and the sample is of an active PIN.
fn is_own_credential(
    session: &mut Session,
    conditions: &Conditions<'_>,
    sample: &Sample,
) -> Result<bool, PostgresError> {
    let (shape, rules) = (conditions.shape, conditions.rules);
    let captured = match conditions.credential_change {
        CredentialChange::Refuse => false,
        CredentialChange::Capture => conditions.captures,
    };
    let (Some(&at), true) = (shape.mapped.get(&Field::Status), captured) else {
        return Ok(false);
    };
    let active = tightening::codes(&rules.status_codes, |status| status == Active);
    let query = format!(
        "SELECT 1 FROM {} AS t WHERE {} AND {} IN {}",
        shape.root().quoted,
        sample.is_it,
        conditions.code("t", at),
        sql::texts(active.into_iter().chain(["\u{1}"]))
    );
    let rows = session.rows("looking at the row to try", &query, Default::default())?;
    Ok(!rows.is_empty())
}

/// Columns that are not guarded may change, and every value may be written again as it is.
fn open_columns(
    conditions: &Conditions<'_>,
    sample: &Sample,
    unique: &dyn Fn(usize) -> bool,
) -> Vec<Trial> {
    let shape = conditions.shape;
    let open = |at: &usize| {
        let column = &shape.columns[*at];
        !conditions.guarded.contains(at) && !column.generated && !column.primary && !unique(*at)
    };
    let passes = |what: String, way| Trial {
        what,
        expected: Expected::Passes,
        way,
    };
    let mut trials = Vec::new();
    for at in (0..shape.columns.len()).filter(open) {
        let column = shape.column(at);
        let other = sample::other_value(shape, at);
        let way = other.map(|other| Way::OfARow(update(shape, at, &other, sample, "")));
        let way = way.ok_or_else(|| format!("no value for {column} can be invented"));
        trials.push(passes(format!("UPDATE of {column}, which may change"), way));
    }
    let same: Vec<String> = shape
        .insertable()
        .map(|at| format!("{0} = t.{0}", shape.column(at)))
        .collect();
    let (table, same) = (&shape.root().quoted, same.join(", "));
    let statement = format!("UPDATE {table} AS t SET {same} WHERE {}", sample.is_it);
    let what = "UPDATE of every column to the value it has".to_owned();
    trials.push(passes(what, Ok(Way::OfARow(statement))));
    trials
}

/// Every change from one status to another, tightening or loosening.
fn statuses(
    session: &mut Session,
    conditions: &Conditions<'_>,
) -> Result<Vec<Trial>, PostgresError> {
    let (shape, rules) = (conditions.shape, conditions.rules);
    let Some(&at) = shape.mapped.get(&Field::Status) else {
        return Ok(Vec::new());
    };
    if shape.columns[at].generated || !conditions.guarded.contains(&at) {
        return Ok(Vec::new());
    }
    let mut trials = Vec::new();
    for &from in LegacyStatus::ALL {
        let codes = tightening::codes(&rules.status_codes, |status| status == from);
        if codes.is_empty() {
            continue;
        }
        let codes = sql::texts(codes.into_iter());
        let sample = Sample::find(session, shape, Some((at, &codes, conditions.white_space)))?;
        for &to in LegacyStatus::ALL.iter().filter(|&&to| to != from) {
            let codes = tightening::codes(&rules.status_codes, |status| status == to);
            let Some(code) = codes.first() else { continue };
            let expected = if conditions.captures && tightening::tightens(from, to) {
                Expected::Captured
            } else {
                Expected::Refused
            };
            let way = match &sample {
                Some(sample) => Ok(Way::OfARow(update(shape, at, &sql::text(code), sample, ""))),
                None => Err(format!("no row with status {from}")),
            };
            trials.push(Trial {
                what: format!("status from {from} to {to}"),
                expected,
                way,
            });
        }
    }
    Ok(trials)
}

/// The table and the columns an INSERT names.
fn into(shape: &TableShape) -> String {
    let columns: Vec<String> = shape.insertable().map(|at| shape.column(at)).collect();
    format!("{} ({})", shape.root().quoted, columns.join(", "))
}

fn update(shape: &TableShape, at: usize, value: &str, sample: &Sample, tail: &str) -> String {
    let (table, column) = (&shape.root().quoted, shape.column(at));
    format!(
        "UPDATE {table} AS t SET {column} = {value} WHERE {}{tail}",
        sample.is_it
    )
}

/// Inserts the row, or changes a column of the sample.
fn merge(
    shape: &TableShape,
    row: &Result<String, String>,
    change: Option<(usize, &String, &Sample)>,
) -> Result<String, String> {
    let (table, row) = (&shape.root().quoted, row.clone()?);
    Ok(match change {
        Some((at, value, sample)) => format!(
            "MERGE INTO {table} AS t USING (SELECT 1) AS n ON {}
             WHEN MATCHED THEN UPDATE SET {} = {value}",
            sample
                .is_it
                .replace("tableoid", "t.tableoid")
                .replace("ctid", "t.ctid"),
            shape.column(at)
        ),
        None => {
            let columns: Vec<String> = shape.insertable().map(|at| shape.column(at)).collect();
            let columns = columns.join(", ");
            format!(
                "MERGE INTO {table} AS t USING ({row}) AS n ({columns}) ON false
                 WHEN NOT MATCHED THEN INSERT ({columns}) OVERRIDING SYSTEM VALUE VALUES ({})",
                shape
                    .insertable()
                    .map(|at| format!("n.{}", shape.column(at)))
                    .collect::<Vec<_>>()
                    .join(", ")
            )
        }
    })
}
