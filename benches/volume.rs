//! The whole job on real volumes, beside a baseline run in turn with it.
//!
//! `cargo bench --bench volume -- [--records N] [--runs N] [--only plan|run|legacy]`
//!
//! The baseline is the sqlite3 shell importing the very rows of a finished run from CSV files into the same
//! tables and building the same indexes. The shell imports NULL as empty text, so the baseline's tables go
//! without STRICT and without the checks that tell the two apart, which only makes it faster. Each figure is the
//! median of `--runs` runs, pinferry and baseline in turn; memory is the peak resident set of the process.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pinferry");
const TABLES: [&str; 7] = [
    "person",
    "fiscal_code",
    "pin",
    "profile_grant",
    "delegation",
    "quarantine",
    "finding",
];

struct Options {
    records: u64,
    runs: usize,
    only: Option<String>,
}

/// One finished process.
#[derive(Clone, Copy)]
struct Figure {
    wall: Duration,
    peak_kib: u64,
}

fn main() {
    let options = options();
    let folder = tempfile::tempdir().expect("a folder for the data");
    let folder = folder.path();
    let csv = folder.join("legacy.csv");
    let legacy = folder.join("database.db");
    println!("{} records, median of {}", options.records, options.runs);
    generate(&options, &csv);

    let wanted = |part: &str| options.only.as_deref().is_none_or(|only| only == part);
    if wanted("plan") {
        let plans = repeat(options.runs, || plan(folder, "csv", &csv));
        report("plan, CSV", &plans, options.records);
    }
    if wanted("legacy") {
        generate(&options, &legacy);
        let plans = repeat(options.runs, || plan(folder, "sqlite", &legacy));
        report("plan, SQLite legacy", &plans, options.records);
    }
    if wanted("run") {
        compare_run(folder, &csv, &options);
    }
}

/// `run` and baseline in turn, and the ratio pair by pair.
fn compare_run(folder: &Path, csv: &Path, options: &Options) {
    let target = folder.join("target.db");
    let mut runs = Vec::new();
    let mut baselines = Vec::new();
    let mut ratios = Vec::new();
    for turn in 0..options.runs {
        remove_database(&target);
        let run = migrate(folder, csv, &target);
        if turn == 0 {
            export(folder, &target);
        }
        let baseline = import(folder);
        ratios.push(run.wall.as_secs_f64() / baseline.wall.as_secs_f64());
        runs.push(run);
        baselines.push(baseline);
    }
    report("run, CSV to SQLite, verified", &runs, options.records);
    report(
        "baseline: sqlite3 shell import",
        &baselines,
        options.records,
    );
    ratios.sort_by(f64::total_cmp);
    println!(
        "run / baseline                     {:.2}  ({:.2} to {:.2})",
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1]
    );
}

fn options() -> Options {
    let mut options = Options {
        records: 2_000_000,
        runs: 3,
        only: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("the option has a value");
        match word.as_str() {
            "--records" => options.records = value().parse().expect("a number of records"),
            "--runs" => options.runs = value().parse().expect("a number of runs"),
            "--only" => options.only = Some(value()),
            _ => {}
        }
    }
    options
}

fn generate(options: &Options, out: &Path) {
    let status = Command::new(PROGRAM)
        .args(["sample-data", "--seed", "7", "--records"])
        .arg(options.records.to_string())
        .arg("--out")
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("pinferry starts");
    assert!(status.success(), "sample-data failed");
}

fn plan(folder: &Path, scheme: &str, source: &Path) -> Figure {
    let file = configuration(folder, scheme, source, &folder.join("plan-target.db"));
    measure(pinferry(&file).arg("plan"), &[0, 3])
}

fn migrate(folder: &Path, csv: &Path, target: &Path) -> Figure {
    let file = configuration(folder, "csv", csv, target);
    measure(pinferry(&file).arg("run"), &[0, 3])
}

fn pinferry(configuration: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("--config").arg(configuration);
    command
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

/// Runs a process to its end, watching the peak of its resident set.
fn measure(command: &mut Command, accepted: &[i32]) -> Figure {
    let begun = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let status = loop {
        if let Some(status) = child.try_wait().expect("the process is ours") {
            break status;
        }
        peak_kib = peak_kib.max(high_water_kib(&status_file).unwrap_or(0));
        sleep(Duration::from_millis(10));
    };
    let code = status.code().unwrap_or(-1);
    assert!(accepted.contains(&code), "ended with {code}: {command:?}");
    Figure {
        wall: begun.elapsed(),
        peak_kib,
    }
}

fn high_water_kib(status_file: &str) -> Option<u64> {
    let text = fs::read_to_string(status_file).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn report(name: &str, figures: &[Figure], records: u64) {
    let mut walls: Vec<f64> = figures.iter().map(|f| f.wall.as_secs_f64()).collect();
    walls.sort_by(f64::total_cmp);
    let median = walls[walls.len() / 2];
    let peak = figures.iter().map(|f| f.peak_kib).max().unwrap_or(0) / 1024;
    println!(
        "{name:<34} {median:>7.2} s  ({:.2} to {:.2})  {:>9.0} records/s  peak {peak} MiB",
        walls[0],
        walls[walls.len() - 1],
        records as f64 / median,
    );
}
