//! Trying every way past the guards, and every way that must stay open; each is undone.

use std::{collections::BTreeSet, ops::ControlFlow};

use sqlx::{Row, postgres::PgArguments};

use crate::{
    config::settings::LockMode,
    postgres::{PostgresError, Session, Trouble},
    source::{
        lock::{
            Expected, LockError, LockRequest, LockState, Outcome, Owner, Place, TestReport, Try,
            control::Control,
        },
        postgres::relation,
    },
};

use super::{
    capture, control, divert, engage,
    guard::{REFUSED, TRIAL},
    legacy,
    plan::Plan,
    shape::TableShape,
    sql,
    trial::{Trial, Way, trials},
};

const TESTING: &str = "testing the lock";

/// See [`crate::source::lock::test`].
pub(in crate::source) fn test(place: &Place) -> Result<TestReport, LockError> {
    let mut report = legacy::rehearse(place, TESTING, |session| {
        let plan = Plan::make(session, place)?;
        match control::read(session, place.name())? {
            Some(control) if control.state == LockState::Engaged => {
                within(session, &plan, &control)
            }
            Some(control) if control.state == LockState::Sealed => Err(control.held(place.name())),
            Some(_) | None => on_new_guards(session, &plan),
        }
    })?;
    report.tries.push(from_elsewhere(place, &report)?);
    Ok(report)
}

/// All tries on guards made for them within the caller's transaction, which must never be committed.
fn on_new_guards(session: &mut Session, plan: &Plan<'_>) -> Result<TestReport, LockError> {
    let request = LockRequest {
        owner: Owner::Administrator("lock test".to_owned()),
        reason: "test of the lock".to_owned(),
        successor: String::new(),
    };
    plan.may_guard(session)?;
    let plan = engage::hold(session, plan, TESTING)?;
    let made = engage::make_untested(session, &plan, &request)?;
    let mut report = within(session, &plan, &made)?;
    report.on_engaged_lock = false;
    Ok(report)
}

/// All tries within the caller's transaction, which they leave as it was.
pub(super) fn within(
    session: &mut Session,
    plan: &Plan<'_>,
    control: &Control,
) -> Result<TestReport, LockError> {
    let mut report = TestReport {
        source: plan.place.name().to_owned(),
        on_engaged_lock: true,
        tries: Vec::new(),
    };
    session.batch(TESTING, &format!("SET LOCAL {TRIAL} = 'on'"))?;
    for shape in &plan.tables {
        for trial in every(session, plan, shape, control.mode)? {
            report
                .tries
                .push(attempt(session, plan.place, shape, trial)?);
        }
    }
    session.batch(TESTING, &format!("SET LOCAL {TRIAL} = 'off'"))?;
    Ok(report)
}

fn every(
    session: &mut Session,
    plan: &Plan<'_>,
    shape: &TableShape,
    mode: LockMode,
) -> Result<Vec<Trial>, LockError> {
    let conditions = plan.conditions(shape);
    let unique = unique_columns(session, shape)?;
    let unique = |at: usize| unique.contains(&at);
    Ok(trials(session, &conditions, mode, &unique)?)
}

/// The columns that some unique index or the id mentions: a new row needs values of its own there.
fn unique_columns(
    session: &mut Session,
    shape: &TableShape,
) -> Result<BTreeSet<usize>, PostgresError> {
    let rows = session.rows(
        TESTING,
        "SELECT DISTINCT a.attnum::bigint FROM pg_catalog.pg_index i
           JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
          WHERE i.indrelid = $1::bigint::oid AND i.indisunique",
        relation::oid(shape.root().oid),
    )?;
    let numbers: BTreeSet<i64> = rows.iter().map(|row| row.get(0)).collect();
    let id = shape.mapped.get(&crate::domain::field::Field::LegacyId);
    let unique = |at: &usize| numbers.contains(&shape.columns[*at].number) || Some(at) == id;
    Ok((0..shape.columns.len()).filter(unique).collect())
}

fn attempt(
    session: &mut Session,
    place: &Place,
    shape: &TableShape,
    trial: Trial,
) -> Result<Try, LockError> {
    let outcome = match trial.way {
        Err(missing) => Outcome::NothingToTryOn(missing),
        Ok(way) => tried(session, place, &way)?,
    };
    Ok(Try {
        what: format!("{}: {}", shape.root().shown, trial.what),
        expected: trial.expected,
        outcome,
    })
}

