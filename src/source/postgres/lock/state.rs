//! What the lock is like, read from the database.

use sqlx::{Row, postgres::PgArguments};

use crate::{
    config::settings::LockMode,
    postgres::{PostgresError, Session},
    source::lock::{
        Guards, LockError, LockState, LockStatus, LockWarning, Locked, Place, Refused,
        control::Control,
        decision,
        guard::{Guard, compare},
    },
};

use super::{
    capture, control, divert, guard, isolation, keys,
    legacy::{self, exists},
    moves, names,
    plan::Plan,
    remains,
};

/// See [`crate::source::lock::status`].
pub(in crate::source) fn status(place: &Place) -> Result<LockStatus, LockError> {
    legacy::read(place, |snapshot| within(&mut snapshot.session, place))
}

/// The same, within a transaction.
pub(super) fn within(session: &mut Session, place: &Place) -> Result<LockStatus, LockError> {
    let name = place.name();
    let mut status = LockStatus::open(name);
    let found = control::read(session, name)?;
    status.remains = remains::of(session, name, found.as_ref())?;
    status.warnings = warnings(session, place, found.as_ref())?;
    let stand = guard::stand(session, name)?;
    if let Some(control) = found {
        (status.diverted, status.diverted_open) = divert::tally(session, name)?;
        (status.captured, status.captured_open) = capture::tally(session, name)?;
        status.refused = refused(session, name)?;
        let guards = guards(session, place, &control)?;
        control.tell(guards, &mut status);
    } else if stand {
        status.state = LockState::Engaged;
        status.guards = Guards::Damaged(vec![decision::NO_CONTROL_ROW.to_owned()]);
    }
    Ok(status)
}

/// What is known beforehand about the tables, as far as the present configuration can tell.
fn warnings(
    session: &mut Session,
    place: &Place,
    control: Option<&Control>,
) -> Result<Vec<LockWarning>, LockError> {
    let plan = match Plan::make(session, place) {
        Ok(plan) => plan,
        Err(error @ (LockError::Postgres(_) | LockError::Unreadable(_))) => return Err(error),
        // Whoever tries to lock is told.
        Err(_) => return Ok(Vec::new()),
    };
    let mut warnings = moves::refused(session, &plan)?;
    let mode = match control.map(|control| (control.state, control.mode)) {
        Some((LockState::Engaged, mode)) => mode,
        // Nobody's new PIN is queued any more.
        Some((LockState::Sealed, _)) => LockMode::Refuse,
        Some((LockState::Open | LockState::Broken, _)) | None => place.lock.mode,
    };
    if let (LockMode::Divert, Some(shape)) = (mode, plan.tables.first()) {
        warnings.extend(isolation::refused(session, place, shape)?);
        if control.is_some() {
            warnings.extend(keys::later(session, place, shape)?);
        }
    }
    Ok(warnings)
}

/// See [`Locked::check_present`].
pub(in crate::source) fn check_present(locked: &Locked) -> Result<(), LockError> {
    let place = &locked.place;
    legacy::read(place, |snapshot| {
        let session = &mut snapshot.session;
        let control = Control::ours(control::read(session, place.name())?, locked)?;
        let plan = Plan::make(session, place)?;
        control.same_as(&plan.configuration(), place.name())?;
        decision::undamaged(place.name(), compared(session, &plan, &control)?)
    })
}

/// The guards against what they should be, as far as the present configuration can tell.
fn guards(session: &mut Session, place: &Place, control: &Control) -> Result<Guards, LockError> {
    match Plan::make(session, place) {
        Ok(plan) if plan.configuration() == control.configuration => {
            compared(session, &plan, control)
        }
        Ok(_) => Ok(Guards::Unverifiable),
        Err(error @ (LockError::Postgres(_) | LockError::Unreadable(_))) => Err(error),
        Err(why) => Ok(Guards::Damaged(vec![why.to_string()])),
    }
}

