//! Disks that fill up: under the target, under the work folder, under a legacy with a write-ahead log.
//!
//! Each test mounts a small file system of its own, in a mount namespace that ends with its process, so that
//! nothing is left behind. Where that is not permitted it says so and limits the size of files instead.

use std::{fs, process::Command};

use crate::{RUN, scenario::Scenario, uninterrupted_run};

/// Mounts, fills up but for `$ROOM` KiB, runs, frees the space, runs again, and takes the target away.
const SCRIPT: &str = r#"
mount -t tmpfs -o size=32m tmpfs full || exit 99
cp inps.db full/ || exit 98
head -c $((32 * 1024 * 1024)) /dev/zero > full/ballast 2> /dev/null
size=$(wc -c < full/ballast)
truncate -s $((size - ROOM * 1024)) full/ballast || exit 97
"$PROGRAM" run > first.out 2> first.err
echo $? > first.code
rm full/ballast
"$PROGRAM" run > second.out 2> second.err
echo $? > second.code
cp full/multiprofile.db . 2> /dev/null
exit 0
"#;

/// How a run on a full disk ended.
struct Ended {
    code: i32,
    said: String,
}

/// Whether this process may mount, in a namespace of its own.
#[expect(
    clippy::print_stderr,
    reason = "a weaker test must not pass in silence"
)]
fn may_mount() -> bool {
    let tried = Command::new("unshare")
        .args([
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o size=64k tmpfs /tmp",
        ])
        .output();
    let may = tried.is_ok_and(|output| output.status.success());
    if !may {
        eprintln!(
            "\n*** MOUNTING IS NOT PERMITTED HERE: no disk is really filled up; the size of files is limited instead ***\n"
        );
    }
    may
}

/// Runs with so much room, frees the space, and sees that the same command then ends as if nothing had been.
fn on_a_full_disk(scenario: &Scenario, room_kib: u32) -> Ended {
    fs::create_dir(scenario.path("full")).expect("a folder");
    let script = Command::new("unshare")
        .args(["--mount", "sh", "-c", SCRIPT])
        .current_dir(scenario.path(""))
        .env("PROGRAM", env!("CARGO_BIN_EXE_pinferry"))
        .env("ROOM", room_kib.to_string())
        .output()
        .expect("it starts");
    let stderr = String::from_utf8_lossy(&script.stderr);
    assert!(script.status.success(), "{:?} {stderr}", script.status);
    let read = |name: &str| fs::read_to_string(scenario.path(name)).expect("a file");
    let code = |name: &str| read(name).trim().parse::<i32>().expect("a code");
    assert_eq!(code("second.code"), 3, "{}", read("second.err"));
    assert_eq!(scenario.digest(), uninterrupted_run(), "{room_kib} KiB");
    Ended {
        code: code("first.code"),
        said: read("first.err"),
    }
}

/// What must be said: what is full, and what to do.
fn assert_told(ended: &Ended, what: &str) {
    assert_eq!(ended.code, 1, "{}", ended.said);
    assert!(ended.said.contains(what), "{}", ended.said);
    let next = ended.said.lines().find(|line| line.starts_with("next:"));
    let frees = next.is_some_and(|next| next.contains("free") && next.contains("space"));
    assert!(frees, "{}", ended.said);
}

#[test]
fn a_full_disk_under_the_target_is_named_and_freed_space_lets_the_same_command_end_well() {
    if !may_mount() {
        return with_files_that_may_not_grow();
    }
    let mut filled = 0;
    for room_kib in [0, 64, 512, 1024, 2048, 4096] {
        let scenario = Scenario::new();
        scenario.configure("sqlite://multiprofile.db", "sqlite://full/multiprofile.db");
        let ended = on_a_full_disk(&scenario, room_kib);
        if ended.code != 3 {
            assert_told(&ended, "full");
            filled += 1;
        }
    }
    assert!(filled >= 3, "only {filled} runs met a full disk");
}

#[test]
fn a_full_disk_under_the_work_folder_is_named_and_freed_space_lets_the_same_command_end_well() {
    if !may_mount() {
        return with_files_that_may_not_grow();
    }
    for room_kib in [0, 64] {
        let scenario = Scenario::new();
        scenario.configure(
            "work_dir = \"work\"",
            "work_dir = \"full/work\"\nmemory = \"1MiB\"",
        );
        assert_told(&on_a_full_disk(&scenario, room_kib), "full/work");
    }
}

#[test]
fn a_full_disk_under_a_legacy_with_a_write_ahead_log_is_named() {
    if !may_mount() {
        return with_files_that_may_not_grow();
    }
    for room_kib in [0, 40] {
        let scenario = Scenario::new();
        let legacy = scenario.legacy();
        let mode: String = legacy
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .expect("a mode");
        assert_eq!(mode, "wal");
        drop(legacy);
        scenario.configure("sqlite://inps.db", "sqlite://full/inps.db");
        let ended = on_a_full_disk(&scenario, room_kib);
        assert_told(&ended, "full/inps.db");
        assert!(ended.said.contains("disk"), "{}", ended.said);
    }
}

/// Less than a full disk, and possible everywhere: no file may grow beyond a size.
fn with_files_that_may_not_grow() {
    for kib in [48_u32, 400, 1000] {
        let scenario = Scenario::new();
        let legacy_kib = fs::metadata(scenario.path("inps.db"))
            .expect("a file")
            .len()
            / 1024;
        let most = u64::from(kib).max(legacy_kib + 64);
        let script = format!("trap '' XFSZ; ulimit -f {most}; exec \"$0\" run");
        let limited = Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_pinferry")])
            .current_dir(scenario.path(""))
            .output()
            .expect("it starts");
        let said = String::from_utf8_lossy(&limited.stderr);
        assert!(matches!(limited.status.code(), Some(1 | 3)), "{said}");
        scenario.expect(RUN, &[3]);
        assert_eq!(scenario.digest(), uninterrupted_run());
    }
}

#[test]
fn a_file_that_may_not_grow_stops_a_run_and_nothing_is_lost() {
    with_files_that_may_not_grow();
}
