//! Guards in PostgreSQL that somebody tampers with while a run is held.

use crate::{
    ABORT, RUN, finish,
    scenario::{Engine, Scenario},
    server_legacy::{Mode, scenario},
};

const HOLD: &[&str] = &["run", "--hold"];

/// What somebody does to the guards of an engaged lock, and what is then said.
const DAMAGE: [(&str, &str); 7] = [
    ("ALTER TABLE pin_legacy DISABLE TRIGGER \"~pinferry_guard:inps:update\"", "was altered"),
    ("ALTER TABLE pin_legacy ENABLE TRIGGER \"~pinferry_guard:inps:rows\"", "was altered"),
    ("DROP TRIGGER \"~pinferry_guard:inps:truncate\" ON pin_legacy", "is missing"),
    (
        "CREATE OR REPLACE TRIGGER \"~pinferry_guard:inps:update\" AFTER UPDATE OF nome ON pin_legacy
           FOR EACH ROW EXECUTE FUNCTION pinferry_lock.\"inps:guard0\"();
         ALTER TABLE pin_legacy ENABLE ALWAYS TRIGGER \"~pinferry_guard:inps:update\"",
        "was altered",
    ),
    (
        "CREATE OR REPLACE FUNCTION pinferry_lock.\"inps:guard0\"() RETURNS trigger LANGUAGE plpgsql
           SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET row_security = off AS 'BEGIN RETURN NULL; END'",
        "was altered",
    ),
    (
        "ALTER FUNCTION pinferry_lock.\"inps:guard0\"() SET search_path = public",
        "was altered",
    ),
    ("DELETE FROM pinferry_lock.control", "lock"),
];

fn phase(scenario: &Scenario) -> String {
    scenario.ask_target("SELECT phase FROM run ORDER BY run_id DESC LIMIT 1")
}

#[test]
fn guards_that_somebody_disabled_dropped_or_altered_stop_the_cut_over() {
    for (damage, word) in DAMAGE {
        let scenario = scenario(Engine::Sqlite, Mode::Refuse);
        scenario.expect(HOLD, &[5]);
        scenario.legacy_database().batch(damage);
        for _ in 0..2 {
            let output = scenario.expect(RUN, &[1]);
            let talk = String::from_utf8_lossy(&output.stderr);
            assert!(talk.contains(word), "{damage}: {talk}");
            assert!(talk.contains("pinferry abort"), "{damage}: {talk}");
            assert_eq!(phase(&scenario), "verified", "{damage}");
            let model = scenario.ask_target("SELECT model FROM model_state");
            assert_eq!(model, "legacy", "{damage}");
        }
        let status = scenario.expect(&["status"], &[0]);
        let said = String::from_utf8_lossy(&status.stdout).into_owned();
        assert!(said.contains("damaged"), "{damage}: {said}");
    }
}

#[test]
fn after_an_abort_of_a_run_whose_guards_were_damaged_the_next_run_goes_through() {
    let scenario = scenario(Engine::Sqlite, Mode::Refuse);
    scenario.expect(HOLD, &[5]);
    let (damage, _) = DAMAGE[0];
    scenario.legacy_database().batch(damage);
    scenario.expect(RUN, &[1]);
    scenario.expect(ABORT, &[0]);
    scenario.expect(RUN, &[3]);
    finish(&scenario);
}

#[test]
fn guards_of_another_run_stop_the_cut_over() {
    let scenario = scenario(Engine::Sqlite, Mode::Refuse);
    scenario.expect(HOLD, &[5]);
    let other = "UPDATE pinferry_lock.control SET owner = '7 of another time'";
    scenario.legacy_database().batch(other);
    let output = scenario.expect(RUN, &[4]);
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(talk.contains("7 of another time"), "{talk}");
    assert_eq!(phase(&scenario), "verified");
}
