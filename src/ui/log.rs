//! The log: stable event names, as text or JSON, on standard error.

use std::{env, io};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::terminal::Terminal;

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts the log. `PINFERRY_LOG` (`info`, `pinferry=debug`, …) wins over the number of `-v`.
pub fn start(format: LogFormat, verbose: u8, terminal: &Terminal) {
    let level = match (verbose, format) {
        (0, LogFormat::Text) => "warn",
        (0, LogFormat::Json) | (1, _) => "info",
        (2, _) => "debug",
        (_, _) => "trace",
    };
    let filter = env::var("PINFERRY_LOG").unwrap_or_else(|_| format!("pinferry={level}"));
    // What the database layer says at any level is nobody's business: it quotes statements, and the line of a
    // password file that it cannot read.
    let filter = EnvFilter::try_new(format!("{filter},sqlx=off"))
        .unwrap_or_else(|_| EnvFilter::new("pinferry=info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_target(false)
        .log_internal_errors(false)
        .with_writer(BesideBars(terminal.clone()));
    let started = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    // A log that was started before, by whoever embeds this, stays.
    drop(started);
}

/// Writes a line of the log without tearing the progress bars.
#[derive(Clone, Debug)]
struct BesideBars(Terminal);

impl io::Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .bars()
            .suspend(|| io::stderr().lock().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for BesideBars {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
