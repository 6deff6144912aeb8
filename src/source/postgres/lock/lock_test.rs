//! Trying every way past the guards, and every way that must stay open; each is undone.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

use sqlx::{Row, postgres::PgArguments};

use crate::{
    config::settings::LockMode,
    postgres::{PostgresError, Session, Trouble},
    source::{
        lock::{
            Expected, LockError, LockRequest, LockState, Outcome, Owner, Place, TestReport, Try,
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

/// Why a way is not tried on a row that is not as it was.
const ROW_CHANGED: &str = "the row was changed by somebody else meanwhile";

/// How often rows are looked for; the last time nobody can change them any more, and the application waits.
const MOST_LISTS: u32 = 3;

pub(super) const CHANGED: &str =
    "it was changed while the lock was tested; the same command again may do";

/// How long tries go on while the application waits.
const TURN: Duration = Duration::from_millis(200);

/// How long the application then has the table for itself.
const PAUSE: Duration = Duration::from_millis(100);

/// How long one try may take then.
const TRY: Duration = Duration::from_millis(200);

/// A truncation waits for readers, and the application would wait with it.
const READERS_FIRST: &str = "SET LOCAL lock_timeout = 20";

/// See [`crate::source::lock::test`].
pub(in crate::source) fn test(place: &Place) -> Result<TestReport, LockError> {
    let engaged = legacy::rehearse(place, TESTING, |session| {
        let plan = Plan::make(session, place)?;
        match control::read(session, place.name())? {
            Some(control) if control.state == LockState::Engaged => {
                let trials = listed(session, &plan, control.mode)?;
                Ok(Some(take_turn(session, place, &trials, Duration::MAX)?))
            }
            Some(control) if control.state == LockState::Sealed => Err(control.held(place.name())),
            Some(_) | None => Ok(None),
        }
    })?;
    let mut report = match engaged {
        Some(tries) => TestReport {
            source: place.name().to_owned(),
            on_engaged_lock: true,
            tries,
        },
        None => on_new_guards(place)?.0,
    };
    report.tries.push(from_elsewhere(place, &report)?);
    Ok(report)
}

/// All tries on guards made for them in transactions that are undone, and what they were made on. The application
/// waits while one is under way, so each is short, and the application has the table for itself in between. What is
/// to be tried is looked for before, which may take a look at the whole table.
pub(super) fn on_new_guards(place: &Place) -> Result<(TestReport, Tested), LockError> {
    let request = LockRequest {
        owner: Owner::Administrator("lock test".to_owned()),
        reason: "test of the lock".to_owned(),
        successor: String::new(),
    };
    let (mut trials, tested) = looked_up(place)?;
    let mut tries: Vec<Try> = Vec::with_capacity(trials.len());
    let mut lists = 1;
    // Every turn tries something, or is one of a few.
    while tries.len() < trials.len() {
        let turn = legacy::rehearse(place, TESTING, |session| {
            let plan = Plan::make(session, place)?;
            let plan = engage::hold(session, &plan, TESTING)?;
            if Tested::now(session, &plan)? != tested {
                return Err(place.not_lockable(CHANGED));
            }
            engage::make(session, &plan, &request)?;
            legacy::limit(session, TESTING, TRY)?;
            session.batch(TESTING, READERS_FIRST)?;
            let held = match lists {
                MOST_LISTS => Some(listed(session, &plan, place.lock.mode)?),
                _ => None,
            };
            let left = held.as_ref().unwrap_or(&trials).get(tries.len()..);
            take_turn(session, place, left.unwrap_or_default(), TURN)
        })?;
        if lists < MOST_LISTS && turn.iter().any(is_of_a_changed_row) {
            lists += 1;
            trials = looked_up(place)?.0;
            tries.clear();
        } else if turn.is_empty() {
            break;
        } else {
            tries.extend(turn);
        }
        if tries.len() < trials.len() {
            thread::sleep(PAUSE);
        }
    }
    let report = TestReport {
        source: place.name().to_owned(),
        on_engaged_lock: false,
        tries,
    };
    Ok((report, tested))
}

/// Everything to be tried, on the rows as they are now, and what it is tried on.
fn looked_up(place: &Place) -> Result<(Vec<Trial>, Tested), LockError> {
    legacy::rehearse(place, TESTING, |session| {
        let plan = Plan::make(session, place)?;
        plan.may_guard(session)?;
        let trials = listed(session, &plan, place.lock.mode)?;
        Ok((trials, Tested::now(session, &plan)?))
    })
}

fn is_of_a_changed_row(one: &Try) -> bool {
    matches!(&one.outcome, Outcome::NothingToTryOn(why) if why == ROW_CHANGED)
}

/// What a test was made on; it tells nothing about anything else.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tested {
    configuration: String,
    members: BTreeMap<String, i64>,
    other_triggers: String,
}

impl Tested {
    /// The tables and the triggers of others as they are now.
    pub(super) fn now(session: &mut Session, plan: &Plan<'_>) -> Result<Self, PostgresError> {
        Ok(Self {
            configuration: plan.configuration(),
            members: plan.members(),
            other_triggers: plan.other_triggers(session)?,
        })
    }
}

/// Everything to be tried, table by table.
fn listed(session: &mut Session, plan: &Plan<'_>, mode: LockMode) -> Result<Vec<Trial>, LockError> {
    let mut trials = Vec::new();
    for shape in &plan.tables {
        trials.extend(every(session, plan, shape, mode)?);
    }
    Ok(trials)
}

/// The first tries, one at least, until the time is up. They leave the caller's transaction as it was.
fn take_turn(
    session: &mut Session,
    place: &Place,
    trials: &[Trial],
    time: Duration,
) -> Result<Vec<Try>, LockError> {
    session.batch(TESTING, &format!("SET LOCAL {TRIAL} = 'on'"))?;
    let (began, mut tries) = (Instant::now(), Vec::new());
    let mut tester = Tester::new(session, place)?;
    for trial in trials {
        tries.push(tester.attempt(trial)?);
        if began.elapsed() > time {
            break;
        }
    }
    let end = format!("RELEASE pinferry_try; SET LOCAL {TRIAL} = 'off'");
    session.batch(TESTING, &end)?;
    Ok(tries)
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
    let mut trials = trials(session, &conditions, mode, &unique)?;
    for trial in &mut trials {
        trial.what = format!("{}: {}", shape.root().shown, trial.what);
    }
    Ok(trials)
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

/// Tries one thing after the other from one savepoint, and comes back to it each time: a round trip more is a
/// writer that waits longer.
struct Tester<'t> {
    session: &'t mut Session,
    place: &'t Place,
    /// What is kept before every try.
    before: Kept,
}

/// Diverted PINs and captures.
#[derive(Clone, Copy)]
struct Kept {
    diverted: u64,
    captured: u64,
}

impl<'t> Tester<'t> {
    fn new(session: &'t mut Session, place: &'t Place) -> Result<Self, PostgresError> {
        let before = kept(session, place)?;
        session.batch(TESTING, "SAVEPOINT pinferry_try")?;
        Ok(Self {
            session,
            place,
            before,
        })
    }

    fn attempt(&mut self, trial: &Trial) -> Result<Try, LockError> {
        let outcome = match &trial.way {
            Err(missing) => Outcome::NothingToTryOn(missing.clone()),
            Ok(way) => self.tried(way)?,
        };
        Ok(Try {
            what: trial.what.clone(),
            expected: trial.expected,
            outcome,
        })
    }

    fn tried(&mut self, way: &Way) -> Result<Outcome, LockError> {
        let session = &mut *self.session;
        let outcome = match run(session, self.place, way) {
            Err(error) if !session.is_standing() => return Err(error.into()),
            Err(error) => refusal(&error, way),
            Ok(0) if matches!(way, Way::OfARow(_) | Way::OfARowAsReplica(_)) => {
                Outcome::NothingToTryOn(ROW_CHANGED.to_owned())
            }
            Ok(_) => {
                session.batch(TESTING, "RESET ROLE")?;
                let after = kept(session, self.place)?;
                if after.diverted > self.before.diverted {
                    Outcome::Diverted
                } else if after.captured > self.before.captured {
                    Outcome::Captured
                } else {
                    Outcome::Passed
                }
            }
        };
        session.batch(TESTING, "ROLLBACK TO pinferry_try")?;
        Ok(outcome)
    }
}

fn kept(session: &mut Session, place: &Place) -> Result<Kept, PostgresError> {
    let name = place.name();
    Ok(Kept {
        diverted: divert::tally(session, name)?.0,
        captured: capture::tally(session, name)?.0,
    })
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
    if let Way::AsReplica(_) | Way::OfARowAsReplica(_) = way {
        session.batch(TESTING, "SET LOCAL session_replication_role = replica")?;
    }
    if let Some(role) = &place.lock.application_role {
        session.batch(TESTING, &format!("SET LOCAL ROLE {}", sql::name(role)))?;
    }
    match way {
        Way::Plain(statement)
        | Way::OfARow(statement)
        | Way::AsReplica(statement)
        | Way::OfARowAsReplica(statement) => {
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
        (_, Way::AsReplica(_) | Way::OfARowAsReplica(_))
            if error.trouble() == Trouble::PermissionDenied =>
        {
            Outcome::NothingToTryOn("the role may not set it".to_owned())
        }
        _ if error.trouble() == Trouble::LockTimeout => {
            Outcome::NothingToTryOn("others kept the table busy".to_owned())
        }
        _ if error.trouble() == Trouble::Cancelled => {
            Outcome::NothingToTryOn("it took longer than the application may wait".to_owned())
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
                trial.what = format!("{}: {what}", shape.root().shown);
                tries.push(Tester::new(session, place)?.attempt(&trial)?);
            }
        }
        Ok(tries.into_iter().next().unwrap_or(Try {
            what: what.clone(),
            expected,
            outcome: Outcome::NothingToTryOn("there is no table".to_owned()),
        }))
    })
}
