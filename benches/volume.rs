//! The whole job on real volumes, beside a baseline run in turn with it.
//!
//! `cargo bench --bench volume -- [--records N] [--runs N] [--only plan|run|legacy]`
//!
//! The baseline is the sqlite3 shell importing the very rows of a finished run from CSV files into the same
//! tables and building the same indexes. The shell imports NULL as empty text, so the baseline's tables go
//! without STRICT and without the checks that tell the two apart, which only makes it faster. Each figure is the
//! median of `--runs` runs, pinferry and baseline in turn; memory is the peak resident set of the process. Beside
//! `plan` the same file is parsed by the `csv` crate alone, on one thread.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

mod measure;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use measure::{Figure, Options, generate, measure, options, pinferry, ratio, report};

const TABLES: [&str; 7] = [
    "person",
    "fiscal_code",
    "pin",
    "profile_grant",
    "delegation",
    "quarantine",
    "finding",
];

fn main() {
    let options = options(2_000_000);
    let folder = tempfile::tempdir().expect("a folder for the data");
    let folder = folder.path();
    let csv = folder.join("legacy.csv");
    let legacy = folder.join("database.db");
    println!("{} records, median of {}", options.records, options.runs);
    generate(&options, 7, &csv);

    if options.wanted("plan") {
        compare_plan(folder, &csv, &options);
    }
    if options.wanted("legacy") {
        generate(&options, 7, &legacy);
        let plans = repeat(options.runs, || plan(folder, "sqlite", &legacy));
        report("plan, SQLite legacy", &plans, options.records);
    }
    if options.wanted("run") {
        compare_run(folder, &csv, &options);
    }
}

/// `plan` and the mere parsing of the same file in turn, and the ratio pair by pair.
fn compare_plan(folder: &Path, csv: &Path, options: &Options) {
    let (mut plans, mut parses) = (Vec::new(), Vec::new());
    for _ in 0..options.runs {
        plans.push(plan(folder, "csv", csv));
        parses.push(parse(csv, options.records));
    }
    report("plan, CSV", &plans, options.records);
    report("baseline: the csv crate alone", &parses, options.records);
    ratio("plan / baseline", &plans, &parses);
}

/// What shows how fast the machine is: every record parsed on one thread, and nothing done with it.
fn parse(csv: &Path, records: u64) -> Figure {
    let begun = Instant::now();
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(b';')
        .flexible(true)
        .from_path(csv)
        .expect("the extract");
    let (mut record, mut parsed) = (csv::ByteRecord::new(), 0);
    while reader.read_byte_record(&mut record).expect("a record") {
        parsed += 1;
    }
    assert_eq!(parsed, records, "every record is parsed");
    Figure {
        wall: begun.elapsed(),
        peak_kib: None,
    }
}

/// `run` and baseline in turn, and the ratio pair by pair.
fn compare_run(folder: &Path, csv: &Path, options: &Options) {
    let target = folder.join("target.db");
    let mut runs = Vec::new();
    let mut baselines = Vec::new();
    for turn in 0..options.runs {
        remove_database(&target);
        let run = migrate(folder, csv, &target);
        if turn == 0 {
            export(folder, &target);
        }
        let baseline = import(folder);
        runs.push(run);
        baselines.push(baseline);
    }
    report("run, CSV to SQLite, verified", &runs, options.records);
    report(
        "baseline: sqlite3 shell import",
        &baselines,
        options.records,
    );
    ratio("run / baseline", &runs, &baselines);
}

fn plan(folder: &Path, scheme: &str, source: &Path) -> Figure {
    let file = configuration(folder, scheme, source, &folder.join("plan-target.db"));
    measure(pinferry(&file).arg("plan"), &[0, 3])
}

fn migrate(folder: &Path, csv: &Path, target: &Path) -> Figure {
    let file = configuration(folder, "csv", csv, target);
    measure(pinferry(&file).arg("run"), &[0, 3])
}

fn configuration(folder: &Path, scheme: &str, source: &Path, target: &Path) -> PathBuf {
    let file = folder.join("pinferry.toml");
    let text = format!(
        "[target]\nurl = \"sqlite://{}\"\n[[source]]\nname = \"legacy\"\nurl = \"{scheme}://{}\"\n\
         {}[rules]\nas_of = \"2013-11-03\"\n[run]\nmax_quarantine_ratio = 1.0\nwork_dir = \"{}\"\n",
        target.display(),
        source.display(),
        if scheme == "sqlite" {
            "table = \"pin_legacy\"\n"
        } else {
            ""
        },
        folder.join("work").display(),
    );
    fs::write(&file, text).expect("the configuration is written");
    file
}

/// The final rows as CSV, once.
fn export(folder: &Path, target: &Path) {
    for table in TABLES {
        let out = folder.join(format!("{table}.csv"));
        let script = format!(
            ".mode csv\n.once {}\nSELECT * FROM {table};\n",
            out.display()
        );
        shell(target, &script);
    }
}

/// The baseline.
fn import(folder: &Path) -> Figure {
    let database = folder.join("baseline.db");
    remove_database(&database);
    let mut script = loosened_tables();
    for table in TABLES {
        let file = folder.join(format!("{table}.csv"));
        script += &format!(".import --csv {} {table}\n", file.display());
    }
    script += &index_script();
    let script_file = folder.join("baseline.sql");
    fs::write(&script_file, script).expect("the script is written");
    measure(
        Command::new("sqlite3")
            .arg(&database)
            .arg(format!(".read {}", script_file.display())),
        &[0],
    )
}

fn loosened_tables() -> String {
    let tables = include_str!("../migrations/sqlite/0001_model.sql");
    tables
        .lines()
        .map(|line| {
            let line = line.replace(") STRICT, WITHOUT ROWID", ") WITHOUT ROWID");
            let line = line.replace(") STRICT", ")");
            let about_null = ["<> '')", "length(", "superseded_by IS NULL"];
            match line.find("CHECK (") {
                Some(at) if about_null.iter().any(|part| line.contains(part)) => {
                    let column = line[..at].trim();
                    let comma = if column.is_empty() || !line.ends_with(',') {
                        ""
                    } else {
                        ","
                    };
                    format!("{column}{comma}\n")
                }
                _ => line + "\n",
            }
        })
        .collect()
}

fn index_script() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite/index");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the index folder")
        .map(|entry| entry.expect("an index file").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| fs::read_to_string(file).expect("an index script"))
        .map(|script| script.replace("superseded_by IS NOT NULL", "superseded_by <> ''"))
        .collect()
}

fn shell(database: &Path, script: &str) {
    let file = database.with_extension("script");
    fs::write(&file, script).expect("the script is written");
    let status = Command::new("sqlite3")
        .arg(database)
        .arg(format!(".read {}", file.display()))
        .status()
        .expect("sqlite3 starts: install Debian's package sqlite3");
    assert!(status.success(), "sqlite3 failed");
}

fn remove_database(path: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        if let Err(error) = fs::remove_file(&name) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
        }
    }
}

fn repeat(runs: usize, mut once: impl FnMut() -> Figure) -> Vec<Figure> {
    (0..runs).map(|_| once()).collect()
}
