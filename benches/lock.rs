//! Locking a legacy in PostgreSQL while two hundred connections write to it.
//!
//! `cargo bench --bench lock -- [--runs N]`
//!
//! Every connection changes rows of its own without a pause, half of them in REPEATABLE READ, in transactions of
//! four statements. Told are how long `pinferry lock engage` and `pinferry lock release` took as whole processes,
//! the longest statement of any connection in the two seconds before and while they ran, and how long the server
//! kept a connection waiting for the table meanwhile, asked every five milliseconds. Nothing forbidden may be
//! committed once `engage` has returned.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

#[allow(
    dead_code,
    reason = "shared by test programs that use different parts of it"
)]
#[path = "../tests/postgres/server.rs"]
mod server;

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Barrier,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use pinferry::postgres::{Limits, Session};
use server::{Database, Server};
use sqlx::{Row as _, postgres::PgArguments};

const WRITERS: usize = 200;
const ROWS: usize = 200_000;
const BEFORE: Duration = Duration::from_secs(2);

/// How long a connection waits for the table; the program's own wait is not counted.
const QUEUE: &str = "
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart)) * 1e6, 0)::bigint
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE NOT l.granted AND l.locktype = 'relation' AND a.application_name = 'pinferry office'";

/// What is seen of the application, in microseconds; taken and set back from phase to phase.
#[derive(Default)]
struct Seen {
    statement: AtomicU64,
    queue: AtomicU64,
    stop: AtomicBool,
}

impl Seen {
    fn take(&self) -> [Duration; 2] {
        [&self.statement, &self.queue]
            .map(|longest| Duration::from_micros(longest.swap(0, Ordering::Relaxed)))
    }
}

fn main() {
    let server: &'static Server = Box::leak(Box::new(Server::private()));
    println!("{WRITERS} connections, {ROWS} rows, median of {}", runs());
    for mode in ["refuse", "divert"] {
        measure(server, mode);
    }
    server.stop("immediate");
}

fn runs() -> usize {
    let mut words = std::env::args().skip_while(|word| word != "--runs").skip(1);
    let runs = words
        .next()
        .map(|word| word.parse().expect("a number of runs"));
    runs.unwrap_or(5)
}

fn measure(server: &'static Server, mode: &str) {
    let database = Database::on(server, "");
    database.batch(&format!(
        "CREATE TABLE pin_legacy (id text PRIMARY KEY, codice_fiscale text, cognome text, nome text,
           data_nascita text, classe_utente text, codice_ente text, stato text, tipo_pin text, pin_hash text,
           algoritmo text, data_rilascio date, data_scadenza date, ultimo_accesso date, sede text, canale text,
           meta_consegnate integer, email text, telefono text, cf_tutore text, nota text) WITH (fillfactor = 70);
         INSERT INTO pin_legacy (id, codice_fiscale, cognome, nome, classe_utente, stato, tipo_pin, pin_hash,
                                 algoritmo, data_rilascio)
         SELECT n, 'CF' || n, 'Rossi', 'x', 'CIT', 'A', 'ORD', md5(n::text), 'SHA256', '2012-01-01'
           FROM generate_series(1, {ROWS}) n;
         ANALYZE pin_legacy"
    ));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pinferry.toml");
    let configuration = format!(
        "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"{}\"\n\
         table = \"pin_legacy\"\n[lock]\nmode = \"{mode}\"\n",
        database.url()
    );
    fs::write(&file, configuration).expect("the configuration is written");
    let (seen, begun) = (Seen::default(), Barrier::new(WRITERS + 2));
    thread::scope(|scope| {
        for number in 0..WRITERS {
            let (database, seen, begun) = (&database, &seen, &begun);
            scope.spawn(move || write(database, number, seen, begun));
        }
        scope.spawn(|| watch(&database, &seen, &begun));
        begun.wait();
        let (mut engaged, mut released) = (Vec::new(), Vec::new());
        for _ in 0..runs() {
            thread::sleep(BEFORE);
            let [before, _] = seen.take();
            engaged.push((
                before,
                phase(&file, &["lock", "engage", "--reason", "benchmark"], &seen),
            ));
            assert_eq!(
                forbidden(&database),
                forbidden(&database),
                "a write after the lock"
            );
            thread::sleep(BEFORE);
            let [before, _] = seen.take();
            released.push((
                before,
                phase(&file, &["lock", "release", "--hand-back"], &seen),
            ));
        }
        seen.stop.store(true, Ordering::Relaxed);
        tell(&format!("{mode}: lock engage"), &engaged);
        tell(&format!("{mode}: lock release"), &released);
    });
}

