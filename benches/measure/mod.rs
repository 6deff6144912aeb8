//! What the benchmarks share: options, processes that are timed, figures.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_pinferry");

pub(crate) struct Options {
    pub(crate) records: u64,
    pub(crate) runs: usize,
    pub(crate) only: Option<String>,
}

/// One finished process.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) wall: Duration,
    /// Where it is one process whose memory was watched.
    pub(crate) peak_kib: Option<u64>,
}

pub(crate) fn options(records: u64) -> Options {
    let mut options = Options {
        records,
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

impl Options {
    /// Whether this part is to be measured.
    pub(crate) fn wanted(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

/// Medians of both, in turn, and of their ratio pair by pair.
pub(crate) fn ratio(name: &str, measured: &[Figure], baseline: &[Figure]) {
    let pairs = measured.iter().zip(baseline);
    let mut ratios: Vec<f64> = pairs
        .map(|(one, other)| one.wall.as_secs_f64() / other.wall.as_secs_f64())
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!(
        "{name:<34} {:>7.2}  ({:.2} to {:.2})",
        ratios[ratios.len() / 2],
        ratios[0],
        ratios[ratios.len() - 1]
    );
}

pub(crate) fn generate(options: &Options, seed: u32, out: &Path) {
    let status = Command::new(PROGRAM)
        .args(["sample-data", "--seed", &seed.to_string(), "--records"])
        .arg(options.records.to_string())
        .arg("--out")
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .expect("pinferry starts");
    assert!(status.success(), "sample-data failed");
}

pub(crate) fn pinferry(configuration: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("--config").arg(configuration);
    command
}

/// Runs a process to its end, watching the peak of its resident set.
pub(crate) fn measure(command: &mut Command, accepted: &[i32]) -> Figure {
    let begun = Instant::now();
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak_kib = None;
    let status = loop {
        if let Some(status) = child.try_wait().expect("the process is ours") {
            break status;
        }
        peak_kib = peak_kib.max(high_water_kib(&status_file));
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

pub(crate) fn report(name: &str, figures: &[Figure], records: u64) {
    let mut walls: Vec<f64> = figures.iter().map(|f| f.wall.as_secs_f64()).collect();
    walls.sort_by(f64::total_cmp);
    let median = walls[walls.len() / 2];
    let peak = figures.iter().filter_map(|f| f.peak_kib).max();
    let peak = peak.map_or(String::new(), |kib| format!("  peak {} MiB", kib / 1024));
    println!(
        "{name:<34} {median:>7.2} s  ({:.2} to {:.2})  {:>9.0} records/s{peak}",
        walls[0],
        walls[walls.len() - 1],
        records as f64 / median,
    );
}
