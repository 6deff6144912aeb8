//! A target in PostgreSQL: what it takes of the server, and whom the program gives way to.

use std::{fs, num::NonZeroU16, process::Output};

use assert_cmd::Command;
use pinferry::sample::{self, SampleFormat, SampleOptions};
use tempfile::TempDir;

use crate::server::{Database, SUPERUSER};

const RECORDS: SampleOptions = SampleOptions {
    records: 60,
    seed: 3,
    dirty: 0.0,
    format: SampleFormat::Csv,
    sources: NonZeroU16::MIN,
    source: 0,
};

/// What is in the schema, with its owners.
const EVERYTHING: &str = "SELECT relname || ' ' || relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace
     UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typnamespace = 'public'::regnamespace ORDER BY 1";

/// An extract on its way to a database, and a role whose name is an identifier only in quotes.
struct Job {
    folder: TempDir,
    database: Database,
    role: String,
}

impl Job {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        sample::generate(&RECORDS, &folder.path().join("inps.csv")).expect("an extract");
        let database = Database::new();
        let role = format!("r-{}", database.name);
        database.batch(&format!("CREATE ROLE \"{role}\" LOGIN"));
        Self {
            folder,
            database,
            role,
        }
    }

    /// Runs a command as this role.
    fn run(&self, role: &str, arguments: &[&str]) -> Output {
        let url = self.database.server().url(role, &self.database.name);
        let text = format!(
            "[target]\nurl = \"{url}\"\n[[source]]\nname = \"inps\"\nurl = \"csv://inps.csv\"\n\
             [rules]\nas_of = \"2013-11-03\"\n[run]\nmax_quarantine_ratio = 1\n"
        );
        fs::write(self.folder.path().join("pinferry.toml"), text).expect("a configuration");
        Command::new(env!("CARGO_BIN_EXE_pinferry"))
            .args(arguments)
            .current_dir(self.folder.path())
            .output()
            .expect("it runs")
    }

    /// That the run is refused and changes nothing; what it says.
    fn refused(&self) -> String {
        let before = self.database.text(EVERYTHING);
        let output = self.run(&self.role, &["run"]);
        let text = told(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert_eq!(self.database.text(EVERYTHING), before, "{text}");
        text
    }

    /// That the run is refused with this statement, and goes on when the owner has typed it.
    fn wants(&self, statement: &str) {
        let text = self.refused();
        assert!(text.contains(&format!("type: {statement}")), "{text}");
        self.database.batch(statement);
    }

    fn succeeds(&self, role: &str, arguments: &[&str]) {
        let output = self.run(role, arguments);
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{arguments:?}: {}",
            told(&output)
        );
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let role = &self.role;
        self.database.batch(&format!(
            "DROP OWNED BY \"{role}\" CASCADE; DROP ROLE \"{role}\""
        ));
    }
}

