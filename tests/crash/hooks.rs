//! Commands of the administrator's own.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    process::{Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    ABORT, RUN, finish,
    scenario::{Engine, Scenario},
    uninterrupted_run,
};

/// What every script begins with: a line of what it was told.
const NOTES: &str =
    "#!/bin/sh\necho \"$PINFERRY_EVENT $PINFERRY_RUN_ID $PINFERRY_PHASE $PINFERRY_EXIT\" >> told\n";

/// A run with these hooks, each a script of this name.
fn hooked(engine: Engine, hooks: &[(&str, &str)], timeout: &str) -> Scenario {
    let scenario = Scenario::on(engine);
    let mut section = format!("[hooks]\ntimeout = \"{timeout}\"\n");
    for (hook, script) in hooks {
        section.push_str(&format!("{hook} = [\"./{hook}.sh\", \"a b\", \"$HOME\"]\n"));
        script_of(&scenario, hook, script);
    }
    scenario.configure("[lock]", &format!("{section}[lock]"));
    scenario
}

fn script_of(scenario: &Scenario, hook: &str, script: &str) {
    let file = scenario.path(&format!("{hook}.sh"));
    fs::write(&file, format!("{NOTES}{script}\n")).expect("a script");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("executable");
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// What the hooks were told, line by line.
fn told(scenario: &Scenario) -> Vec<String> {
    let told = fs::read_to_string(scenario.path("told")).unwrap_or_default();
    told.lines().map(|line| line.trim().to_owned()).collect()
}

fn is_open(scenario: &Scenario) -> bool {
    let mut legacy = scenario.legacy();
    let undone = legacy.transaction().expect("a transaction");
    let written = undone.execute("UPDATE pin_legacy SET telefono = '1'", []);
    written.is_ok_and(|rows| rows > 0)
}

fn is_alive(scenario: &Scenario, file: &str) -> bool {
    let pid = fs::read_to_string(scenario.path(file)).expect("a process id");
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

#[test]
fn hooks_run_in_their_order_with_what_they_are_told_and_nothing_secret() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let dump =
            "printf '%s|' \"$@\" >> arguments; env > environment.$PINFERRY_EVENT; echo heard";
        let scenario = hooked(
            engine,
            &[
                ("before_lock", dump),
                // It may call the program: what it was told is no configuration.
                (
                    "before_cut_over",
                    "\"$(cat program)\" status && echo seen >> told",
                ),
                ("after_cut_over", "exit 9"),
                ("on_stop", ""),
            ],
            "PT60S",
        );
        fs::write(scenario.path("program"), env!("CARGO_BIN_EXE_pinferry")).expect("a file");
        let mut command = scenario.command(RUN);
        let output = command
            .env("PG_PASSWORD", "secret")
            .env("PINFERRY_RUN__LEASE", "PT40S")
            .output();
        let output = output.expect("it starts");
        let talk = said(&output);
        assert_eq!(output.status.code(), Some(3), "{talk}");
        assert!(talk.contains("before_lock: heard"), "{talk}");
        assert!(talk.contains("hooks.after_cut_over ended with 9"), "{talk}");
        assert_eq!(
            told(&scenario),
            [
                "before_lock 1 created",
                "before_cut_over 1 verified",
                "seen",
                "after_cut_over 1 cut_over"
            ]
        );
        let arguments = fs::read_to_string(scenario.path("arguments")).expect("arguments");
        assert_eq!(arguments, "a b|$HOME|", "no shell read them");
        let environment = scenario.path("environment.before_lock");
        let environment = fs::read_to_string(environment).expect("an environment");
        assert!(environment.contains("PATH=") && environment.contains("PINFERRY_RUN_ID=1"));
        assert!(!environment.contains("secret") && !environment.contains("PINFERRY_RUN__LEASE"));
        finish(&scenario);
        assert_eq!(scenario.digest(), uninterrupted_run());
        // What is finished is not stopped.
        scenario.expect(RUN, &[3]);
        assert_eq!(told(&scenario).len(), 4);
    }
}

