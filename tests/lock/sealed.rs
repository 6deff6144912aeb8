//! After cut-over: nothing is written to the legacy any more.

use pinferry::source::lock::{self, Leftovers, LockError, LockState};

use crate::support::{Legacy, insert, run_one};

#[test]
fn captures_and_diverted_pins_stay_readable_and_markable_under_the_seal() {
    let legacy = Legacy::diverting();
    let mut locked = legacy.engage();
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    locked.seal().expect("sealed");
    let capture = locked.captures(9).expect("captures")[0].seq;
    let diverted = locked.diverted(9).expect("diverted")[0].seq;
    let error =
        lock::reopen(&legacy.source, &legacy.lock, Leftovers::Refuse).expect_err("leftovers");
    assert!(matches!(
        error,
        LockError::Leftovers {
            captured: 1,
            diverted: 1,
            ..
        }
    ));
    locked.mark_processed(&[capture]).expect("marked");
    locked.mark_diverted_processed(&[diverted]).expect("marked");
    lock::reopen(&legacy.source, &legacy.lock, Leftovers::Refuse).expect("open");
    legacy.assert_passes(&insert("INSERT", "9", "A"));
}

#[test]
fn sealing_again_changes_nothing_and_a_seal_is_not_released_by_mistake() {
    let legacy = Legacy::new();
    let mut locked = legacy.engage();
    locked.seal().expect("sealed");
    let before = legacy.dump();
    let mut again = lock::claim(&legacy.source, &legacy.lock, &run_one())
        .expect("a claim")
        .expect("ours");
    assert_eq!(again.state(), LockState::Sealed);
    again.seal().expect("sealed already");
    assert_eq!(before, legacy.dump());
    assert!(matches!(
        again.release(Leftovers::HandBack(&|_| Ok(()))),
        Err(LockError::Sealed { .. })
    ));
    assert!(matches!(
        legacy.engage_as(&run_one()),
        Err(LockError::Sealed { .. })
    ));
    assert!(
        lock::status(&legacy.source, &legacy.lock)
            .expect("a status")
            .line()
            .contains("SEALED")
    );
}

#[test]
fn only_a_sealed_legacy_is_reopened() {
    let legacy = Legacy::new();
    let reopened = lock::reopen(&legacy.source, &legacy.lock, Leftovers::Refuse);
    assert!(matches!(reopened, Err(LockError::NotSealed { .. })));
    legacy.engage();
    let reopened = lock::reopen(&legacy.source, &legacy.lock, Leftovers::Refuse);
    assert!(matches!(reopened, Err(LockError::NotSealed { .. })));
    legacy.assert_refused("UPDATE pin_legacy SET nome = 'X'");
}

#[test]
fn a_broken_lock_is_not_sealed_behind_the_administrators_back() {
    let legacy = Legacy::new();
    let mut locked = legacy.engage();
    lock::break_open(&legacy.source, &legacy.lock, "anna", "emergenza").expect("broken");
    assert!(matches!(locked.seal(), Err(LockError::Broken { .. })));
}
