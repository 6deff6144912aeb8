//! Whose lock it is, and how it comes and goes.

use pinferry::{
    config::settings::{CredentialChange, Encoding, LockMode, SourceLocation},
    domain::field::Field,
    exit::Exit,
    source::lock::{
        self, Guards, HowEngaged, Leftovers, LockError, LockState, Lockability, Locks, Owner,
        engage_all,
    },
};

use crate::support::{Legacy, administrator, request, run_one};

fn status(legacy: &Legacy) -> lock::LockStatus {
    lock::status(&legacy.source, &legacy.lock).expect("a status")
}

#[test]
fn a_lock_comes_and_goes_and_leaves_the_legacy_as_it_was() {
    for legacy in Legacy::each_kind() {
        let before = legacy.dump();
        assert_eq!(status(&legacy).state, LockState::Open);
        let locked = legacy.engage();
        assert_eq!(locked.how(), &HowEngaged::Now);
        let held = status(&legacy);
        assert_eq!(
            (held.state, held.guards.clone()),
            (LockState::Engaged, Guards::Present)
        );
        assert_eq!(held.owner, Some(run_one()));
        assert!(!held.overdue);
        assert!(held.line().contains("LOCKED since"), "{}", held.line());
        locked.check_present().expect("the guards");
        locked.release(Leftovers::Refuse).expect("released");
        assert_eq!(before, legacy.dump());
        assert_eq!(status(&legacy).state, LockState::Open);
    }
}

#[test]
fn the_owner_finds_its_lock_again_and_nobody_else_gets_it() {
    let legacy = Legacy::new();
    legacy.engage();
    let again = legacy.engage_as(&run_one()).expect("the same lock");
    assert_eq!(again.how(), &HowEngaged::Before);
    for other in [Owner::Run("2".to_owned()), administrator()] {
        let error = legacy.engage_as(&other).expect_err("held");
        assert_eq!(error.exit(), Exit::Refused);
        assert!(
            error.to_string().contains("engaged by run 1 since 20"),
            "{error}"
        );
        assert!(error.hint().expect("a hint").contains("pinferry run"));
        assert!(lock::claim(&legacy.source, &legacy.lock, &other).is_err());
    }
}

#[test]
fn a_run_takes_over_an_administrators_lock_of_the_same_configuration() {
    let mut legacy = Legacy::new();
    legacy
        .engage_as(&administrator())
        .expect("the administrator's lock");
    let adopted = legacy.engage_as(&run_one()).expect("adopted");
    assert_eq!(adopted.how(), &HowEngaged::Adopted("anna".to_owned()));
    assert_eq!(status(&legacy).owner, Some(run_one()));
    adopted.check_present().expect("the guards");

    legacy = Legacy::new();
    legacy
        .engage_as(&administrator())
        .expect("the administrator's lock");
    legacy.lock.allow_columns.clear();
    let error = legacy
        .engage_as(&run_one())
        .expect_err("another configuration");
    assert!(matches!(error, LockError::OtherConfiguration { .. }));
    assert_eq!(error.exit(), Exit::Refused);
    assert_eq!(status(&legacy).guards, Guards::Unverifiable);
}

