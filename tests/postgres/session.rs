//! Sessions, copies, and what goes wrong with them.

use std::{
    io::Write as _,
    net::TcpListener,
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

use pinferry::{
    exit::Exit,
    postgres::{Limits, PostgresError, Session, Trouble},
};
use sqlx::{Arguments as _, Row as _, postgres::PgArguments};

use crate::server::{Database, Server, parsed};

fn none() -> PgArguments {
    PgArguments::default()
}

fn setting(session: &mut Session, name: &str) -> String {
    let sql = format!("SHOW {name}");
    let rows = session.rows("looking", &sql, none()).expect("a row");
    rows[0].get(0)
}

/// The error, which has a hint and names neither secrets nor rows.
fn refused<T>(outcome: Result<T, PostgresError>) -> PostgresError {
    let Err(error) = outcome else {
        panic!("this should have failed");
    };
    let text = format!("{error} {error:?}");
    for secret in ["s3cret", "RSSMRA"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(error.hint().is_some());
    error
}

fn limits(statement: Duration) -> Limits {
    Limits {
        statement,
        lock: Duration::from_millis(200),
        ..Limits::READING
    }
}

#[test]
fn a_session_says_who_it_is_and_trusts_no_default() {
    let database = Database::new();
    database.batch(&format!(
        "ALTER DATABASE {} SET timezone = 'Europe/Rome';
         ALTER DATABASE {0} SET datestyle = 'German';
         ALTER DATABASE {0} SET row_security = on;
         ALTER DATABASE {0} SET standard_conforming_strings = off;",
        database.name
    ));
    let limits = limits(Duration::from_secs(7));
    let mut session = Session::connect(&database.settings(), "lease", &limits).expect("a session");
    for (name, value) in [
        ("application_name", "pinferry lease"),
        ("timezone", "UTC"),
        ("datestyle", "ISO, MDY"),
        ("row_security", "off"),
        ("standard_conforming_strings", "on"),
        ("client_encoding", "UTF8"),
        ("statement_timeout", "7s"),
        ("lock_timeout", "200ms"),
        ("idle_in_transaction_session_timeout", "10min"),
    ] {
        assert_eq!(setting(&mut session, name), value, "{name}");
    }
    assert!(session.place().starts_with("postgres://postgres@"));
}

#[test]
fn statements_take_arguments_and_say_how_many_rows_they_changed() {
    let database = Database::new();
    let mut session = database.session();
    let doing = "trying";
    session
        .batch(
            doing,
            "CREATE TEMP TABLE t (a bigint, b text); INSERT INTO t VALUES (1, 'x'), (2, 'è')",
        )
        .expect("two statements");
    let mut arguments = none();
    arguments.add("y").expect("an argument");
    arguments.add(1_i64).expect("an argument");
    let changed = session.execute(doing, "UPDATE t SET b = $1 WHERE a >= $2", arguments);
    assert_eq!(changed.expect("changed"), 2);
    let rows = session.rows(doing, "SELECT a, b FROM t ORDER BY a", none());
    let rows = rows.expect("rows");
    let found: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(found, [(1, "y".to_owned()), (2, "y".to_owned())]);
}

#[test]
fn a_session_works_inside_another_runtime() {
    let database = Database::new();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut session = database.session();
        assert_eq!(setting(&mut session, "timezone"), "UTC");
    });
}

#[test]
fn what_is_copied_in_comes_out_again() {
    let database = Database::new();
    let mut session = database.session();
    let doing = "copying";
    session
        .batch(doing, "CREATE TEMP TABLE t (a bigint, b text)")
        .expect("a table");
    let rows: String = (0..50_000)
        .map(|n| format!("{n}\t{}\n", "x".repeat(20)))
        .collect();
    let mut copy = session.copy_in(doing, "COPY t FROM STDIN").expect("a copy");
    for chunk in rows.as_bytes().chunks(300_001) {
        copy.send(chunk).expect("sent");
    }
    assert_eq!(copy.finish().expect("taken"), 50_000);

    let (mut out, mut chunks) = (Vec::new(), 0);
    let each = &mut |chunk: &mut Vec<u8>| {
        out.append(chunk);
        chunks += 1;
        ControlFlow::Continue(())
    };
    session
        .copy_out(doing, "COPY t TO STDOUT", each)
        .expect("copied");
    assert_eq!(out, rows.as_bytes());
    assert!(chunks < 10, "{chunks} chunks");
    assert_eq!(setting(&mut session, "timezone"), "UTC");
}

