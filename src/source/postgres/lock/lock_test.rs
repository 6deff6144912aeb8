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

/// More turns than tries are none.
const MOST_TURNS: u32 = 1000;

/// How often something is tried that others may get in the way of.
const MOST_ATTEMPTS: u32 = 3;

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
                Ok(Some(on_engaged(session, &plan, control.mode)?))
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

/// All tries on the lock as it stands. Nobody is kept from writing what it lets through: a row may have changed
/// before it is tried, and what is diverted meanwhile may be somebody else's. What did not meet what it should is tried
/// again, on a row that is looked for again.
fn on_engaged(
    session: &mut Session,
    plan: &Plan<'_>,
    mode: LockMode,
) -> Result<Vec<Try>, LockError> {
    let mut tries: Vec<Try> = Vec::new();
    for _ in 0..MOST_ATTEMPTS {
        for trial in listed(session, plan, mode)? {
            let found = tries.iter().position(|one| one.what == trial.what);
            if found.is_some_and(|at| tries[at].as_expected()) {
                continue;
            }
            let one = take_turn(session, plan.place, &[trial], Duration::MAX)?;
            match found {
                Some(at) => drop(tries.splice(at..=at, one)),
                None => tries.extend(one),
            }
        }
        if tries.iter().all(Try::as_expected) {
            break;
        }
    }
    Ok(tries)
}

/// All tries on guards made for them in transactions that are undone, and what they were made on. The application
/// waits while one is under way, so each is short, and the application has the table for itself in between.
pub(super) fn on_new_guards(place: &Place) -> Result<(TestReport, Tested), LockError> {
    let request = LockRequest {
        owner: Owner::Administrator("lock test".to_owned()),
        reason: "test of the lock".to_owned(),
        successor: String::new(),
    };
    let mut tries: Vec<Try> = Vec::new();
    let mut on: Option<Tested> = None;
    // Every turn tries something, and there are fewer ways in than this.
    for _ in 0..MOST_TURNS {
        let (turn, tested, all) = legacy::rehearse(place, TESTING, |session| {
            let plan = Plan::make(session, place)?;
            plan.may_guard(session)?;
            let plan = engage::hold(session, &plan, TESTING)?;
            let tested = Tested::now(session, &plan)?;
            engage::make(session, &plan, &request)?;
            legacy::limit(session, TESTING, TRY)?;
            session.batch(TESTING, READERS_FIRST)?;
            let trials = listed(session, &plan, place.lock.mode)?;
            let left = trials.get(tries.len()..).unwrap_or_default();
            let turn = take_turn(session, place, left, TURN)?;
            Ok((turn, tested, trials.len()))
        })?;
        if on.as_ref().is_some_and(|on| *on != tested) {
            return Err(place.not_lockable(CHANGED));
        }
        tries.extend(turn);
        if tries.len() >= all {
            let report = TestReport {
                source: place.name().to_owned(),
                on_engaged_lock: false,
                tries,
            };
            return Ok((report, tested));
        }
        on = Some(tested);
        thread::sleep(PAUSE);
    }
    Err(LockError::Busy {
        place: place.name().to_owned(),
        doing: TESTING,
        waited: (TURN + PAUSE) * MOST_TURNS,
    })
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

/// The columns that some unique index, be it of one partition, or the id mentions: a new row needs values of its own there.
fn unique_columns(
    session: &mut Session,
    shape: &TableShape,
) -> Result<BTreeSet<usize>, PostgresError> {
    let rows = session.rows(
        TESTING,
        "SELECT DISTINCT a.attname::text FROM pg_catalog.pg_index i
           JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
          WHERE i.indisunique
            AND (i.indrelid = $1::bigint::oid
                 OR i.indrelid IN (SELECT p.relid FROM pg_catalog.pg_partition_tree($1::bigint::oid) p))",
        relation::oid(shape.root().oid),
    )?;
    let names: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let id = shape.mapped.get(&crate::domain::field::Field::LegacyId);
    let unique = |at: &usize| names.contains(&shape.columns[*at].name) || Some(at) == id;
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

/// Diverted PINs, and what this transaction has captured.
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
                Outcome::NothingToTryOn("the row was changed by somebody else meanwhile".to_owned())
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
        captured: capture::own(session, name)?,
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
