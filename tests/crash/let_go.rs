//! What an office took away under the lock wins over what was accepted before, though the lock goes without a run.

use std::{fs, time::SystemTime};

use jiff::{Timestamp, ToSpan as _};

use crate::night::{ENGINES, Moment, Night, Way, change, code, row};

const LOCK: &str = "mode = \"refuse\"\n[activation]\ndelay_working_days = 0";

/// Who is handed in, and what an office makes of his PIN meanwhile.
const PEOPLE: [(usize, &str, &str); 3] = [
    (0, "R", "failed revoked"),
    (1, "S", "failed suspended"),
    (2, "A", "done"),
];

/// Hands a new PIN and a further profile in, accepted five minutes ago, of each of these people.
fn hand_in(night: &Night) {
    let now = Timestamp::try_from(SystemTime::now()).expect("a time");
    let at = now.checked_sub(5.minutes()).expect("a time");
    let mut text = "request_id;kind;accepted_at;office;channel;fiscal_code;surname;given_name;birth_date;profile;\
         credential;credential_scheme;halves_delivered;documents\n"
        .to_owned();
    let hash = "ef".repeat(32);
    for (number, _, _) in PEOPLE {
        let person = format!(
            "{at};0700;SED;{};D'Alì;Mario;1980-01-01;CIT",
            code('A', number)
        );
        text += &format!("N{number};new_pin;{person};{hash};SHA256;2;IDENTITY_CARD\n");
        text += &format!("F{number};further_profile;{person};;;;IDENTITY_CARD\n");
    }
    fs::write(night.folder.path().join("requests.csv"), text).expect("a file");
    night.expect(&["intake", "requests.csv"], 0);
}

fn take_away(night: &Night) {
    for (number, status, _) in PEOPLE.into_iter().filter(|(_, status, _)| *status != "A") {
        let change = change(&row('A', number, 0), status, Way::EveryColumn);
        night.office(&change).expect("it passes");
    }
}

fn assert_taken_away(night: &Night, what: &str) {
    night.finish();
    night.expect(&["activate"], 3);
    for (number, _, fate) in PEOPLE {
        for kind in ['N', 'F'] {
            let of = format!("FROM delayed_activation WHERE request_id = '{kind}{number}'");
            let found = night.text(&format!("SELECT trim(state || ' ' || reason) {of}"));
            assert_eq!(found, fate, "{what} {kind}{number}");
        }
        let code = code('A', number);
        let access = night.text(&format!(
            "SELECT profile FROM effective_access WHERE fiscal_code = '{code}'"
        ));
        assert_eq!(
            access.is_empty(),
            fate != "done",
            "{what} {number}: {access}"
        );
    }
    night.expect(&["verify"], 0);
    night.expect(&["audit", "verify"], 0);
}

#[test]
fn what_was_suspended_under_the_lock_is_not_active_again_by_a_request_accepted_before_on_every_engine()
 {
    for engine in ENGINES {
        let night = Night::on(engine, LOCK);
        night.until(Moment::Held);
        hand_in(&night);
        take_away(&night);
        assert_taken_away(&night, &format!("{engine:?}"));
    }
}

#[test]
fn an_abort_killed_at_any_step_forgets_nothing_that_was_taken_away_under_its_lock_on_every_engine()
{
    for engine in ENGINES {
        for step in ["audit.commit", "lock.release", "lock.released"] {
            let night = Night::on(engine, LOCK);
            night.until(Moment::Held);
            hand_in(&night);
            take_away(&night);
            night.killed(&["abort", "--yes"], step);
            night.expect(&["abort", "--yes"], 0);
            let log = night.text("SELECT detail FROM audit_event WHERE action = 'captures.kept'");
            assert!(!log.is_empty() && !log.contains(&code('A', 0)), "{log}");
            assert_taken_away(&night, &format!("{engine:?} {step}"));
        }
    }
}

#[test]
fn a_lock_released_by_hand_forgets_nothing_that_was_taken_away_under_it_on_every_engine() {
    for engine in ENGINES {
        let night = Night::on(engine, LOCK);
        night.expect(&["migrate-schema"], 0);
        night.expect(&["lock", "engage", "--reason", "tonight"], 0);
        hand_in(&night);
        take_away(&night);
        let refused = night.expect(&["lock", "release"], 1);
        let told = String::from_utf8_lossy(&refused.stderr);
        assert!(
            told.contains("--hand-back") && !told.contains("pinferry activate"),
            "{told}"
        );
        night.expect(&["lock", "release", "--hand-back"], 0);
        assert_taken_away(&night, &format!("{engine:?}"));
    }
}