/// The longest statement before, and: whole time, longest statement, longest wait for the table.
type Phase = (Duration, [Duration; 3]);

fn phase(file: &Path, arguments: &[&str], seen: &Seen) -> [Duration; 3] {
    let begun = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_pinferry"))
        .arg("--config")
        .arg(file)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("pinferry starts");
    let took = begun.elapsed();
    assert!(status.success(), "{arguments:?} ended with {status}");
    let [statement, queue] = seen.take();
    [took, statement, queue]
}

/// What only writes that are forbidden change.
fn forbidden(database: &Database) -> String {
    database.text("SELECT (count(*) || ' ' || sum(length(nome)))::text FROM pin_legacy")
}

fn tell(what: &str, phases: &[Phase]) {
    let column = |value: &dyn Fn(&Phase) -> Duration| {
        let mut values: Vec<_> = phases.iter().map(value).collect();
        values.sort();
        let secs = |at: usize| values[at].as_secs_f64();
        (secs(values.len() / 2), secs(0), secs(values.len() - 1))
    };
    let (took, least, most) = column(&|phase| phase.1[0]);
    println!("{what:<22} {took:>6.2} s  ({least:.2} to {most:.2})");
    for (name, value) in [
        (
            "longest statement before",
            &(|phase: &Phase| phase.0) as &dyn Fn(&Phase) -> Duration,
        ),
        ("longest statement meanwhile", &|phase: &Phase| phase.1[1]),
        ("longest wait for the table", &|phase: &Phase| phase.1[2]),
    ] {
        let (median, least, most) = column(value);
        println!("  {name:<28} {median:>6.3} s  ({least:.3} to {most:.3})");
    }
}

fn session(database: &Database) -> Session {
    Session::connect(&database.settings(), "office", &Limits::READING).expect("a session")
}

/// Writes what a lock forbids and what it lets through, until told to stop.
fn write(database: &Database, number: usize, seen: &Seen, begun: &Barrier) {
    let mut session = session(database);
    begun.wait();
    let isolation = ["READ COMMITTED", "REPEATABLE READ"][number % 2];
    let mut turn = 0;
    while !seen.stop.load(Ordering::Relaxed) {
        turn += 1;
        let own = 1 + (number + turn * WRITERS) % ROWS;
        for statement in [
            format!("BEGIN ISOLATION LEVEL {isolation}"),
            format!("SELECT stato FROM pin_legacy WHERE id = '{own}'"),
            format!("UPDATE pin_legacy SET nota = '{turn}' WHERE id = '{own}'"),
            format!("UPDATE pin_legacy SET nome = nome || 'x' WHERE id = '{own}'"),
            "COMMIT".to_owned(),
        ] {
            let asked = Instant::now();
            let done = session.batch("writing", &statement);
            let took = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
            seen.statement.fetch_max(took, Ordering::Relaxed);
            if done.is_err() {
                session
                    .batch("going back", "ROLLBACK")
                    .expect("a session that stands");
                break;
            }
        }
    }
}

/// Asks the server how long connections wait for the table.
fn watch(database: &Database, seen: &Seen, begun: &Barrier) {
    let mut session =
        Session::connect(&database.settings(), "watch", &Limits::READING).expect("a session");
    begun.wait();
    while !seen.stop.load(Ordering::Relaxed) {
        let rows = session.rows("watching", QUEUE, PgArguments::default());
        let micros: i64 = rows.expect("an answer")[0].get(0);
        seen.queue
            .fetch_max(micros.unsigned_abs(), Ordering::Relaxed);
        thread::sleep(Duration::from_millis(5));
    }
}