#[test]
fn a_hook_that_says_no_ends_the_run_before_the_lock_or_before_cut_over_and_is_asked_again() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let scenario = hooked(
            engine,
            &[
                ("before_lock", "exit 7"),
                ("before_cut_over", "kill -9 $$"),
                ("on_stop", ""),
            ],
            "PT60S",
        );
        let talk = said(&scenario.expect(RUN, &[1]));
        assert!(talk.contains("hooks.before_lock ended with 7"), "{talk}");
        assert!(
            talk.contains("then type `pinferry run`, which asks it again"),
            "{talk}"
        );
        assert!(is_open(&scenario), "nothing is locked");
        script_of(&scenario, "before_lock", "");
        let talk = said(&scenario.expect(RUN, &[1]));
        assert!(
            talk.contains("hooks.before_cut_over was ended by signal 9"),
            "{talk}"
        );
        assert!(!is_open(&scenario), "the lock is kept");
        assert_eq!(
            told(&scenario),
            [
                "before_lock 1 created",
                "on_stop 1 created 1",
                "before_lock 1 created",
                "before_cut_over 1 verified",
                "on_stop 1 verified 1"
            ]
        );
        script_of(&scenario, "before_cut_over", "");
        scenario.expect(RUN, &[3]);
        finish(&scenario);
    }
}

#[test]
fn a_hook_that_hangs_is_killed_with_all_it_started_and_the_lease_is_kept_meanwhile() {
    let hangs = "sleep 300 & echo $! > child; echo $$ > parent; echo waiting; wait";
    let scenario = hooked(Engine::Sqlite, &[("before_cut_over", hangs)], "PT7S");
    scenario.configure("[run]", "[run]\nlease = \"PT3S\"");
    let mut command = scenario.command(RUN);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = piped.spawn().expect("it starts");
    let begun = Instant::now();
    while !scenario.path("parent").exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it comes to the hook"
        );
        thread::sleep(Duration::from_millis(20));
    }
    // Longer than a lease.
    thread::sleep(Duration::from_secs(4));
    scenario.expect(RUN, &[4]);
    assert!(is_alive(&scenario, "child"));
    let output = run.wait_with_output().expect("it ends");
    let talk = said(&output);
    assert_eq!(output.status.code(), Some(1), "{talk}");
    assert!(talk.contains("before_cut_over: waiting"), "{talk}");
    assert!(
        talk.contains("hooks.before_cut_over was not done within 7 s and was killed"),
        "{talk}"
    );
    assert!(!is_alive(&scenario, "child") && !is_alive(&scenario, "parent"));
    scenario.expect(ABORT, &[0]);
    assert!(is_open(&scenario));
}

#[test]
fn a_signal_ends_a_hook_and_the_one_for_stopping_is_told() {
    let scenario = hooked(
        Engine::Sqlite,
        &[
            ("before_cut_over", "echo $$ > parent; sleep 300"),
            ("on_stop", ""),
        ],
        "PT60S",
    );
    let mut run = scenario.command(RUN).spawn().expect("it starts");
    let begun = Instant::now();
    while !scenario.path("parent").exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "it comes to the hook"
        );
        thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&run), Signal::TERM).expect("ours");
    assert_eq!(run.wait().expect("it ends").code(), Some(143));
    assert!(!is_alive(&scenario, "parent"));
    assert_eq!(
        told(&scenario).last().expect("a line"),
        "on_stop 1 verified 143"
    );
}

