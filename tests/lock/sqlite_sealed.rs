//! After cut-over: nothing is written to the legacy any more.

use pinferry::source::lock::LockState;

use crate::support::{Legacy, TABLES, insert};

fn assert_sealed(legacy: &Legacy, statement: &str) {
    let before = legacy.dump();
    let error = legacy.run(statement).expect_err(statement);
    assert!(
        error.contains("sqlite://out/multiprofile.db"),
        "{statement}: {error}"
    );
    assert_eq!(before, legacy.dump(), "{statement}");
}

#[test]
fn every_write_to_a_sealed_legacy_is_refused_with_a_pointer_to_the_new_system() {
    for (_, id, tail) in TABLES {
        let legacy = Legacy::with(id, tail);
        let mut locked = legacy.engage();
        assert!(locked.seal().expect("sealed").is_empty());
        assert_eq!(locked.state(), LockState::Sealed);
        locked.check_present().expect("the guards");
        for verb in ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE"] {
            assert_sealed(&legacy, &insert(verb, "9", "A"));
            assert_sealed(&legacy, &insert(verb, "1", "A"));
        }
        assert_sealed(&legacy, "DELETE FROM pin_legacy");
        assert_sealed(&legacy, "UPDATE pin_legacy SET nota = 'x'");
        assert_sealed(&legacy, "UPDATE pin_legacy SET stato = 'R' WHERE id = 1");
        assert_sealed(&legacy, "UPDATE pin_legacy SET id = id");
    }
}

#[test]
fn damaged_guards_do_not_keep_a_legacy_from_being_sealed_and_are_reported() {
    let legacy = Legacy::new();
    let mut locked = legacy.engage();
    legacy.assert_passes("DROP TRIGGER \"pinferry_guard:inps:pin_legacy:delete\"");
    let damage = locked.seal().expect("sealed");
    assert!(damage[0].contains("delete\" is missing"), "{damage:?}");
    assert_sealed(&legacy, "DELETE FROM pin_legacy");
}
