//! New PINs that are queued instead of refused.

use pinferry::source::lock::{Leftovers, LockError};

use crate::support::{Legacy, insert, run_one};

#[test]
fn diverted_pins_are_handed_back_exactly_once() {
    let legacy = Legacy::diverting();
    let before = legacy.dump();
    let locked = legacy.engage();
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    legacy.assert_passes(&insert("INSERT", "8", "P"));
    let seq = locked.diverted(1).expect("diverted")[0].seq;
    locked.mark_diverted_processed(&[seq]).expect("marked");
    let released = locked
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect("released");
    assert_eq!(released.handed_back, 1);
    assert_eq!(
        legacy.text("SELECT count(*) FROM pin_legacy WHERE id = '8'"),
        "1"
    );
    assert_eq!(
        legacy.text("SELECT count(*) FROM pin_legacy WHERE id = '9'"),
        "0"
    );
    legacy.assert_passes("DELETE FROM pin_legacy WHERE id = '8'");
    assert_eq!(before, legacy.dump());
}

#[test]
fn a_lock_with_diverted_pins_is_not_released_without_being_asked() {
    let legacy = Legacy::diverting();
    let locked = legacy.engage();
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    let error = locked.release(Leftovers::Refuse).expect_err("leftovers");
    assert!(matches!(
        error,
        LockError::Leftovers {
            diverted: 1,
            captured: 0,
            ..
        }
    ));
    legacy.assert_refused("UPDATE pin_legacy SET nome = 'X'");
    // A broken lock keeps them, and nobody engages over them.
    let settings = (&legacy.source, &legacy.lock);
    pinferry::source::lock::break_open(settings.0, settings.1, "anna", "emergenza")
        .expect("broken");
    assert_eq!(legacy.waiting(), "1");
    let error = legacy
        .engage_as(&crate::support::administrator())
        .expect_err("leftovers");
    assert!(
        matches!(error, LockError::Leftovers { diverted: 1, .. }),
        "{error}"
    );
    let locked =
        pinferry::source::lock::claim(settings.0, settings.1, &run_one()).expect("a claim");
    let released = locked
        .expect("the remains")
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect("released");
    assert_eq!(released.handed_back, 1);
}