fn told(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

#[test]
fn whoever_builds_indexes_has_the_hours_they_take_within_a_lease_of_every_word_the_first_hand_included()
 {
    for workers in ["1", "2"] {
        let job = Job::new();
        job.database.batch(
            "CREATE SCHEMA seen;
             CREATE TABLE seen.limits (statement text, idle text);
             CREATE FUNCTION seen.look() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
                 IF current_setting('application_name') LIKE 'pinferry run %' THEN
                     INSERT INTO seen.limits VALUES (current_setting('statement_timeout'),
                         current_setting('idle_in_transaction_session_timeout'));
                 END IF; END $$;
             CREATE EVENT TRIGGER look ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION seen.look()",
        );
        job.succeeds(SUPERUSER, &["run", "--workers", workers]);
        let seen = job.database.text(
            "SELECT statement || ' ' || idle || ' ' || count(*) FROM seen.limits GROUP BY statement, idle",
        );
        assert_eq!(seen, "12h 30s 13", "{workers} workers");
    }
}

#[test]
fn a_role_that_may_not_write_is_told_the_statement_that_lets_it_and_the_run_then_goes_on() {
    let job = Job::new();
    let role = format!("\"{}\"", job.role);
    job.database.batch("DROP SCHEMA public");
    let text = job.run(&job.role, &["run"]);
    assert_eq!(text.status.code(), Some(2), "{}", told(&text));
    assert!(
        told(&text).contains("no schema of its search_path exists"),
        "{}",
        told(&text)
    );
    job.database.batch("CREATE SCHEMA public");
    job.wants(&format!("GRANT USAGE, CREATE ON SCHEMA public TO {role};"));
    job.succeeds(&job.role, &["run"]);
}

#[test]
fn without_a_schema_the_statement_that_makes_one_is_what_the_role_is_told() {
    let job = Job::new();
    let role = &job.role;
    for (path, statement) in [
        (
            "\"$user\", \"Nuovo\"",
            format!("CREATE SCHEMA \"Nuovo\" AUTHORIZATION \"{role}\";"),
        ),
        (
            "\"$user\"",
            format!("CREATE SCHEMA \"{role}\" AUTHORIZATION \"{role}\";"),
        ),
    ] {
        job.database
            .batch(&format!("ALTER ROLE \"{role}\" SET search_path = {path}"));
        job.wants(&statement);
        job.succeeds(role, &["run"]);
        job.database
            .batch(&format!("DROP OWNED BY \"{role}\" CASCADE"));
    }
}

#[test]
fn tables_of_another_role_are_not_read_but_its_owner_is_asked_for_them() {
    let job = Job::new();
    let role = format!("\"{}\"", job.role);
    job.succeeds(SUPERUSER, &["run"]);
    let owner = format!("\"o-{}\"", job.database.name);
    job.database.batch(&format!(
        "CREATE ROLE {owner};
         DO $$ DECLARE name text; BEGIN
             FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
                 EXECUTE format('ALTER TABLE %I OWNER TO {owner}', name);
             END LOOP; END $$"
    ));
    let status = job.run(&job.role, &["status"]);
    let grant = format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};");
    assert_eq!(status.status.code(), Some(2), "{}", told(&status));
    assert!(told(&status).contains(&grant), "{}", told(&status));
    job.wants(&format!("GRANT {owner} TO {role};"));
    job.succeeds(&job.role, &["status"]);
    job.database
        .batch(&format!("DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}"));
}

#[test]
fn whatever_somebody_else_has_where_a_table_would_be_is_left_alone() {
    for (made, told) in [
        ("CREATE TYPE pin AS ENUM ('a')", "the type pin"),
        ("CREATE TYPE person AS (name text)", "the type person"),
        ("CREATE DOMAIN finding AS text", "the type finding"),
        ("CREATE SEQUENCE person", "the sequence person"),
        ("CREATE TABLE _sqlx_migrations (version bigint)", "the table _sqlx_migrations"),
        (
            "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text, installed_on timestamptz,
                 success boolean, checksum bytea, execution_time bigint);
             INSERT INTO _sqlx_migrations VALUES (20240101, 'theirs', now(), true, '', 0)",
            "the table _sqlx_migrations",
        ),
    ] {
        let job = Job::new();
        let role = &job.role;
        job.database.batch(&format!("GRANT CREATE ON SCHEMA public TO \"{role}\"; SET ROLE \"{role}\"; {made}"));
        let text = job.refused();
        assert!(
            text.contains("belongs to something else") && text.contains(told),
            "{text}"
        );
    }
}

#[test]
fn the_report_of_a_run_shows_what_the_dry_run_foretold_and_its_times_foretell_the_next() {
    let job = Job::new();
    let document = |folder: &str| -> serde_json::Value {
        let report = job.folder.path().join(folder).join("report.json");
        let report = fs::read_to_string(report).expect("a report");
        serde_json::from_str(&report).expect("JSON")
    };
    job.succeeds(SUPERUSER, &["plan", "--report", "before"]);
    job.succeeds(SUPERUSER, &["run"]);
    job.succeeds(SUPERUSER, &["report", "--to", "done"]);
    job.succeeds(SUPERUSER, &["plan", "--report", "after"]);
    let [before, done, after] = ["before", "done", "after"].map(document);
    for member in ["survey", "totals", "quarantine", "findings", "digest"] {
        assert_eq!(before[member], done[member], "{member}");
    }
    assert_eq!(before["forecast"]["measured_runs"], 0);
    assert_eq!(after["forecast"]["measured_runs"], 1);
    let (took, foretold) = (&done["took"], &after["forecast"]["stages"]);
    for stage in ["lock", "read", "load", "index", "verify", "cut_over"] {
        let (took, foretold) = (took[stage].as_f64(), foretold[stage]["likely"].as_f64());
        let apart = took.zip(foretold).map(|(took, foretold)| took - foretold);
        assert!(apart.is_some_and(|apart| apart.abs() < 0.002), "{stage}");
    }
}
