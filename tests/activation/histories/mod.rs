//! Histories of requests, tried on the program and compared with the documents.
//!
//! A history is a person's legacy records, one run or two, and what counters hand in before, between and after them, in
//! any order, in any files, with drains anywhere. `PINFERRY_HISTORIES=20000` tries more of them than is committed, and
//! `PINFERRY_HISTORIES_SEED=7` others.

mod agreement;
mod found;
mod generate;
mod history;
mod oracle;
mod place;
mod play;
mod safety;
mod seen;

use std::env;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use agreement::Agreement;
use history::History;
use safety::Safety;
use seen::Seen;

use crate::town::Engine;

/// How many are tried where nobody says.
const HISTORIES: u64 = 60;

/// The same, of those that are tried on a server.
const HISTORIES_ON_SERVER: u64 = 4;

fn number(variable: &str) -> Option<u64> {
    env::var(variable).ok()?.parse().ok()
}

fn tried(history: &History, engine: Engine) -> Result<Seen, String> {
    let played = play::play(history, engine)?;
    Safety::of(history, &played).check()?;
    let agreement = Agreement::of(history, &played);
    if agreement.is_told() {
        agreement.check()?;
    }
    Ok(played.last().clone())
}

/// Tries so many on one engine.
fn try_some(histories: u64, engine: Engine) {
    let seed = number("PINFERRY_HISTORIES_SEED").unwrap_or_default();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(histories).expect("a number of histories"),
        failure_persistence: None,
        max_shrink_iters: 700,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let found = runner.run(&generate::histories(), |history| {
        let ended = tried(&history, engine);
        ended.map(drop).map_err(TestCaseError::fail)
    });
    match found {
        Ok(()) => {}
        Err(TestError::Fail(why, history)) => panic!("{engine:?}, seed {seed}:\n{history}\n{why}"),
        Err(TestError::Abort(why)) => panic!("{engine:?}, seed {seed}: {why}"),
    }
}

#[test]
fn whatever_comes_in_whenever_ends_as_the_documents_say() {
    let histories = number("PINFERRY_HISTORIES");
    try_some(histories.unwrap_or(HISTORIES), Engine::Sqlite);
}

#[test]
fn some_of_it_does_on_a_server() {
    try_some(HISTORIES_ON_SERVER, Engine::Postgres);
}
