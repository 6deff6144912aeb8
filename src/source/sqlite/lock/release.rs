//! Opening the legacy again: by its owner, from sealed, or by force.

use rusqlite::{Connection, Error};

use crate::source::lock::{
    Leftovers, LockError, LockState, LockStatus, Locked, Owner, Place, Released,
};

use super::{
    capture,
    control::{Control, table_exists},
    divert, guard,
    legacy::{self, Deed, Failure, LONG},
    message::worded,
    plan::Plan,
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
    leftovers: Leftovers,
) -> Result<Released, LockError> {
    let place = &locked.place;
    let name = place.name();
    legacy::write(place, &RELEASE, |connection| {
        match Control::read(connection, name)? {
            Some(control) if control.owner != locked.owner => Err(control.held(name).into()),
            Some(control) if control.state == LockState::Sealed => Err(LockError::Sealed {
                source_name: name.to_owned(),
                since: control.changed_at,
            }
            .into()),
            Some(_) => open(connection, place, leftovers),
            None if guard::present(connection, name)?.is_empty() => Ok(Released::default()),
            None => Err(LockError::Damaged {
                source_name: name.to_owned(),
                what: vec!["guards stand without a control row".to_owned()],
            }
            .into()),
        }
    })
}

/// See [`crate::source::lock::reopen`].
pub(in crate::source) fn reopen(
    place: &Place,
    leftovers: Leftovers,
) -> Result<Released, LockError> {
    let name = place.name();
    legacy::write(place, &RELEASE, |connection| {
        let state = Control::read(connection, name)?.map_or(LockState::Open, |found| found.state);
        if state == LockState::Sealed {
            open(connection, place, leftovers)
        } else {
            Err(LockError::NotSealed {
                source_name: name.to_owned(),
                state,
            }
            .into())
        }
    })
}

/// See [`crate::source::lock::clear`].
pub(in crate::source) fn clear(
    place: &Place,
    owner: &Owner,
) -> Result<Option<Released>, LockError> {
    let name = place.name();
    legacy::write(place, &RELEASE, |connection| {
        match Control::read(connection, name)? {
            Some(control) => match (control.state, &control.owner) {
                (LockState::Sealed, _) => {
                    return Err(LockError::Sealed {
                        source_name: name.to_owned(),
                        since: control.changed_at,
                    }
                    .into());
                }
                (LockState::Engaged, Owner::Run(_)) if control.owner != *owner => {
                    return Err(control.held(name).into());
                }
                (LockState::Open | LockState::Engaged | LockState::Broken, _) => {}
            },
            None if guard::present(connection, name)?.is_empty() => return Ok(None),
            None => {}
        }
        open(connection, place, Leftovers::HandBack).map(Some)
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
            return Err(LockError::NotHeld {
                source_name: name.to_owned(),
            }
            .into());
        }
        guard::drop_all(connection, &guard::present(connection, name)?)?;
        if before.owner.is_some() {
            let by = format!("{by}: {reason}");
            Control::set_state(connection, name, LockState::Broken, Some(&by))?;
        }
        Ok(before)
    })
}

/// Removes everything of the lock, giving diverted PINs back where that was asked for.
fn open(connection: &Connection, place: &Place, leftovers: Leftovers) -> Result<Released, Failure> {
    let name = place.name();
    let (_, captured) = capture::tally(connection, name)?;
    let (_, diverted) = divert::tally(connection, name)?;
    match leftovers {
        Leftovers::Refuse if captured + diverted > 0 => {
            return Err(LockError::Leftovers {
                source_name: name.to_owned(),
                captured,
                diverted,
            }
            .into());
        }
        Leftovers::Refuse | Leftovers::HandBack => {}
    }
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
    Control::remove(connection, name)?;
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
    if diverted == 0 {
        return Ok(());
    }
    Err(LockError::Leftovers {
        source_name: name.to_owned(),
        captured: 0,
        diverted,
    }
    .into())
}

fn drop_table(connection: &Connection, table: &str) -> Result<(), Error> {
    if table_exists(connection, table)? {
        connection.execute_batch(&format!("DROP TABLE {}", sql::name(table)))?;
    }
    Ok(())
}
