//! Locking a legacy in PostgreSQL while two hundred connections write to it.
//!
//! `cargo bench --bench lock -- [--runs N]`
//!
//! The connections are those of PostgreSQL's own `pgbench`, on the same cores as server and program. Each changes
//! rows without a pause, half of them in REPEATABLE READ, in transactions of one read, one write that a lock
//! lets through and one that it forbids. Told are how long `pinferry lock engage` and `pinferry lock release`
//! took as whole processes, and how long the server kept a connection waiting for the table meanwhile, asked every
//! five milliseconds. Nothing forbidden may be committed once `engage` has returned.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

#[allow(
    dead_code,
    reason = "shared by benchmarks that use different parts of it"
)]
mod measure;
#[path = "measure/server.rs"]
mod server;

use std::{
    fs,
    path::Path,
    process::{Child, Stdio},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use measure::{Figure, measure, options, pinferry};
use pinferry::{
    config::postgres::PostgresSettings,
    postgres::{Limits, Session},
};
use server::Server;
use sqlx::{Row as _, postgres::PgArguments};

const WRITERS: usize = 200;
const ROWS: u64 = 200_000;
const BETWEEN: Duration = Duration::from_secs(2);

/// How long a writer waits for the table, in microseconds.
const QUEUE: &str = "
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart)) * 1e6, 0)::bigint
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE NOT l.granted AND l.locktype = 'relation' AND a.application_name = 'pgbench'";

/// What only writes that are forbidden change.
const FORBIDDEN: &str = "SELECT sum(hashtext(nome)::bigint)::bigint FROM pin_legacy";

fn main() {
    let options = options(ROWS);
    let server = Server::start();
    println!(
        "{WRITERS} connections, {} rows, median of {}",
        options.records, options.runs
    );
    for mode in ["refuse", "divert"] {
        fill(&server, options.records);
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pinferry.toml");
        let configuration = format!(
            "[target]\nurl = \"sqlite://target.db\"\n[[source]]\nname = \"inps\"\nurl = \"{}\"\n\
             table = \"pin_legacy\"\n[lock]\nmode = \"{mode}\"\n",
            server.url("legacy")
        );
        fs::write(&file, configuration).expect("the configuration is written");
        let mut writers = writers(&server, folder.path(), options.records);
        measure_mode(&server, &file, mode, options.runs);
        let gave_up = writers.try_wait().expect("the process is ours");
        assert_eq!(gave_up, None, "the writers went on to the end");
        writers.kill().expect("the writers are ended");
        writers.wait().expect("the writers are ended");
    }
}

fn fill(server: &Server, rows: u64) {
    server.recreate("legacy");
    server.psql(
        "legacy",
        &format!(
            "CREATE TABLE pin_legacy (id text PRIMARY KEY, codice_fiscale text, cognome text, nome text,
               data_nascita text, classe_utente text, codice_ente text, stato text, tipo_pin text, pin_hash text,
               algoritmo text, data_rilascio date, data_scadenza date, ultimo_accesso date, sede text, canale text,
               meta_consegnate integer, email text, telefono text, cf_tutore text, nota text)
               WITH (fillfactor = 70);
             INSERT INTO pin_legacy (id, codice_fiscale, cognome, nome, classe_utente, stato, tipo_pin, pin_hash,
                                     algoritmo, data_rilascio)
             SELECT n, 'CF' || n, 'Rossi', 'x', 'CIT', 'A', 'ORD', md5(n::text), 'SHA256', '2012-01-01'
               FROM generate_series(1, {rows}) n;
             ANALYZE pin_legacy"
        ),
    );
}

/// Starts what writes as long as it lives.
fn writers(server: &Server, folder: &Path, rows: u64) -> Child {
    let mut command = server.program("pgbench");
    command.args(["-n", "-T", "86400", "-c", &WRITERS.to_string()]);
    for isolation in ["READ COMMITTED", "REPEATABLE READ"] {
        let script = folder.join(isolation);
        let transaction = format!(
            "\\set own random(1, {rows})\n\
             BEGIN ISOLATION LEVEL {isolation};\n\
             SELECT stato FROM pin_legacy WHERE id = (:own)::text;\n\
             UPDATE pin_legacy SET nota = 'x' WHERE id = (:own)::text;\n\
             DO $$BEGIN UPDATE pin_legacy SET nome = md5(random()::text) WHERE id = (:own)::text; \
             EXCEPTION WHEN SQLSTATE 'PF001' THEN NULL; END$$;\n\
             COMMIT;\n"
        );
        fs::write(&script, transaction).expect("a script");
        command.arg("-f").arg(script);
    }
    let silent = command.stdout(Stdio::null()).stderr(Stdio::null());
    silent.arg("legacy").spawn().expect("pgbench starts")
}

fn measure_mode(server: &Server, file: &Path, mode: &str, runs: usize) {
    let (longest, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        // Whatever fails here, the watcher is told to stop: the scope waits for it.
        let watched = Watched(&stop);
        scope.spawn(|| watch(server, &longest, &stop));
        let mut legacy = session(server);
        let timed = |arguments: &[&str]| {
            thread::sleep(BETWEEN);
            longest.store(0, Ordering::Relaxed);
            let figure = measure(pinferry(file).args(arguments), &[0]);
            (
                figure,
                Duration::from_micros(longest.load(Ordering::Relaxed)),
            )
        };
        let (mut engaged, mut released) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            engaged.push(timed(&["lock", "engage", "--reason", "benchmark"]));
            let locked = number(&mut legacy, FORBIDDEN);
            thread::sleep(BETWEEN);
            assert_eq!(
                number(&mut legacy, FORBIDDEN),
                locked,
                "a write after the lock"
            );
            released.push(timed(&["lock", "release", "--hand-back"]));
        }
        assert_ne!(number(&mut legacy, FORBIDDEN), 0, "nobody wrote");
        drop(watched);
        tell(&format!("{mode}: lock engage"), &engaged);
        tell(&format!("{mode}: lock release"), &released);
    });
}

/// Ends the watching when it is dropped.
struct Watched<'s>(&'s AtomicBool);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Asks the server how long writers wait for the table.
fn watch(server: &Server, longest: &AtomicU64, stop: &AtomicBool) {
    let mut session = session(server);
    while !stop.load(Ordering::Relaxed) {
        let micros = number(&mut session, QUEUE);
        longest.fetch_max(micros.unsigned_abs(), Ordering::Relaxed);
        thread::sleep(Duration::from_millis(5));
    }
}

fn session(server: &Server) -> Session {
    let settings =
        PostgresSettings::parse(&server.url("legacy"), Path::new("/")).expect("an address");
    Session::connect(&settings, "watch", &Limits::READING).expect("a session")
}

fn number(session: &mut Session, query: &str) -> i64 {
    let rows = session.rows("watching", query, PgArguments::default());
    rows.expect("an answer")[0].get(0)
}

fn tell(what: &str, figures: &[(Figure, Duration)]) {
    let column = |name: &str, value: &dyn Fn(&(Figure, Duration)) -> Duration| {
        let mut values: Vec<_> = figures.iter().map(value).collect();
        values.sort();
        let secs = |at: usize| values[at].as_secs_f64();
        println!(
            "{name:<34} {:>7.2} s  ({:.2} to {:.2})",
            secs(values.len() / 2),
            secs(0),
            secs(values.len() - 1)
        );
    };
    column(what, &|(figure, _)| figure.wall);
    column("  longest wait for the table", &|(_, wait)| *wait);
}
