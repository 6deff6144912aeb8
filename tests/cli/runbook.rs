//! What the README's runbook quotes is what is seen, and what it says to type is what helps.

use std::{collections::BTreeSet, fs, path::Path};

use rusqlite::Connection;

use crate::{Ended, folder, pinferry, run};

/// The sample's job with its SQLite legacy, nothing done yet.
pub(crate) fn lay_out(folder: &Path) {
    assert_eq!(run(folder, &["demo", "--dir", "."]).code, 0);
    fs::remove_dir_all(folder.join("out")).expect("gone");
    fs::remove_file(folder.join("sportello.db")).expect("gone");
    let sql = fs::read_to_string(folder.join("sportello.sql")).expect("the legacy");
    let legacy = Connection::open(folder.join("sportello.db")).expect("a legacy");
    legacy.execute_batch(&sql).expect("a legacy");
}

fn in_target(folder: &Path, sql: &str) {
    let target = Connection::open(folder.join("out/multiprofile.db")).expect("the target");
    target.execute_batch(sql).expect("a change");
}

/// That what the runbook quotes is in what a command said.
fn sees(seen: &mut BTreeSet<&'static str>, quoted: &'static str, ended: &Ended, code: i32) {
    let said = format!("{}{}", ended.stdout, ended.stderr);
    assert!(said.contains(quoted), "{quoted}: {said}");
    assert_eq!(ended.code, code, "{quoted}: {said}");
    seen.insert(quoted);
}

/// Another channel for one record: as many records and bytes as before.
fn edit(folder: &Path, from: &str, to: &str) {
    let extract = folder.join("inps.csv");
    let rows = fs::read(&extract).expect("the extract");
    let at = rows
        .windows(from.len())
        .position(|bytes| bytes == from.as_bytes());
    let at = at.expect("a record with it");
    let edited = [&rows[..at], to.as_bytes(), &rows[at + from.len()..]].concat();
    fs::write(extract, edited).expect("written");
}

#[test]
fn what_the_runbook_quotes_of_a_run_is_what_is_seen() {
    let folder = folder();
    let folder = folder.path();
    let seen = &mut BTreeSet::new();
    lay_out(folder);
    let say = |text: &str| run(folder, &text.split(' ').collect::<Vec<_>>());
    assert_eq!(say("plan --save plan.json").code, 3);
    let links = folder.join("links.csv");
    let planned = fs::read_to_string(&links).expect("the links");
    fs::write(&links, format!("{planned}RSSMRA80A01H501U;\n")).expect("written");
    sees(seen, "keys differ", &say("run --plan plan.json"), 2);
    fs::write(&links, planned).expect("written back");
    let file = folder.join("pinferry.toml");
    let settings = fs::read_to_string(&file).expect("the configuration");
    fs::write(&file, settings.replace("ratio = 0.50", "ratio = 0.10")).expect("written");
    let many = "records are quarantined, more than run.max_quarantine_ratio";
    sees(seen, many, &say("run"), 1);
    fs::write(&file, settings).expect("written back");
    assert_eq!(say("run --hold").code, 5);
    sees(seen, "PIN management is LOCKED", &say("status"), 0);
    assert_eq!(say("pause").code, 0);
    sees(seen, "PAUSED since", &say("status"), 0);
    assert_eq!(say("resume").code, 0);
    let lease = |end: &str| {
        let holder =
            format!("UPDATE runner_heartbeat SET holder = 'elsewhere:1 x', expires_at = '{end}'");
        in_target(folder, &holder);
    };
    lease("2099-01-01T00:00:00.000Z");
    sees(seen, "is being worked on by", &say("run"), 4);
    lease("2013-01-01T00:00:00.000Z");
    let legacy = folder.join("sportello.db");
    fs::rename(&legacy, folder.join("away")).expect("moved");
    sees(seen, "LOCK UNKNOWN", &say("status"), 1);
    fs::rename(folder.join("away"), &legacy).expect("moved back");
    edit(folder, ";WEB;2;mario", ";TEL;2;mario");
    sees(seen, "verification failed", &say("run"), 6);
    edit(folder, ";TEL;2;mario", ";WEB;2;mario");
    assert_eq!(say("run --hold").code, 5, "what was mended passes");
    assert_eq!(say("lock break --by Anna --reason counters --yes").code, 0);
    sees(seen, "the lock is gone or damaged", &say("status"), 0);
    assert_eq!(say("abort --yes").code, 0);
    if cfg!(feature = "failpoints") {
        let killed = pinferry(folder)
            .arg("run")
            .env("PINFERRY_FAILPOINT", "chunk.rows")
            .output();
        assert_eq!(killed.expect("it ran").status.code(), None);
        edit(folder, ";WEB;2;mario", ";TEL;2;mario");
        sees(seen, "changed since run", &say("run"), 1);
        edit(folder, ";TEL;2;mario", ";WEB;2;mario");
    }
    assert_eq!(say("run").code, 3);
    let target = folder.join("out");
    fs::rename(&target, folder.join("lost")).expect("moved");
    let foreign = "which is not in this target";
    sees(seen, foreign, &say("status"), 0);
    fs::rename(folder.join("lost"), &target).expect("moved back");
    sees(seen, "is sealed by", &say("lock release"), 4);
    let broken = say("lock break --by Anna --reason counters --yes");
    assert!(
        broken.stderr.contains("stays the valid one"),
        "{}",
        broken.stderr
    );
    let readme = include_str!("../../README.md");
    let (_, runbook) = readme
        .split_once("### When something is wrong")
        .expect("a runbook");
    let (runbook, _) = runbook.split_once("\n### ").expect("another section");
    for quoted in seen.iter() {
        assert!(runbook.contains(&format!("`{quoted}`")), "{quoted}");
    }
    assert!(seen.len() >= 8, "{seen:?}");
}
