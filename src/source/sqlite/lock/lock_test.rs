//! Trying every way past the guards, and every way that must stay open; each is undone.

use rusqlite::{Connection, Error, params_from_iter};

use crate::{
    config::settings::LockMode,
    source::lock::{
        Expected, LockError, LockRequest, LockState, Outcome, Owner, Place, TestReport, Try,
        control::{Control, not_held},
        decision,
        guard::compare,
        message::LOCKED,
    },
};

use super::{
    capture, control,
    datum::Datum,
    divert, engage, guard,
    legacy::{self, Failure},
    plan::Plan,
    shape::TableShape,
    trial::{Trial, trials},
};

const TESTING: &str = "testing the lock";

/// See [`crate::source::lock::test`].
pub(in crate::source) fn test(place: &Place) -> Result<TestReport, LockError> {
    let mut report = legacy::rehearse(place, TESTING, |connection| {
        let plan = Plan::make(connection, place)?;
        match control::read(connection, place.name())? {
            Some(control) if control.state == LockState::Engaged => {
                within(connection, &plan, &control)
            }
            Some(control) if control.state == LockState::Sealed => {
                Err(control.held(place.name()).into())
            }
            Some(_) | None => on_new_guards(connection, &plan),
        }
    })?;
    report.tries.push(from_elsewhere(place, &report)?);
    Ok(report)
}

/// All tries on guards made for them within the caller's transaction, which must never be committed.
pub(super) fn on_new_guards(
    connection: &Connection,
    plan: &Plan<'_>,
) -> Result<TestReport, Failure> {
    let request = LockRequest {
        owner: Owner::Administrator("lock test".to_owned()),
        reason: "test of the lock".to_owned(),
        successor: String::new(),
    };
    let made = engage::make_untested(connection, plan, &request)?;
    let mut report = within(connection, plan, &made)?;
    report.on_engaged_lock = false;
    Ok(report)
}

/// All tries within the caller's transaction, which they leave as it was.
pub(super) fn within(
    connection: &Connection,
    plan: &Plan<'_>,
    control: &Control,
) -> Result<TestReport, Failure> {
    let name = plan.place.name();
    let mut report = TestReport {
        source: name.to_owned(),
        on_engaged_lock: true,
        tries: Vec::new(),
    };
    for shape in &plan.tables {
        let conditions = plan.conditions(shape);
        for trial in trials(connection, &conditions, control.mode)? {
            report.tries.push(attempt(connection, name, shape, trial)?);
        }
    }
    Ok(report)
}

fn attempt(
    connection: &Connection,
    name: &str,
    shape: &TableShape,
    trial: Trial,
) -> Result<Try, Error> {
    let outcome = match trial.statement {
        Err(missing) => Outcome::NothingToTryOn(missing),
        Ok((statement, values)) => {
            let kept = || -> Result<(u64, u64), Error> {
                Ok((
                    divert::tally(connection, name)?.0,
                    capture::tally(connection, name)?.0,
                ))
            };
            let before = kept()?;
            connection.execute_batch("SAVEPOINT pinferry_try")?;
            let ran = run(connection, &statement, values);
            let after = kept()?;
            connection.execute_batch("ROLLBACK TO pinferry_try; RELEASE pinferry_try")?;
            match ran {
                Err(error) => refusal(&error),
                Ok(()) if after.0 > before.0 => Outcome::Diverted,
                Ok(()) if after.1 > before.1 => Outcome::Captured,
                Ok(()) => Outcome::Passed,
            }
        }
    };
    Ok(Try {
        what: format!("{}: {}", shape.table, trial.what),
        expected: trial.expected,
        outcome,
    })
}

/// Runs a statement to its end, whether it returns rows or not.
fn run(connection: &Connection, statement: &str, values: Vec<Datum>) -> Result<(), Error> {
    let mut statement = connection.prepare(statement)?;
    let mut rows = statement.query(params_from_iter(values))?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn refusal(error: &Error) -> Outcome {
    let words = super::words(error);
    if words.starts_with(LOCKED) {
        Outcome::Refused
    } else {
        Outcome::RefusedByTable(words)
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
    legacy::rehearse(place, TESTING, |connection| {
        let plan = Plan::make(connection, place)?;
        let Some(shape) = plan.tables.first() else {
            return Err(Error::QueryReturnedNoRows.into());
        };
        let conditions = plan.conditions(shape);
        let mut trials = trials(connection, &conditions, place.lock.mode)?.into_iter();
        let Some(mut trial) = trials.next() else {
            return Err(Error::QueryReturnedNoRows.into());
        };
        trial.what.clone_from(&what);
        Ok(attempt(connection, place.name(), shape, trial)?)
    })
}

/// That a connection of its own sees every guard of a lock just engaged.
pub(super) fn seen_from_elsewhere(place: &Place) -> Result<(), LockError> {
    legacy::read(
        place,
        "looking at the lock from a second connection",
        |connection| {
            let plan = Plan::make(connection, place)?;
            let control =
                control::read(connection, place.name())?.ok_or_else(|| not_held(place.name()))?;
            let present = guard::present(connection, place.name())?;
            let expected = guard::expected(&plan, &control);
            decision::undamaged(place.name(), compare(&expected, &present))?;
            Ok(())
        },
    )
}
