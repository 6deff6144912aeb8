//! The whole job into PostgreSQL on real volumes, beside baselines run in turn with it on the same server.
//!
//! `cargo bench --bench postgres -- [--records N] [--runs N] [--only run|naive|script|merge]`
//!
//! The floor is what no migration can beat: the very rows of a finished run by raw binary COPY into the same bare
//! tables, on two connections, then the same indexes, keys and foreign keys, on two connections; it neither
//! reads, judges, verifies nor can be resumed. The naive way inserts the same PINs row by row. The script does
//! the program's job from a legacy table in the same server. A server of the benchmark's own is started from
//! the installed binaries, with fsync and full-page writes on. Each figure is the median of `--runs` runs.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

mod measure;
#[path = "postgres/merge.rs"]
mod merge;
#[path = "postgres/script.rs"]
mod script;
#[path = "measure/server.rs"]
mod server;

use std::{
    fs,
    path::{Path, PathBuf},
    thread,
    time::Instant,
};

use measure::{Figure, Options, generate, measure, options, pinferry, ratio, report};
use server::Server;

/// The tables of the load, by connection, so that both have about as many bytes.
const TABLES: [&[&str]; 2] = [
    &["pin", "finding", "delegation"],
    &["profile_grant", "person", "fiscal_code", "quarantine"],
];
/// What their foreign keys refer to.
const CONTEXT: [&str; 4] = ["run", "profile", "service", "profile_service"];

fn main() {
    let options = options(2_000_000);
    let folder = tempfile::tempdir().expect("a folder for the data");
    let csv = folder.path().join("legacy.csv");
    println!("{} records, median of {}", options.records, options.runs);
    generate(&options, 7, &csv);
    let server = Server::start();
    let bench = Bench {
        folder: folder.path().to_owned(),
        server,
        rows: folder.path().join("rows"),
    };
    if options.wanted("run") || options.wanted("naive") {
        bench.measure(&csv, &options);
    }
    if options.wanted("script") {
        bench.script(&csv, &options);
    }
    if options.wanted("merge") {
        bench.merge(&csv, &options);
    }
}

struct Bench {
    folder: PathBuf,
    server: Server,
    /// Where the server writes the final rows to.
    rows: PathBuf,
}

impl Bench {
    fn measure(&self, csv: &Path, options: &Options) {
        let (mut runs, mut floors) = (Vec::new(), Vec::new());
        for turn in 0..options.runs {
            runs.push(self.migrate(csv));
            if turn == 0 {
                self.export(&[TABLES[0], TABLES[1], &CONTEXT].concat());
            }
            if options.wanted("run") {
                floors.push(self.floor());
            }
        }
        report("run, CSV to PostgreSQL, verified", &runs, options.records);
        if options.wanted("run") {
            report("floor: COPY, indexes and keys", &floors, options.records);
            ratio("run / floor", &runs, &floors);
        }
        if options.wanted("naive") {
            report("naive: 100 000 PINs one by one", &[self.naive()], 100_000);
        }
    }

    fn migrate(&self, csv: &Path) -> Figure {
        self.run(&format!("url = \"csv://{}\"\n", csv.display()))
    }

    /// The whole job; `source` ends the table of the source, and may go on with others.
    fn run(&self, source: &str) -> Figure {
        self.server.recreate("target");
        let file = self.folder.join("pinferry.toml");
        let text = format!(
            "[target]\nurl = \"{}\"\n[[source]]\nname = \"legacy\"\n{source}\
             [rules]\nas_of = \"2013-11-03\"\n[run]\nmax_quarantine_ratio = 1.0\nwork_dir = \"{}\"\n",
            self.server.url("target"),
            self.folder.join("work").display(),
        );
        fs::write(&file, text).expect("the configuration is written");
        measure(pinferry(&file).arg("run"), &[0, 3])
    }

    /// The final rows of these tables, as the server writes them for COPY.
    fn export(&self, tables: &[&str]) {
        fs::create_dir_all(&self.rows).expect("a folder for the rows");
        self.server.give(&self.rows);
        self.server.give(&self.folder);
        for table in tables {
            let file = self.rows.join(table);
            let copy = format!("COPY {table} TO '{}' (FORMAT binary)", file.display());
            self.server.psql("target", &copy);
        }
    }

    fn floor(&self) -> Figure {
        self.server.recreate("floor");
        self.server.psql("floor", &migration("0001_model.sql"));
        for table in CONTEXT {
            self.server.psql("floor", &self.copy(table));
        }
        let begun = Instant::now();
        self.at_once(TABLES.map(|tables| tables.iter().map(|table| self.copy(table)).collect()));
        self.at_once(halves(&indexes()));
        self.server.psql("floor", &migration("keys.sql"));
        self.at_once(halves(&validations()));
        Figure {
            wall: begun.elapsed(),
            peak_kib: None,
        }
    }

    fn copy(&self, table: &str) -> String {
        format!(
            "COPY {table} FROM '{}' (FORMAT binary);",
            self.rows.join(table).display()
        )
    }

    /// Two connections, each with its statements.
    fn at_once(&self, lists: [String; 2]) {
        thread::scope(|scope| {
            for list in &lists {
                scope.spawn(|| self.server.psql("floor", list));
            }
        });
    }

    fn naive(&self) -> Figure {
        let insert = "DO $$ DECLARE one pin; BEGIN
                FOR one IN SELECT * FROM pin LIMIT 100000 LOOP
                    one.pin_id := one.pin_id + 100000000; one.source := 'naive'; one.superseded_by := NULL;
                    one.status := 'revoked';
                    INSERT INTO pin VALUES (one.*);
                END LOOP; END $$";
        let begun = Instant::now();
        self.server.psql("target", insert);
        Figure {
            wall: begun.elapsed(),
            peak_kib: None,
        }
    }
}

/// The list in its order, by turns.
fn halves(list: &[String]) -> [String; 2] {
    [0, 1].map(|first| list.iter().skip(first).step_by(2).cloned().collect())
}

fn migration(file: &str) -> String {
    read(&format!("migrations/postgres/{file}"))
}

/// A file of the repository.
fn read(path: &str) -> String {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(repository.join(path)).expect("a file of the repository")
}

fn indexes() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres/index");
    let entries = fs::read_dir(folder).expect("the index folder");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let read = |file| fs::read_to_string(file).expect("an index script");
    files.iter().map(read).collect()
}

/// The foreign keys that `keys.sql` adds without looking at the rows.
fn validations() -> Vec<String> {
    let keys = migration("keys.sql");
    let added = keys
        .split(';')
        .filter(|statement| statement.contains("NOT VALID"));
    added
        .map(|statement| {
            let words: Vec<_> = statement.split_whitespace().collect();
            format!("ALTER TABLE {} VALIDATE CONSTRAINT {};", words[2], words[5])
        })
        .collect()
}
