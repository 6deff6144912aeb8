//! What the lock is like, read from the database.

use rusqlite::{Connection, Error};

use crate::source::lock::{
    Guards, LockError, LockState, LockStatus, Locked, Place, control::Control, decision,
    guard::compare,
};

use super::{
    capture,
    control::{self, table_exists},
    divert, guard,
    legacy::{self, Failure},
    plan::Plan,
    sql,
};

/// See [`crate::source::lock::status`].
pub(in crate::source) fn status(place: &Place) -> Result<LockStatus, LockError> {
    legacy::read(place, "reading the lock's state", |connection| {
        Ok(status_within(connection, place)?)
    })
}

/// The same, within a transaction.
pub(super) fn status_within(connection: &Connection, place: &Place) -> Result<LockStatus, Error> {
    let name = place.name();
    let mut status = LockStatus::open(name);
    let (diverted, diverted_open) = divert::tally(connection, name)?;
    let (captured, captured_open) = capture::tally(connection, name)?;
    (status.diverted, status.diverted_open) = (diverted, diverted_open);
    (status.captured, status.captured_open) = (captured, captured_open);
    match control::read(connection, name)? {
        Some(control) => {
            let guards = guards(connection, place, &control)?;
            control.tell(guards, &mut status);
        }
        None if guard::present(connection, name)?.is_empty() => {}
        None => {
            status.state = LockState::Engaged;
            status.guards = Guards::Damaged(vec![decision::NO_CONTROL_ROW.to_owned()]);
        }
    }
    Ok(status)
}

/// See [`Locked::check_present`].
pub(in crate::source) fn check_present(locked: &Locked) -> Result<(), LockError> {
    let place = &locked.place;
    legacy::read(place, "checking the lock", |connection| {
        let control = ours(connection, locked)?;
        let plan = Plan::make(connection, place)?;
        plan.same_as(&control)?;
        decision::undamaged(place.name(), compared(connection, &plan, &control)?)?;
        Ok(())
    })
}

/// The control row, if it is still the token's owner's and the lock unbroken.
pub(super) fn ours(connection: &Connection, locked: &Locked) -> Result<Control, Failure> {
    let found = control::read(connection, locked.place.name())?;
    Ok(Control::ours(found, locked)?)
}

/// The guards against what they should be, as far as the present configuration can tell.
fn guards(connection: &Connection, place: &Place, control: &Control) -> Result<Guards, Error> {
    match Plan::make(connection, place) {
        Ok(plan) if plan.configuration() == control.configuration => {
            compared(connection, &plan, control)
        }
        Ok(_) => Ok(Guards::Unverifiable),
        Err(Failure::Database(error)) => Err(error),
        Err(Failure::Because(why)) => Ok(Guards::Damaged(vec![why.to_string()])),
    }
}

/// The guards against what engaging or sealing would make, and the triggers of others against what they were.
pub(super) fn compared(
    connection: &Connection,
    plan: &Plan<'_>,
    control: &Control,
) -> Result<Guards, Error> {
    let present = guard::present(connection, plan.place.name())?;
    let compared = compare(&guard::expected(plan, control), &present);
    let others_changed = plan.other_triggers(connection)? != control.other_triggers;
    Ok(match (compared, control.state) {
        (Guards::Present, LockState::Engaged) if others_changed => Guards::Damaged(vec![
            "the application's own triggers on the table changed during the lock".to_owned(),
        ]),
        (compared, _) => compared,
    })
}

/// How many rows a table of ours has, and how many are unprocessed.
pub(super) fn tally(
    connection: &Connection,
    table: &str,
    counts: &str,
) -> Result<(u64, u64), Error> {
    if !table_exists(connection, table)? {
        return Ok((0, 0));
    }
    let query = format!(
        "SELECT count(*), count(*) FILTER (WHERE processed_at IS NULL) FROM {} WHERE {counts}",
        sql::name(table)
    );
    connection
        .query_row(&query, [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .map(|(all, open)| (all.unsigned_abs(), open.unsigned_abs()))
}