fn tried(session: &mut Session, place: &Place, way: &Way) -> Result<Outcome, LockError> {
    let before = kept(session, place)?;
    session.batch(TESTING, "SAVEPOINT pinferry_try")?;
    let outcome = match run(session, place, way) {
        Err(error) if !session.is_standing() => return Err(error.into()),
        Err(error) => refusal(&error, way),
        Ok(0) if matches!(way, Way::OfARow(_)) => {
            Outcome::NothingToTryOn("the row was changed by somebody else meanwhile".to_owned())
        }
        Ok(_) => {
            session.batch(TESTING, "RESET ROLE")?;
            let after = kept(session, place)?;
            if after.0 > before.0 {
                Outcome::Diverted
            } else if after.1 > before.1 {
                Outcome::Captured
            } else {
                Outcome::Passed
            }
        }
    };
    session.batch(TESTING, "ROLLBACK TO pinferry_try; RELEASE pinferry_try")?;
    Ok(outcome)
}

/// Diverted PINs and captures.
fn kept(session: &mut Session, place: &Place) -> Result<(u64, u64), PostgresError> {
    let name = place.name();
    Ok((
        divert::tally(session, name)?.0,
        capture::tally(session, name)?.0,
    ))
}

/// Does it as the application would; how many rows it met.
fn run(session: &mut Session, place: &Place, way: &Way) -> Result<u64, PostgresError> {
    let mut bytes = Vec::new();
    if let Way::Copy { query, .. } = way {
        let out = format!("COPY ({query}) TO STDOUT");
        session.copy_out(TESTING, &out, &mut |chunk| {
            bytes.append(chunk);
            ControlFlow::Continue(())
        })?;
    }
    if let Way::AsReplica(_) = way {
        session.batch(TESTING, "SET LOCAL session_replication_role = replica")?;
    }
    if let Some(role) = &place.lock.application_role {
        session.batch(TESTING, &format!("SET LOCAL ROLE {}", sql::name(role)))?;
    }
    match way {
        Way::Plain(statement) | Way::OfARow(statement) | Way::AsReplica(statement) => {
            session.execute(TESTING, statement, PgArguments::default())
        }
        Way::Copy { into, .. } => {
            let mut copy = session.copy_in(TESTING, &format!("COPY {into} FROM STDIN"))?;
            copy.send(&bytes)?;
            copy.finish()
        }
    }
}

fn refusal(error: &PostgresError, way: &Way) -> Outcome {
    match (error.sqlstate(), way) {
        (Some(REFUSED), _) => Outcome::Refused,
        (_, Way::AsReplica(_)) if error.trouble() == Trouble::PermissionDenied => {
            Outcome::NothingToTryOn("the role may not set it".to_owned())
        }
        _ if error.trouble() == Trouble::LockTimeout => {
            Outcome::NothingToTryOn("others kept the table busy".to_owned())
        }
        _ => Outcome::RefusedByTable(error.words()),
    }
}

/// The same from a second connection, which sees what is committed and nothing else.
fn from_elsewhere(place: &Place, report: &TestReport) -> Result<Try, LockError> {
    let expected = match place.lock.mode {
        LockMode::Refuse => Expected::Refused,
        LockMode::Divert => Expected::Diverted,
    };
    let what = "a new PIN from a second connection".to_owned();
    if !report.on_engaged_lock {
        return Ok(Try {
            what,
            expected,
            outcome: Outcome::NothingToTryOn("the lock is not engaged".to_owned()),
        });
    }
    legacy::rehearse(place, TESTING, |session| {
        let plan = Plan::make(session, place)?;
        session.batch(TESTING, &format!("SET LOCAL {TRIAL} = 'on'"))?;
        let mut tries = Vec::new();
        for shape in &plan.tables {
            if let Some(mut trial) = every(session, &plan, shape, place.lock.mode)?
                .into_iter()
                .next()
            {
                trial.what.clone_from(&what);
                tries.push(attempt(session, place, shape, trial)?);
            }
        }
        Ok(tries.into_iter().next().unwrap_or(Try {
            what,
            expected,
            outcome: Outcome::NothingToTryOn("there is no table".to_owned()),
        }))
    })
}
