//! Engaging: schema, tables, control row and guards in one transaction.

use crate::{
    config::settings::LockMode,
    postgres::Session,
    source::lock::{
        HowEngaged, LockError, LockRequest, Locked, Owner, Place,
        control::{Control, NewControl, not_held},
        decision,
        message::worded,
    },
};

use super::{
    capture, control, divert, guard,
    legacy::{self, BRIEF, Deed, Hold},
    lock_test::{self, Tested},
    names,
    plan::Plan,
    remains, spelling, state,
};

const ENGAGE: Deed = Deed {
    doing: "engaging the lock",
    before: "lock.engage",
    after: "lock.engaged",
    attempts: BRIEF,
};

const GIVE_BACK: Deed = Deed {
    doing: "giving the lock back to its administrator",
    before: "lock.give_back",
    after: "lock.given_back",
    attempts: BRIEF,
};

/// See [`crate::source::lock::engage`].
pub(in crate::source) fn engage(place: Place, request: &LockRequest) -> Result<Locked, LockError> {
    let request = LockRequest {
        owner: request.owner.clone(),
        reason: worded("the reason of a lock", &request.reason)?.to_owned(),
        successor: request.successor.clone(),
    };
    spelling::check_request(&place, &request)?;
    let tested = tested(&place, &request)?;
    let (how, control) = legacy::write(&place, &ENGAGE, |session| {
        engage_within(session, &place, &request, tested.as_ref())
    })?;
    let locked = control.locked(place, how);
    if locked.how == HowEngaged::Now {
        // A session of its own sees what is committed, and nothing else.
        state::check_present(&locked)?;
    }
    Ok(locked)
}

/// What a diverting lock that is to be made was tested on, with success.
fn tested(place: &Place, request: &LockRequest) -> Result<Option<Tested>, LockError> {
    match place.lock.mode {
        LockMode::Refuse => return Ok(None),
        LockMode::Divert => {}
    }
    let how = legacy::read(place, |snapshot| {
        let session = &mut snapshot.session;
        let plan = Plan::make(session, place)?;
        decided(session, &plan, request).map(|(how, _)| how)
    })?;
    match how {
        HowEngaged::Before | HowEngaged::Adopted(_) => Ok(None),
        HowEngaged::Now => match lock_test::on_new_guards(place)? {
            (report, tested) if report.passed() => Ok(Some(tested)),
            (report, _) => {
                let report = Box::new(report);
                Err(LockError::TestFailed { report })
            }
        },
    }
}

/// Whether there is something to make or to take over, and the control row that was found.
fn decided(
    session: &mut Session,
    plan: &Plan<'_>,
    request: &LockRequest,
) -> Result<(HowEngaged, Option<Control>), LockError> {
    let name = plan.place.name();
    let stand = guard::stand(session, name)?;
    let found = control::read(session, name)?;
    let how = decision::engage(name, found.as_ref(), stand, request, &plan.configuration())?;
    Ok((how, found))
}

fn engage_within(
    session: &mut Session,
    place: &Place,
    request: &LockRequest,
    tested: Option<&Tested>,
) -> Result<(HowEngaged, Control), LockError> {
    let name = place.name();
    let plan = Plan::make(session, place)?;
    let (how, found) = decided(session, &plan, request)?;
    match (&how, found) {
        (HowEngaged::Before | HowEngaged::Adopted(_), Some(mut control)) => {
            decision::undamaged(name, state::compared(session, &plan, &control)?)?;
            if control.owner != request.owner {
                control::set_owner(session, name, &request.owner, &request.successor)?;
                control.owner = request.owner.clone();
            }
            Ok((how, control))
        }
        (HowEngaged::Now, _) | (_, None) => {
            plan.may_guard(session)?;
            let plan = hold(session, &plan, ENGAGE.doing)?;
            let as_tested = match (place.lock.mode, tested) {
                (LockMode::Refuse, _) => true,
                (LockMode::Divert, Some(tested)) => *tested == Tested::now(session, &plan)?,
                (LockMode::Divert, None) => false,
            };
            if !as_tested {
                return Err(place.not_lockable(lock_test::CHANGED));
            }
            let control = make(session, &plan, request)?;
            Ok((HowEngaged::Now, control))
        }
    }
}

/// Takes what an earlier lock left out of the way, then holds the tables against writers. Nobody attaches a
/// partition any more: they are looked up again.
pub(super) fn hold<'p>(
    session: &mut Session,
    plan: &Plan<'p>,
    doing: &'static str,
) -> Result<Plan<'p>, LockError> {
    control::create_schema(session)?;
    remains::drop_tables(session, plan.place.name())?;
    legacy::hold(session, doing, &plan.roots(), Hold::Writers)?;
    Plan::make(session, plan.place)
}

/// Makes everything anew, once the tables are held.
pub(super) fn make(
    session: &mut Session,
    plan: &Plan<'_>,
    request: &LockRequest,
) -> Result<Control, LockError> {
    let place = plan.place;
    let name = place.name();
    let mut tables = format!(
        "CREATE SEQUENCE {};{}",
        names::within(&names::refusals(name)),
        capture::create(plan)
    );
    if let (LockMode::Divert, Some(shape)) = (place.lock.mode, plan.tables.first()) {
        tables.push_str(&divert::create(name, shape));
    }
    session.batch("making the lock's tables", &tables)?;
    let new = NewControl {
        owner: &request.owner,
        reason: &request.reason,
        expected_secs: place.lock.expected.as_secs(),
        mode: place.lock.mode,
        successor: &request.successor,
        configuration: &plan.configuration(),
        tables: &plan.members(),
        other_triggers: &plan.other_triggers(session)?,
    };
    control::write(session, name, &new)?;
    let control = control::read(session, name)?.ok_or_else(|| not_held(name))?;
    guard::engage(session, plan, &control)?;
    state::note_guards(session, name)?;
    Ok(control)
}

/// See [`crate::source::lock::claim`].
pub(in crate::source) fn claim(place: Place, owner: &Owner) -> Result<Option<Locked>, LockError> {
    let found = legacy::read(&place, |snapshot| {
        control::read(&mut snapshot.session, place.name())
    })?;
    Control::claimed(found, place, owner)
}

/// Makes an adopted lock its administrator's again.
pub(in crate::source) fn give_back(locked: &Locked, owner: &Owner) -> Result<(), LockError> {
    let name = locked.place.name();
    legacy::write(&locked.place, &GIVE_BACK, |session| {
        match control::read(session, name)? {
            Some(control) if control.owner == locked.owner => Ok(control::set_owner(
                session,
                name,
                owner,
                &control.successor,
            )?),
            Some(control) => Err(control.held(name)),
            None => Err(not_held(name)),
        }
    })
}
