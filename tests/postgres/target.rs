//! A target in PostgreSQL: what it takes of the server.

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
fn whoever_builds_indexes_has_the_hours_they_take_the_first_hand_included() {
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
        assert_eq!(seen, "12h 12h 13", "{workers} workers");
    }
}