#[test]
fn a_configuration_that_drifted_under_the_lock_is_named_key_by_key_with_both_values() {
    type Change = fn(&mut Legacy);
    let changes: [(Change, &str); 5] = [
        (
            |legacy| legacy.lock.mode = LockMode::Divert,
            "lock.mode was \"refuse\", is \"divert\"",
        ),
        (
            |legacy| legacy.lock.allow_columns.clear(),
            "lock.allow_columns was [\"ultimo_accesso\"], is []",
        ),
        (
            |legacy| legacy.lock.credential_change = CredentialChange::Capture,
            "lock.credential_change was \"refuse\", is \"capture\"",
        ),
        (
            |legacy| {
                legacy
                    .source
                    .columns
                    .insert(Field::Email, "nota".to_owned());
            },
            "columns.email of source \"inps\" was \"email\", is \"nota\"",
        ),
        (
            |legacy| {
                let codes = &mut legacy.source.rules.status_codes;
                codes.remove("C");
            },
            "values.status.C of source \"inps\" was \"ceased\", is absent",
        ),
    ];
    for (change, words) in changes {
        let mut legacy = Legacy::new();
        let locked = legacy.engage();
        change(&mut legacy);
        let again = legacy.engage_as(&run_one()).expect_err(words);
        assert!(again.to_string().contains(words), "{words}: {again}");
        let hint = again.hint().expect("a hint");
        assert!(hint.contains("pinferry abort"), "{hint}");
        drop(locked);
        let found = lock::claim(&legacy.source, &legacy.lock, &run_one());
        let held = found.expect("a look").expect("a lock").check_present();
        let error = held.expect_err(words);
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
}

#[test]
fn a_lock_in_the_way_says_in_which_target_its_run_lives() {
    let legacy = Legacy::new();
    legacy
        .engage_as(&administrator())
        .expect("the administrator's");
    let mut run = request(&run_one());
    run.successor = "sqlite://out/elsewhere.db".to_owned();
    lock::engage(&legacy.source, &legacy.lock, &run).expect("adopted");
    let error = legacy
        .engage_as(&Owner::Run("2".to_owned()))
        .expect_err("held");
    let hint = error.hint().expect("a hint");
    assert!(hint.contains("sqlite://out/elsewhere.db"), "{hint}");
    assert!(hint.contains("target.url"), "{hint}");
}

#[test]
fn a_broken_lock_lets_writes_through_and_its_owner_is_told() {
    let legacy = Legacy::new();
    let locked = legacy.engage();
    let was = lock::break_open(&legacy.source, &legacy.lock, "anna", "emergenza").expect("broken");
    assert_eq!(was.owner, Some(run_one()));
    legacy.assert_passes("UPDATE pin_legacy SET nome = 'X'");
    assert_eq!(status(&legacy).state, LockState::Broken);
    assert!(
        status(&legacy).line().contains("BROKEN"),
        "{}",
        status(&legacy).line()
    );
    let error = locked.check_present().expect_err("broken").to_string();
    assert!(error.contains("anna: emergenza"), "{error}");
    assert!(matches!(
        legacy.engage_as(&run_one()),
        Err(LockError::Broken { .. })
    ));
    locked.release(Leftovers::Refuse).expect("its remains go");
    assert_eq!(status(&legacy).state, LockState::Open);
    let again = lock::break_open(&legacy.source, &legacy.lock, "anna", "emergenza");
    assert!(matches!(again, Err(LockError::NotHeld { .. })));
}

#[test]
fn breaking_and_engaging_ask_for_words_that_can_be_shown() {
    let legacy = Legacy::new();
    for reason in ["", "   ", "two\nlines", "x".repeat(201).as_str()] {
        let mut asked = request(&run_one());
        asked.reason = reason.to_owned();
        let error = lock::engage(&legacy.source, &legacy.lock, &asked).expect_err(reason);
        assert_eq!(error.exit(), Exit::Usage);
    }
    legacy.engage();
    assert!(lock::break_open(&legacy.source, &legacy.lock, "anna", " ").is_err());
}

#[test]
fn releasing_twice_is_no_error_and_frees_nobody_elses_lock() {
    let legacy = Legacy::new();
    let first = legacy.engage();
    let second = legacy.engage();
    first.release(Leftovers::Refuse).expect("released");
    legacy.engage_as(&administrator()).expect("somebody else's");
    let error = second
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect_err("not ours");
    assert_eq!(error.exit(), Exit::Refused);
    legacy.assert_refused("UPDATE pin_legacy SET nome = 'X'");
}

#[test]
fn captures_are_marked_once_and_keep_a_lock_from_being_released_unasked() {
    let legacy = Legacy::new();
    let locked = legacy.engage();
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'C' WHERE id IN ('1', '2')");
    let captures = locked.captures(1).expect("captures");
    locked.mark_processed(&[captures[0].seq]).expect("marked");
    locked
        .mark_processed(&[captures[0].seq])
        .expect("marked again");
    assert!(locked.mark_processed(&[captures[0].seq, 4711]).is_err());
    assert_eq!(locked.captures(9).expect("captures").len(), 1);
    let held = status(&legacy);
    assert_eq!((held.captured, held.captured_open), (2, 1));
    let again = legacy.engage();
    assert!(matches!(
        locked.release(Leftovers::Refuse),
        Err(LockError::Leftovers { captured: 1, .. })
    ));
    again
        .release(Leftovers::HandBack(&|_| Ok(())))
        .expect("released");
}

#[test]
fn if_one_source_cannot_be_locked_those_locked_in_this_call_are_released() {
    let (mut first, mut second, mut third) = (Legacy::new(), Legacy::new(), Legacy::new());
    first.source.rules.name = "uno".to_owned();
    second.source.rules.name = "due".to_owned();
    third.source.rules.name = "tre".to_owned();
    second
        .engage_as(&administrator())
        .expect("an administrator's");
    third
        .engage_as(&Owner::Run("7".to_owned()))
        .expect("another run's");
    let sources = [&first, &second, &third].map(|legacy| legacy.source.clone());
    let error = engage_all(&sources, &first.lock, &request(&run_one())).expect_err("held");
    assert!(error.to_string().contains("\"tre\""), "{error}");
    assert_eq!(status(&first).state, LockState::Open);
    assert_eq!(status(&second).owner, Some(administrator()));
    assert_eq!(status(&third).owner, Some(Owner::Run("7".to_owned())));
}

#[test]
fn an_extract_has_nothing_to_lock() {
    let mut legacy = Legacy::new();
    legacy.source.location = SourceLocation::Csv {
        path: "inps.csv".into(),
        encoding: Encoding::Utf8,
        delimiter: b';',
    };
    let engaged = lock::engage(&legacy.source, &legacy.lock, &request(&run_one()));
    assert!(matches!(engaged, Ok(Lockability::Nothing)));
    assert!(!status(&legacy).lockable);
    let locks = engage_all(
        std::slice::from_ref(&legacy.source),
        &legacy.lock,
        &request(&run_one()),
    );
    assert_eq!(locks.expect("locks").nothing_to_lock(), ["inps"]);
    let claimed = Locks::claim(
        std::slice::from_ref(&legacy.source),
        &legacy.lock,
        &run_one(),
    );
    assert_eq!(claimed.expect("locks").iter().count(), 0);
}

#[test]
fn two_sources_in_one_database_are_locked_apart() {
    let mut legacy = Legacy::new();
    let one = legacy.engage();
    legacy.source.rules.name = "inps_due".to_owned();
    let two = legacy.engage();
    one.release(Leftovers::Refuse).expect("released");
    two.check_present().expect("the other's guards");
    legacy.assert_refused("UPDATE pin_legacy SET nome = 'X'");
    two.release(Leftovers::Refuse).expect("released");
    legacy.assert_passes("UPDATE pin_legacy SET nome = 'X'");
}

#[test]
fn what_cannot_be_locked_is_said_in_words() {
    let mut legacy = Legacy::new();
    legacy.lock.allow_columns = vec!["STATO".to_owned()];
    let error = legacy.engage_as(&run_one()).expect_err("a mapped column");
    assert!(error.to_string().contains("status"), "{error}");
    assert_eq!(error.exit(), Exit::Usage);
    legacy.lock.allow_columns.clear();
    legacy.assert_passes("ALTER TABLE pin_legacy DROP COLUMN email");
    let error = legacy.engage_as(&run_one()).expect_err("a missing column");
    assert!(error.to_string().contains("email"), "{error}");
}
