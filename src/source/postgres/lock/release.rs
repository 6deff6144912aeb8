//! Opening the legacy again: by its owner, from sealed, or by force.

use sqlx::{Row, postgres::PgArguments};

use crate::{
    postgres::{PostgresError, Session},
    source::lock::{
        Leftovers, LockError, LockState, LockStatus, Locked, Owner, Place, Released,
        control::not_held, decision, message::worded,
    },
};

use super::{
    capture, control, divert, guard,
    legacy::{self, Deed, Hold, LONG, exists},
    names,
    plan::Plan,
    sql, state,
};

const RELEASE: Deed = Deed {
    doing: "releasing the lock",
    before: "lock.release",
    after: "lock.released",
    attempts: LONG,
};

const BREAK: Deed = Deed {
    doing: "breaking the lock",
    before: "lock.break",
    after: "lock.broken",
    attempts: LONG,
};

/// See [`Locked::release`].
pub(in crate::source) fn release(
    locked: &Locked,
    leftovers: Leftovers,
) -> Result<Released, LockError> {
    let place = &locked.place;
    let name = place.name();
    legacy::write(place, &RELEASE, |session| {
        let found = control::read(session, name)?;
        let stand = !guard::present(session, name)?.is_empty();
        match decision::release(name, found.as_ref(), stand, &locked.owner)? {
            true => open(session, place, leftovers),
            false => Ok(Released::default()),
        }
    })
}

/// See [`crate::source::lock::reopen`].
pub(in crate::source) fn reopen(
    place: &Place,
    leftovers: Leftovers,
) -> Result<Released, LockError> {
    legacy::write(place, &RELEASE, |session| {
        let name = place.name();
        decision::reopen(name, control::read(session, name)?.as_ref())?;
        open(session, place, leftovers)
    })
}

/// See [`crate::source::lock::clear`].
pub(in crate::source) fn clear(
    place: &Place,
    owner: &Owner,
) -> Result<Option<Released>, LockError> {
    let name = place.name();
    legacy::write(place, &RELEASE, |session| {
        let found = control::read(session, name)?;
        let stand = !guard::present(session, name)?.is_empty();
        match decision::clear(name, found.as_ref(), stand, owner)? {
            true => open(session, place, Leftovers::HandBack).map(Some),
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
    legacy::write(place, &BREAK, |session| {
        let before = state::within(session, place)?;
        if !before.is_held() {
            return Err(not_held(name));
        }
        drop_guards(session, name, BREAK.doing)?;
        if before.owner.is_some() {
            let by = format!("{by}: {reason}");
            control::set_state(session, name, LockState::Broken, &by)?;
        }
        Ok(before)
    })
}

/// Removes everything of the lock, giving diverted PINs back where that was asked for.
fn open(session: &mut Session, place: &Place, leftovers: Leftovers) -> Result<Released, LockError> {
    let name = place.name();
    let (_, captured) = capture::tally(session, name)?;
    let (_, diverted) = divert::tally(session, name)?;
    decision::leftovers(name, leftovers, captured, diverted)?;
    drop_guards(session, name, RELEASE.doing)?;
    let mut released = Released::default();
    if diverted > 0 {
        let plan = Plan::make(session, place)?;
        if let Some(shape) = plan.tables.first() {
            released = divert::hand_back(session, name, shape)?;
        }
    }
    if !released.not_handed_back.is_empty() {
        released.kept_in = Some(divert::set_aside(session, name)?);
    }
    drop_tables(session, name)?;
    control::remove(session, name)?;
    Ok(released)
}

/// Drops whatever guards there are, and with them their functions.
fn drop_guards(
    session: &mut Session,
    name: &str,
    doing: &'static str,
) -> Result<(), PostgresError> {
    let present = guard::present(session, name)?;
    legacy::hold(session, doing, &guard::tables(&present), Hold::Everybody)?;
    let present = guard::present(session, name)?;
    guard::drop_all(session, &present)?;
    let query = format!(
        "SELECT p.proname::text FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
          WHERE n.nspname = {} AND pg_catalog.starts_with(p.proname::text, {})",
        sql::text(names::SCHEMA),
        sql::text(&names::functions(name))
    );
    let found = session.rows(doing, &query, PgArguments::default())?;
    let drops: String = (found.iter())
        .map(|row| format!("DROP FUNCTION {}();", names::within(row.get(0))))
        .collect();
    session.batch(doing, &drops)
}

/// Drops the capture and the divert table. Diverted PINs nobody processed are never dropped.
pub(super) fn drop_tables(session: &mut Session, name: &str) -> Result<(), LockError> {
    nothing_diverted(session, name)?;
    for table in [names::captures(name), names::diverted(name)] {
        if exists(session, &table)? {
            let drop = format!("DROP TABLE {}", names::within(&table));
            session.batch("dropping the lock's tables", &drop)?;
        }
    }
    if exists(session, &names::refusals(name))? {
        let drop = format!("DROP SEQUENCE {}", names::within(&names::refusals(name)));
        session.batch("dropping the lock's tables", &drop)?;
    }
    Ok(())
}

/// That no diverted PIN waits to be processed.
pub(super) fn nothing_diverted(session: &mut Session, name: &str) -> Result<(), LockError> {
    let (_, diverted) = divert::tally(session, name)?;
    decision::leftovers(name, Leftovers::Refuse, 0, diverted)
}