/// The guards against what was made, the tables against those that were there, and the triggers of others
/// against what they were.
pub(super) fn compared(
    session: &mut Session,
    plan: &Plan<'_>,
    control: &Control,
) -> Result<Guards, LockError> {
    let made = match control.state {
        LockState::Engaged | LockState::Sealed => control::guards(session, plan.place.name())?,
        LockState::Open | LockState::Broken => Vec::new(),
    };
    let here: Vec<Guard> = guard::present(session, plan.place.name())?
        .into_iter()
        // Those of a partition that came later are right, but it is told about all the same. Those of an earlier
        // lock do nothing.
        .filter(|one| !one.inherited || control.tables.contains_key(&one.table))
        .filter(|one| !one.open || made.iter().any(|made| made.name == one.guard.name))
        .map(|one| one.guard)
        .collect();
    let mut damage = match compare(&made, &here) {
        Guards::Damaged(damage) => damage,
        other @ (Guards::Absent | Guards::Present | Guards::Unverifiable) => {
            if control.state != LockState::Engaged || other == Guards::Absent {
                return Ok(other);
            }
            Vec::new()
        }
    };
    if control.state == LockState::Engaged {
        damage.extend(members(plan, control));
        if plan.other_triggers(session)? != control.other_triggers {
            let words = "the application's own triggers on the table changed during the lock";
            damage.push(words.to_owned());
        }
    }
    Ok(if damage.is_empty() {
        Guards::Present
    } else {
        Guards::Damaged(damage)
    })
}

/// Notes the guards that stand as those of the lock.
pub(super) fn note_guards(session: &mut Session, name: &str) -> Result<(), PostgresError> {
    let present = guard::present(session, name)?;
    let standing = present.iter().filter(|one| !one.open);
    control::set_guards(session, name, standing.map(|one| &one.guard))
}

/// What became of the tables, their partitions and their children.
fn members(plan: &Plan<'_>, control: &Control) -> Vec<String> {
    let now = plan.members();
    let came = now
        .iter()
        .filter(|(name, oid)| control.tables.get(*name) != Some(oid));
    let went = control
        .tables
        .keys()
        .filter(|name| !now.contains_key(*name));
    let came = came.map(|(name, _)| {
        format!("{name:?} became part of the table during the lock, its rows unseen by the guards")
    });
    let went = went.map(|name| format!("{name:?} was part of the table and is no more"));
    came.chain(went).collect()
}

/// How many writes were refused. After a crash the server may count up to 32 too many.
fn refused(session: &mut Session, source: &str) -> Result<Refused, PostgresError> {
    let counter = names::refusals(source);
    if !exists(session, &counter)? {
        return Ok(Refused::Counted(0));
    }
    let query = format!(
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {}",
        names::within(&counter)
    );
    let rows = session.rows("counting refusals", &query, PgArguments::default())?;
    let count: i64 = rows.first().map_or(0, |row| row.get(0));
    Ok(Refused::Counted(count.unsigned_abs()))
}

/// Takes every row out of a table of ours, which readers of it may go on reading.
pub(super) fn empty(session: &mut Session, table: &str) -> Result<(), PostgresError> {
    if exists(session, table)? {
        let delete = format!("DELETE FROM {}", names::within(table));
        session.batch("emptying the lock's tables", &delete)?;
    }
    Ok(())
}

/// How many rows a table of ours has, and how many are unprocessed.
pub(super) fn tally(
    session: &mut Session,
    table: &str,
    counts: &str,
) -> Result<(u64, u64), PostgresError> {
    if !exists(session, table)? {
        return Ok((0, 0));
    }
    let query = format!(
        "SELECT count(*), count(*) FILTER (WHERE processed_at IS NULL) FROM {} WHERE {counts}",
        names::within(table)
    );
    let rows = session.rows(
        "counting what the lock kept",
        &query,
        PgArguments::default(),
    )?;
    let counts = rows.first().map_or((0, 0), |row| (row.get(0), row.get(1)));
    let (all, open): (i64, i64) = counts;
    Ok((all.unsigned_abs(), open.unsigned_abs()))
}
