//! One file per command: resolve, plan, confirm, execute, render.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{
    config::{ConfigError, FlagKey, Inputs, environment, settings::Settings},
    engine::stop::StopFlag,
    exit::Exit,
    ui::{
        self,
        log::LogFormat,
        terminal::{Format, Terminal},
    },
};

mod abort;
mod activate;
mod actor;
mod audit;
mod completions;
mod control;
mod demo;
mod doctor;
mod explain;
pub mod failure;
mod grants;
mod init;
mod intake;
mod job;
mod language;
mod lock;
mod man;
mod migrate_schema;
mod outlet;
mod plan;
mod quarantine;
mod report;
mod run;
mod sample_data;
mod status;
mod tuning;
mod verify;
mod version;
mod window;

use failure::Failure;

/// Ferries PINs from a legacy single-profile database into the multi-profile model.
#[derive(Debug, Parser)]
#[command(name = "pinferry", version, max_term_width = 100)]
struct CommandLine {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// The configuration file
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        value_name = "FILE",
        default_value = "pinferry.toml",
        env = "PINFERRY_CONFIG",
        hide_env = true
    )]
    config: PathBuf,
    /// How results are written to standard output
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        value_enum,
        default_value_t,
        env = "PINFERRY_FORMAT",
        hide_env = true
    )]
    format: Format,
    /// How the log is written to standard error
    #[arg(
        long,
        global = true,
        help_heading = "Global options",
        value_enum,
        default_value_t,
        env = "PINFERRY_LOG_FORMAT",
        hide_env = true
    )]
    log_format: LogFormat,
    /// Say nothing, but for exports, unless it ends otherwise than with 0
    #[arg(short, long, global = true, help_heading = "Global options")]
    quiet: bool,
    /// Log more; twice, much more
    #[arg(short, long, global = true, help_heading = "Global options", action = clap::ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Doctor(doctor::Doctor),
    Grants(grants::Grants),
    MigrateSchema(migrate_schema::MigrateSchema),
    Plan(plan::Plan),
    Run(run::Run),
    Pause(control::Pause),
    Resume(control::Resume),
    Throttle(control::Throttle),
    Abort(abort::Abort),
    Status(status::Status),
    Verify(verify::Verify),
    Explain(explain::Explain),
    Quarantine(quarantine::Quarantine),
    Audit(audit::Audit),
    Lock(lock::Lock),
    Intake(intake::Intake),
    Activate(activate::Activate),
    Report(report::Report),
    SampleData(sample_data::SampleData),
    Demo(demo::Demo),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    fn run(self, context: &Context) -> Result<Exit, Failure> {
        match self {
            Self::Init(command) => command.run(context),
            Self::Doctor(command) => command.run(context),
            Self::Grants(command) => command.run(context),
            Self::MigrateSchema(command) => command.run(context),
            Self::Plan(command) => command.run(context),
            Self::Run(command) => command.run(context),
            Self::Pause(command) => command.run(context),
            Self::Resume(command) => command.run(context),
            Self::Throttle(command) => command.run(context),
            Self::Abort(command) => command.run(context),
            Self::Status(command) => command.run(context),
            Self::Verify(command) => command.run(context),
            Self::Explain(command) => command.run(context),
            Self::Quarantine(command) => command.run(context),
            Self::Audit(command) => command.run(context),
            Self::Lock(command) => command.run(context),
            Self::Intake(command) => command.run(context),
            Self::Activate(command) => command.run(context),
            Self::Report(command) => command.run(context),
            Self::SampleData(command) => command.run(context),
            Self::Demo(command) => command.run(context),
            Self::Completions(command) => command.run(context),
            Self::Man(command) => command.run(context),
        }
    }
}

/// What every command is given.
#[derive(Debug)]
pub struct Context {
    /// Where results and talk go.
    pub terminal: Terminal,
    /// The configuration file, which need not exist.
    pub config: PathBuf,
    stop: OnceLock<StopFlag>,
}

impl Context {
    /// The configuration, with what the command's flags put over it.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn settings(&self, flags: Vec<(FlagKey, String)>) -> Result<Settings, ConfigError> {
        Settings::load(&Inputs {
            file: self.config.clone(),
            environment: environment::of_process(),
            flags,
        })
    }

    /// Another terminal, and the configuration in this folder.
    fn within(&self, folder: &Path, terminal: Terminal) -> Self {
        Self {
            terminal,
            config: folder.join("pinferry.toml"),
            stop: self.stop.clone(),
        }
    }

    /// From here on SIGINT, SIGTERM and SIGHUP no longer end the process: they raise the flag, which the
    /// command heeds; one that has not for as long as a lease lasts is ended all the same.
    ///
    /// # Errors
    /// The signals could not be claimed.
    pub fn heed_signals(&self, settings: &Settings) -> Result<StopFlag, Failure> {
        if let Some(stop) = self.stop.get() {
            return Ok(stop.clone());
        }
        let stop = StopFlag::default();
        ui::signals::watch(stop.clone(), self.terminal.clone(), settings.run.lease)?;
        Ok(self.stop.get_or_init(|| stop).clone())
    }
}

/// Parses the command line, does what it says, and tells how it ended.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>, commit: Option<&str>) -> Exit {
    let command = CommandLine::command().long_version(version::long(commit));
    let parsed = command.try_get_matches_from(arguments);
    let line = parsed.and_then(|mut matches| CommandLine::from_arg_matches_mut(&mut matches));
    let line = match line {
        Ok(line) => line,
        Err(error) => return ui::error::show_usage(&error),
    };
    let Global {
        config,
        format,
        log_format,
        quiet,
        verbose,
    } = line.global;
    let terminal = Terminal::new(format, quiet);
    ui::log::start(log_format, verbose, &terminal);
    let context = Context {
        terminal,
        config,
        stop: OnceLock::new(),
    };
    let exit = match line.command.run(&context) {
        Ok(exit) => exit,
        Err(failure) => ui::error::show(&failure, &context.terminal),
    };
    if exit != Exit::Done {
        context.terminal.release();
    }
    exit
}
