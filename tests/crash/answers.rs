//! The file of answers, when the program dies between taking requests and answering them.

use std::fs;

use crate::{
    INTAKE, RUN,
    scenario::{Engine, Scenario},
};

const ANSWERS: &str = "requests.result.csv";

/// Five entries, a header before them.
const LINES: usize = 6;

/// Those of them that are requests; one is a receipt.
const REQUESTS: i64 = 4;

#[test]
fn requests_that_were_taken_and_not_answered_are_answered_by_the_same_command_on_every_engine() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for (step, is_answered) in [
            ("intake.commit", false),
            ("result.write", false),
            ("file.rename", false),
            ("file.renamed", true),
        ] {
            let scenario = Scenario::on(engine);
            scenario.expect(RUN, &[3]);
            assert!(scenario.killed_at(INTAKE, step), "{engine:?} {step}");
            assert_eq!(
                scenario.path(ANSWERS).exists(),
                is_answered,
                "{engine:?} {step}"
            );
            let taken = if step == "intake.commit" { 0 } else { REQUESTS };
            assert_eq!(
                scenario.count("delayed_activation"),
                taken,
                "{engine:?} {step}"
            );
            scenario.expect(INTAKE, &[3]);
            assert_eq!(
                scenario.count("delayed_activation"),
                REQUESTS,
                "{engine:?} {step}"
            );
            let text = fs::read_to_string(scenario.path(ANSWERS)).expect("answers");
            assert_eq!(text.lines().count(), LINES, "{engine:?} {step}");
            let known = text.matches(";true;").count();
            let all = if taken == 0 { 0 } else { LINES - 1 };
            assert_eq!(known, all, "{engine:?} {step}: {text}");
        }
    }
}
