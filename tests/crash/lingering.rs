//! A holder that is stopped in the middle of a transaction, where nobody may end its sessions.

use std::{
    fs,
    process::{Child, Output, Stdio},
    thread::{panicking, sleep},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{
    finish,
    scenario::{Engine, Scenario},
    uninterrupted_run,
};

const LEASE: Duration = Duration::from_secs(10);

/// No test waits longer than this for anything else.
const PATIENCE: Duration = Duration::from_secs(60);

/// A migration by a role that may end no session, not even its own.
struct Job {
    scenario: Scenario,
    role: String,
}

impl Job {
    fn new() -> Self {
        let scenario = Scenario::on(Engine::Postgres);
        let database = scenario.database();
        let role = format!("r_{}", database.name);
        database.batch(&format!(
            "CREATE ROLE {role} LOGIN;
             GRANT USAGE, CREATE ON SCHEMA public TO {role};
             REVOKE EXECUTE ON FUNCTION pg_terminate_backend FROM PUBLIC"
        ));
        let url = database.server().url(&role, &database.name);
        scenario.configure(&database.url(), &url);
        scenario.configure("[run]", "[run]\nlease = \"PT10S\"");
        Self { scenario, role }
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.scenario
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    }

    /// Waits until one of the holder's sessions is found like this.
    fn until(&self, condition: &str) {
        let sql = format!(
            "SELECT count(*)::text FROM pg_stat_activity
             WHERE datname = current_database() AND application_name LIKE 'pinferry run %' AND {condition}"
        );
        let database = self.scenario.database();
        until(condition, || database.text(&sql) != "0");
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if panicking() {
            // A holder that is still stopped keeps what it has.
            return;
        }
        let role = &self.role;
        self.scenario
            .database()
            .batch(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}"));
    }
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        sleep(Duration::from_millis(10));
    }
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).expect("the process is ours");
}

/// Stops it, and waits until no thread of it runs any more: the others go on until one has taken the signal.
fn stop(child: &Child) {
    signal(child, Signal::STOP);
    let threads = format!("/proc/{}/task", child.id());
    until("all threads stopped", || {
        fs::read_dir(&threads).expect("threads").all(|thread| {
            let stat = thread.map(|thread| fs::read_to_string(thread.path().join("stat")));
            let stat = stat.expect("a thread").expect("its state");
            stat.rsplit_once(") ")
                .is_some_and(|(_, state)| state.starts_with('T'))
        })
    });
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Stops the holder while the server does a statement of its own, which waits for `lock`; then the statement ends, and
/// the transaction is left alone.
fn taken_over_from_a_holder_stopped_during(statement: &str, lock: &str) {
    let job = Job::new();
    let stopped = job.start(&["run", "--chunk-records", "20"]);
    until("a chunk", || job.scenario.committed_records() > 20);
    let mut other = job.scenario.database().session();
    other
        .batch("locking", &format!("BEGIN; {lock}"))
        .expect("it may");
    job.until(&format!(
        "wait_event_type = 'Lock' AND query LIKE '{statement}%'"
    ));
    stop(&stopped);
    let begun = Instant::now();
    other.batch("letting go", "COMMIT").expect("it may");
    job.until("state = 'idle in transaction'");
    let mut waiter = job.start(&["run", "--wait"]);
    let taken = || {
        job.scenario
            .database()
            .text("SELECT epoch::text FROM runner_lease")
            != "1"
    };
    until("a takeover", || {
        taken() || waiter.try_wait().expect("ours").is_some()
    });
    let after = begun.elapsed();
    let waiter = waiter.wait_with_output().expect("it ends");
    assert_eq!(waiter.status.code(), Some(3), "{}", told(&waiter));
    assert!(after < 2 * LEASE, "{after:?} {}", told(&waiter));
    let target = job.scenario.target();
    signal(&stopped, Signal::CONT);
    let stopped = stopped.wait_with_output().expect("it ends");
    let code = stopped.status.code();
    assert!(matches!(code, Some(3 | 4)), "{code:?} {}", told(&stopped));
    assert!(job.scenario.target() == target, "{}", told(&stopped));
    finish(&job.scenario);
    assert_eq!(job.scenario.digest(), uninterrupted_run());
}

#[test]
fn who_is_stopped_in_a_chunk_loses_it_with_the_lease_although_nobody_may_end_the_session() {
    let lock = "LOCK TABLE run_partition IN EXCLUSIVE MODE";
    taken_over_from_a_holder_stopped_during("UPDATE run_partition", lock);
}

#[test]
fn who_is_stopped_while_an_index_is_built_loses_it_with_the_lease_although_nobody_may_end_the_session()
 {
    let lock = "LOCK TABLE pin IN ROW EXCLUSIVE MODE";
    taken_over_from_a_holder_stopped_during("CREATE", lock);
}