#[test]
fn a_copy_that_is_not_wanted_to_its_end_takes_the_connection_with_it() {
    let database = Database::new();
    let mut session = database.session();
    let endless = "COPY (SELECT generate_series(1, 1000000000)) TO STDOUT";
    let begun = Instant::now();
    session
        .copy_out("reading", endless, &mut |_| ControlFlow::Break(()))
        .expect("enough");
    assert!(!session.is_standing());
    let error = refused(session.batch("going on", "SELECT 1"));
    assert_eq!(error.trouble(), Trouble::Lost);
    drop(session);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn an_aborted_copy_leaves_nothing_and_the_session_goes_on() {
    let database = Database::new();
    let mut session = database.session();
    let doing = "copying";
    session
        .batch(doing, "CREATE TABLE t (a bigint)")
        .expect("a table");
    let mut copy = session.copy_in(doing, "COPY t FROM STDIN").expect("a copy");
    copy.send(b"1\n").expect("sent");
    copy.abort().expect("undone");
    assert_eq!(database.text("SELECT count(*)::text FROM t"), "0");
    session.batch(doing, "SELECT 1").expect("it goes on");

    let mut copy = session.copy_in(doing, "COPY t FROM STDIN").expect("a copy");
    copy.send(b"1\n").expect("sent");
    drop(copy);
    assert!(!session.is_standing());
    refused(session.batch(doing, "SELECT 1"));
    drop(session);
    assert_eq!(database.text("SELECT count(*)::text FROM t"), "0");
}

#[test]
fn refusals_are_told_apart_and_quote_no_row() {
    let database = Database::new();
    database.batch(
        "CREATE TABLE t (code text PRIMARY KEY CHECK (code <> 'no'), born date);
         INSERT INTO t VALUES ('RSSMRA80A01H501U');
         CREATE ROLE stranger LOGIN;",
    );
    let mut session = database.session();
    for (sql, trouble, sqlstate) in [
        (
            "INSERT INTO t VALUES ('RSSMRA80A01H501U')",
            Trouble::Constraint,
            "23505",
        ),
        ("INSERT INTO t VALUES ('no')", Trouble::Constraint, "23514"),
        (
            "INSERT INTO t VALUES ('x', 'RSSMRA80A01H501U')",
            Trouble::BadValue,
            "22007",
        ),
        (
            "DO $$BEGIN RAISE 'RSSMRA80A01H501U'; END$$",
            Trouble::Other,
            "P0001",
        ),
        ("SELECT * FROM absent", Trouble::Missing, "42P01"),
        (
            "SET TRANSACTION READ ONLY; DELETE FROM t",
            Trouble::ReadOnly,
            "25006",
        ),
        (
            "SET ROLE stranger; SELECT * FROM t",
            Trouble::PermissionDenied,
            "42501",
        ),
    ] {
        let error = refused(session.batch("trying", sql));
        assert_eq!(error.trouble(), trouble, "{sql}: {error}");
        assert_eq!(error.sqlstate(), Some(sqlstate));
        assert_eq!(error.exit(), Exit::Failed);
        assert!(session.is_standing());
    }
    let mut copy = database.session();
    let mut copy = copy
        .copy_in("copying", "COPY t (code) FROM STDIN")
        .expect("a copy");
    copy.send(b"RSSMRA80A01H501U\n").expect("sent");
    let error = refused(copy.finish());
    assert_eq!(error.constraint(), Some("t_pkey"));
    database.batch("DROP ROLE stranger");
}

#[test]
fn waits_for_statements_and_locks_have_limits() {
    let database = Database::new();
    database.batch("CREATE TABLE t (a int)");
    let mut holder = database.session();
    holder
        .batch("holding", "BEGIN; LOCK TABLE t")
        .expect("a lock");
    let limits = limits(Duration::from_millis(500));
    let mut session = Session::connect(&database.settings(), "test", &limits).expect("a session");
    let error = refused(session.batch("locking", "SELECT 1 FROM t"));
    assert_eq!(error.trouble(), Trouble::LockTimeout);
    let error = refused(session.batch("sleeping", "SELECT pg_sleep(60)"));
    assert_eq!(error.trouble(), Trouble::Cancelled);
    session.batch("going on", "SELECT 1").expect("it goes on");
}

#[test]
fn a_server_that_falls_silent_is_given_up() {
    let database = Database::new();
    let limits = Limits {
        silence: Duration::from_millis(500),
        ..Limits::READING
    };
    let mut session = Session::connect(&database.settings(), "test", &limits).expect("a session");
    let begun = Instant::now();
    let slow = "COPY (SELECT pg_sleep(30)) TO STDOUT";
    let error = refused(session.copy_out("reading", slow, &mut |_| ControlFlow::Continue(())));
    assert_eq!(error.trouble(), Trouble::Lost);
    assert!(
        error.to_string().contains("no answer for 1 seconds"),
        "{error}"
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_session_that_is_terminated_is_lost() {
    let database = Database::new();
    let mut session = database.session();
    database.batch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    let error = refused(session.batch("going on", "SELECT 1"));
    assert_eq!(error.trouble(), Trouble::Lost, "{error:?}");
    assert!(!session.is_standing());
}

#[test]
fn a_server_that_crashes_while_it_is_read_is_lost() {
    let server = Server::private();
    let settings = parsed(&server.url("postgres", "postgres"));
    let connect = || Session::connect(&settings, "test", &Limits::READING);
    let mut session = connect().expect("a session");
    let endless = "COPY (SELECT generate_series(1, 1000000000)) TO STDOUT";
    let mut chunks = 0;
    let outcome = session.copy_out("reading", endless, &mut |_| {
        chunks += 1;
        if chunks == 3 {
            server.stop("immediate");
        }
        ControlFlow::Continue(())
    });
    assert_eq!(refused(outcome).trouble(), Trouble::Lost);
    let error = refused(connect());
    assert_eq!(error.trouble(), Trouble::Unreachable);
    server.restart();
    connect().expect("a session again");
}

#[test]
fn whoever_cannot_come_in_is_told_why() {
    let database = Database::new();
    let server = database.server();
    let role = format!("r_{}", database.name);
    database.batch(&format!("CREATE ROLE {role} LOGIN PASSWORD 'right'"));
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = free.local_addr().expect("an address").port();
    let connect = |url: &str| {
        let limits = Limits {
            connect: Duration::from_millis(1500),
            ..Limits::READING
        };
        Session::connect(&parsed(url), "test", &limits)
    };
    connect(&server.tcp_url(&role, "right", &database.name)).expect("a session");
    for (url, trouble) in [
        (
            server.tcp_url(&role, "s3cret", &database.name),
            Trouble::NotAdmitted,
        ),
        (
            server.tcp_url("nobody_at_all", "s3cret", &database.name),
            Trouble::NotAdmitted,
        ),
        (
            server
                .tcp_url(&role, "right", "s3cret_absent")
                .replace("s3cret_", ""),
            Trouble::NoDatabase,
        ),
        (
            server
                .tcp_url(&role, "right", "x")
                .replace("disable", "require"),
            Trouble::Encryption,
        ),
        (
            "postgres://anna:s3cret@127.0.0.1:1/pin".to_owned(),
            Trouble::Unreachable,
        ),
        (
            format!("postgres://anna:s3cret@127.0.0.1:{silent}/pin"),
            Trouble::Unreachable,
        ),
        (
            "postgres://anna:s3cret@/pin?host=/nowhere".to_owned(),
            Trouble::Unreachable,
        ),
    ] {
        let error = refused(connect(&url));
        assert_eq!(error.trouble(), trouble, "{error:?}");
        assert_eq!(error.exit(), Exit::Usage);
    }
    database.batch(&format!("DROP ROLE {role}"));
}

#[test]
fn something_else_that_listens_is_no_server() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let other = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody");
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").ok();
    });
    let settings = parsed(&format!("postgres://anna:s3cret@127.0.0.1:{port}/pin"));
    let error = refused(Session::connect(&settings, "test", &Limits::READING));
    assert_eq!(error.trouble(), Trouble::Unreachable, "{error:?}");
    other.join().expect("it listened");
}
