//! Files that somebody reads, when the program dies between writing and renaming each.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::{
    RUN,
    scenario::{Engine, Scenario},
};

const PLAN: &[&str] = &[
    "plan",
    "--report",
    "report",
    "--save",
    "plan.json",
    "--verdicts",
    "verdicts.csv",
];
const OF_A_RUN: &[&str] = &["report", "--to", "report"];
const METRICS: &[&str] = &["status", "--metrics", "metrics.prom"];

const STALE: &str = "from a night long ago";

fn draft(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "draft")
}

/// What was written there and what is under way, in order.
fn files(scenario: &Scenario) -> Vec<PathBuf> {
    let known = [
        "plan.json",
        "verdicts.csv",
        "verdicts.csv.json",
        "metrics.prom",
    ];
    let here = known.map(|name| scenario.path(name));
    let folders = [scenario.path("report"), scenario.path("")];
    let mut found: Vec<_> = here.into_iter().filter(|path| path.exists()).collect();
    for folder in folders {
        let entries = fs::read_dir(&folder).into_iter().flatten();
        let paths = entries.map(|entry| entry.expect("an entry").path());
        let ours = |path: &PathBuf| draft(path) || folder.ends_with("report");
        found.extend(paths.filter(ours));
    }
    found.sort();
    found
}

/// What is whole ends as it should.
fn assert_whole(path: &Path) {
    let text = fs::read_to_string(path).expect("text");
    let ending = path.extension().and_then(|ending| ending.to_str());
    let whole = match ending.expect("an ending") {
        "json" => serde_json::from_str::<serde_json::Value>(&text).is_ok(),
        "html" => text.trim_end().ends_with("</html>"),
        "prom" => text.ends_with("# EOF\n"),
        _ => text.ends_with('\n'),
    };
    assert!(whole || text == STALE, "{}", path.display());
}

/// Kills the command at each of its files; returns how many there were.
fn kill_at_each_file(scenario: &Scenario, command: &[&str]) -> usize {
    let mut kills = 0;
    for step in ["file.rename", "file.renamed"] {
        for count in 1.. {
            if !scenario.killed_at(command, &format!("{step}:{count}")) {
                break;
            }
            kills += 1;
            let left = files(scenario);
            let (drafts, named): (Vec<_>, Vec<_>) = left.iter().partition(|path| draft(path));
            assert!(
                !drafts.is_empty() || step == "file.renamed",
                "{command:?} {step}:{count}"
            );
            named.into_iter().for_each(|path| assert_whole(path));
            // As if it had been a night ago.
            for path in drafts {
                let long_ago = SystemTime::now() - Duration::from_secs(86_400);
                let file = File::open(path).expect("a draft");
                file.set_modified(long_ago).expect("an age");
            }
        }
    }
    let left = files(scenario);
    assert!(!left.iter().any(|path| draft(path)), "{left:?}");
    left.iter().for_each(|path| assert_whole(path));
    kills
}

#[test]
fn every_file_is_whole_or_not_there_and_what_the_dead_left_goes_with_the_next_command() {
    let scenario = Scenario::on(Engine::Sqlite);
    assert!(kill_at_each_file(&scenario, PLAN) >= 2 * 5);
    scenario.expect(RUN, &[3]);
    assert!(kill_at_each_file(&scenario, OF_A_RUN) >= 2 * 3);
    assert_eq!(kill_at_each_file(&scenario, METRICS), 2);
}

#[test]
fn a_page_never_stands_beside_older_numbers() {
    let scenario = Scenario::on(Engine::Sqlite);
    scenario.expect(PLAN, &[3]);
    let report = |name: &str| scenario.path("report").join(name);
    let stale = || {
        for path in files(&scenario) {
            if path.parent() == Some(&scenario.path("report")) {
                fs::write(path, STALE).expect("a file");
            }
        }
    };
    let is_new = |path: &Path| fs::read_to_string(path).expect("text") != STALE;
    for count in 1.. {
        stale();
        if !scenario.killed_at(PLAN, &format!("file.renamed:{count}")) {
            break;
        }
        if is_new(&report("report.html")) {
            let old: Vec<_> = files(&scenario)
                .into_iter()
                .filter(|path| !draft(path) && !is_new(path))
                .collect();
            assert!(old.is_empty(), "{old:?}");
        }
    }
    assert!(is_new(&report("report.html")));
}

#[test]
fn what_is_no_file_is_refused_before_anything_is_read() {
    let scenario = Scenario::on(Engine::Sqlite);
    for command in [
        &["plan", "--save", "/dev/zero"][..],
        &["plan", "--verdicts", "/dev/full"],
        &["plan", "--report", "inps.db"],
        &["status", "--metrics", "/dev/zero"],
    ] {
        let refused = scenario.expect(command, &[1]);
        let talk = String::from_utf8_lossy(&refused.stderr);
        assert!(talk.contains("next: "), "{command:?}: {talk}");
        assert!(refused.stdout.is_empty() || command[0] == "status");
    }
}
