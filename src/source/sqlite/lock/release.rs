//! Opening the legacy again: by its owner, from sealed, or by force.

use rusqlite::{Connection, Error};

use crate::source::lock::{
    Keep, Leftovers, LockError, LockState, LockStatus, Locked, Owner, Place, Released,
    control::not_held, decision, message::worded,
};

use super::{
    capture,
    control::{self, table_exists},
    divert, guard,
    legacy::{self, Deed, Failure, LONG},
    plan::Plan,
    reading::captures,
    sql, state,
};

const RELEASE: Deed = Deed {
    doing: "releasing the lock",
    before: "lock.release",
    after: "lock.released",
    patience: LONG,
};

const BREAK: Deed = Deed {
    doing: "breaking the lock",
    before: "lock.break",
    after: "lock.broken",
    patience: LONG,
};

/// See [`Locked::release`].
pub(in crate::source) fn release(
    locked: &Locked,
    leftovers: Leftovers<'_>,
) -> Result<Released, LockError> {
    let place = &locked.place;
    let name = place.name();
    legacy::write(place, &RELEASE, |connection| {
        let found = control::read(connection, name)?;
        let stand = !guard::present(connection, name)?.is_empty();
        match decision::release(name, found.as_ref(), stand, &locked.owner)? {
            true => open(connection, place, leftovers),
            false => Ok(Released::default()),
        }
    })
}

/// See [`crate::source::lock::reopen`].
pub(in crate::source) fn reopen(
    place: &Place,
    leftovers: Leftovers<'_>,
) -> Result<Released, LockError> {
    let name = place.name();
    legacy::write(place, &RELEASE, |connection| {
        decision::reopen(name, control::read(connection, name)?.as_ref())?;
        open(connection, place, leftovers)
    })
}

/// See [`crate::source::lock::clear`].
pub(in crate::source) fn clear(
    place: &Place,
    owner: &Owner,
    keep: &Keep<'_>,
) -> Result<Option<Released>, LockError> {
    let name = place.name();
    legacy::write(place, &RELEASE, |connection| {
        let found = control::read(connection, name)?;
        let stand = !guard::present(connection, name)?.is_empty();
        match decision::clear(name, found.as_ref(), stand, owner)? {
            true => open(connection, place, Leftovers::HandBack(keep)).map(Some),
            false => Ok(None),
        }
    })
}

/// See [`crate::source::lock::break_open`].
pub(in crate::source) fn break_open(
    place: &Place,
    by: &str,
    reason: &str,
) -> Result<LockStatus, LockError> {
    let by = worded("the name of who breaks a lock", by)?;
    let reason = worded("the reason for breaking a lock", reason)?;
    let name = place.name();
    legacy::write(place, &BREAK, |connection| {
        let before = state::status_within(connection, place)?;
        if !before.is_held() {
            return Err(not_held(name).into());
        }
        guard::drop_all(connection, &guard::present(connection, name)?)?;
        if before.owner.is_some() {
            let by = format!("{by}: {reason}");
            control::set_state(connection, name, LockState::Broken, Some(&by))?;
        }
        Ok(before)
    })
}

/// Removes everything of the lock, giving diverted PINs back where that was asked for.
fn open(
    connection: &Connection,
    place: &Place,
    leftovers: Leftovers<'_>,
) -> Result<Released, Failure> {
    let name = place.name();
    let (_, captured) = capture::tally(connection, name)?;
    let (_, diverted) = divert::tally(connection, name)?;
    decision::leftovers(name, leftovers, captured, diverted)?;
    leftovers.keep(captured, |after, limit| captures(place, after, limit))?;
    guard::drop_all(connection, &guard::present(connection, name)?)?;
    let mut released = Released::default();
    if diverted > 0 {
        let plan = Plan::make(connection, place)?;
        if let Some(shape) = plan.tables.first() {
            released = divert::hand_back(connection, name, shape)?;
        }
    }
    if !released.not_handed_back.is_empty() {
        released.kept_in = Some(divert::set_aside(connection, name)?);
    }
    drop_tables(connection, name)?;
    control::remove(connection, name)?;
    Ok(released)
}

/// Drops the capture and the divert table. Diverted PINs nobody processed are never dropped.
pub(super) fn drop_tables(connection: &Connection, name: &str) -> Result<(), Failure> {
    nothing_diverted(connection, name)?;
    for table in [capture::table(name), divert::table(name)] {
        drop_table(connection, &table)?;
    }
    Ok(())
}

/// That no diverted PIN waits to be processed.
pub(super) fn nothing_diverted(connection: &Connection, name: &str) -> Result<(), Failure> {
    let (_, diverted) = divert::tally(connection, name)?;
    Ok(decision::leftovers(name, Leftovers::Refuse, 0, diverted)?)
}

fn drop_table(connection: &Connection, table: &str) -> Result<(), Error> {
    if table_exists(connection, table)? {
        connection.execute_batch(&format!("DROP TABLE {}", sql::name(table)))?;
    }
    Ok(())
}