#[test]
fn what_a_hook_says_is_bounded_whoever_it_leaves_running_is_not_waited_for_and_no_path_is_needed() {
    let floods = "sleep 300 & echo $! > child
        printf 'a\\033[31mb\\n'; head -c 100000 /dev/zero | tr '\\0' x; yes no | head -n 200000; echo the end";
    let scenario = hooked(Engine::Sqlite, &[("before_lock", floods)], "PT60S");
    scenario.configure("\"./before_lock.sh\"", "\"sh\", \"before_lock.sh\"");
    let begun = Instant::now();
    let output = scenario
        .command(RUN)
        .env_clear()
        .output()
        .expect("it starts");
    assert!(begun.elapsed() < Duration::from_secs(50));
    let talk = said(&output);
    assert_eq!(output.status.code(), Some(3), "{talk}");
    assert!(talk.len() < 100_000, "{} bytes", talk.len());
    assert!(
        talk.contains("before_lock: a?[31mb"),
        "no code for the terminal"
    );
    assert_eq!(
        talk.matches("(what it says after 64 KiB is not shown)")
            .count(),
        1
    );
    assert!(!talk.contains("the end"));
    assert!(is_alive(&scenario, "child"));
    let child = fs::read_to_string(scenario.path("child")).expect("a process id");
    let child = child
        .trim()
        .parse()
        .ok()
        .and_then(Pid::from_raw)
        .expect("a process id");
    kill_process(child, Signal::KILL).expect("ours");
    finish(&scenario);
}

#[test]
fn a_hook_that_is_not_there_or_not_executable_is_found_by_doctor_and_says_no() {
    let scenario = hooked(Engine::Sqlite, &[("before_lock", "")], "PT60S");
    let file = scenario.path("before_lock.sh");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("ours");
    for why in ["is not executable", "does not exist"] {
        for (command, code) in [(&["doctor"][..], 2), (RUN, 1)] {
            let talk = said(&scenario.expect(command, &[code]));
            assert!(talk.contains("before_lock") && talk.contains(why), "{talk}");
        }
        assert!(is_open(&scenario));
        if file.exists() {
            fs::remove_file(&file).expect("ours");
        }
    }
    scenario.configure("./before_lock.sh", "no-such-program");
    let talk = said(&scenario.expect(RUN, &[1]));
    assert!(
        talk.contains("no-such-program on the PATH does not exist"),
        "{talk}"
    );
}

#[test]
fn killed_after_a_hook_the_next_process_runs_it_again() {
    let scenario = hooked(
        Engine::Sqlite,
        &[
            ("before_lock", ""),
            ("before_cut_over", ""),
            ("after_cut_over", ""),
        ],
        "PT60S",
    );
    for step in ["lock.engaged", "cut_over.commit", "finish.commit"] {
        assert!(scenario.killed_at(RUN, step), "{step}");
    }
    scenario.expect(RUN, &[3]);
    assert_eq!(
        told(&scenario),
        [
            "before_lock 1 created",
            "before_lock 1 created",
            "before_cut_over 1 verified",
            "before_cut_over 1 verified",
            "after_cut_over 1 cut_over",
            "after_cut_over 1 cut_over"
        ]
    );
    finish(&scenario);
}

#[test]
fn nobody_asks_a_server_that_is_gone_once_more_for_a_hook_that_is_not_there() {
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    let asked = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&asked);
    thread::spawn(move || {
        // Whoever comes is sent away.
        for _ in server.incoming() {
            counting.fetch_add(1, Ordering::Relaxed);
        }
    });
    for (section, times) in [("", 1), ("on_stop = [\"true\"]\n", 2)] {
        let scenario = Scenario::new();
        let url = format!("postgres://u@127.0.0.1:{port}/db?sslmode=disable");
        scenario.configure("sqlite://multiprofile.db", &url);
        scenario.configure("[lock]", &format!("[hooks]\n{section}[lock]"));
        let before = asked.load(Ordering::Relaxed);
        scenario.expect(RUN, &[2]);
        assert_eq!(asked.load(Ordering::Relaxed) - before, times);
    }
}

#[test]
fn the_hook_for_stopping_is_told_when_a_window_closes_and_what_stands_then() {
    let scenario = hooked(Engine::Sqlite, &[("on_stop", "")], "PT60S");
    scenario.expect(&["run", "--hold"], &[5]);
    let closed = crate::taken_back::window(2, 3);
    let line = ["run", "--window", &closed, "--release-on-stop"];
    scenario.expect(&line, &[5]);
    scenario.expect(&line, &[5]);
    assert_eq!(
        told(&scenario),
        ["on_stop 1 verified 5", "on_stop 1 aborted 5"]
    );
}
