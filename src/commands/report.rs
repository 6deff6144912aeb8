//! `report`: what became of a run, and what the offices are to know.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};
use jiff::{Timestamp, civil::DateTime};

use super::{Context, actor::actor, failure::Failure, language};
use crate::{
    config::settings::Settings,
    domain::activation::schedule::Schedule,
    engine::{self, notices::NoticesError, report_folder, run_report},
    exit::Exit,
    store::reader::Asked,
    ui::{self, report_files, report_page::Language},
};

/// What the folders hold, for `--help`.
const FOLDERS: &str = "\
With --to the folder holds what that of `pinferry plan --report` does: report.html, a page that needs no network, and \
its numbers as report.json, problems.csv, profiles.csv, offices.csv and report.txt: the totals as the run committed \
them, profiles, offices and PINs per person as the target holds them now, and how long the stages of the run took. \
Records are named by source and id; there are no personal data.

With --notices the folder holds indice.csv, which says which files are whose, and for every office two files: CSV \
(UTF-8, separated by ;, a header), and HTML, in Italian, to read and print with no network. A row is a person and an \
event, with code, name and contacts, profile and entity, day, what to say, and what to bring next time:

  pin_retired      the PIN gave way at migration; which one stays, and where
                   and when both were used
  pin_active       a PIN became active: of a request, or a migrated one that
                   was pending
  pin_suspended    a PIN took the place of a suspended one, and is suspended
                   as well
  profile_active   a further profile became active
  not_done         a request was refused, failed or was superseded, and why
  waiting          a request waits: from when it is active, and which half is
                   missing
  half_back        a half of a PIN was refused by its holder or came back
  taken_away       a PIN or a profile was revoked or suspended at the counter

The office of a request is the competent one, else the one that took it; that of a PIN its own. Who has none is in \
senza-sede. A code becomes a file's name with every byte but 0-9 and a-z as _ and two hexadecimal digits.

With --since only what happened from then on counts, so that the lists can be written every morning. A request that \
is refused, superseded or waits counts from the moment its file was taken in.

The folder is made (mode 0700, files 0600) or, where it holds earlier lists and nothing else, replaced, whole. The \
audit log keeps who did it, when, where, and how many people of each office; nothing of the people. In PostgreSQL it \
takes a role that may add to that log: the one that `pinferry grants --activation` gives its rights, or the owner of \
the tables.

Exit code: 0 done, 2 the folder holds something else or cannot be written, 4 another process writes it, 1 failed.";

/// Write the report of a run, or, for each office, lists of people to tell
#[derive(Debug, Args)]
#[command(after_long_help = FOLDERS)]
#[command(group = ArgGroup::new("folder").required(true))]
pub(super) struct Report {
    /// The run, by its number; the newest one where none is named
    #[arg(value_name = "RUN", conflicts_with = "notices")]
    run: Option<i64>,
    /// The folder for the report of a run; an earlier report in it gives way
    #[arg(long, value_name = "DIR", group = "folder")]
    to: Option<PathBuf>,
    /// The language of the report's page
    #[arg(long, value_name = "LANGUAGE", default_value = "en", conflicts_with = "notices", value_parser = language::parser())]
    lang: Language,
    /// The folder for the lists, which are personal data; one that holds anything else is never touched
    #[arg(long, value_name = "DIR", group = "folder")]
    notices: Option<PathBuf>,
    /// From then on: 2013-11-04 or 2013-11-04T06:00, in activation.time_zone unless it has an offset
    #[arg(long, value_name = "TIME", conflicts_with = "to")]
    since: Option<String>,
    /// Of this office only, '' for those without; may be given several times
    #[arg(long, value_name = "CODE", conflicts_with = "to")]
    office: Vec<String>,
}

impl Report {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        if let Some(folder) = &self.to {
            return of_run(self.run, folder, self.lang, &settings, context);
        }
        let Some(folder) = &self.notices else {
            unreachable!("one of the folders is required");
        };
        let schedule = &settings.activation.schedule;
        let since = self.since.as_deref();
        let asked = Asked {
            since: since.map(|text| moment(text, schedule)).transpose()?,
            offices: self.office,
        };
        let stop = context.heed_signals(&settings)?;
        let lists = engine::notices::write(&settings, &asked, folder, &actor(), &stop)?;
        ui::notices::show(&context.terminal, &lists)?;
        let folder = lists.folder.display();
        context.terminal.say(&format!(
            "the lists stand in {folder}; they hold personal data"
        ));
        Ok(Exit::Done)
    }
}

/// Keeps the report of a run, and shows its tables.
fn of_run(
    run: Option<i64>,
    folder: &Path,
    language: Language,
    settings: &Settings,
    context: &Context,
) -> Result<Exit, Failure> {
    let surveyed = run_report::of_run(&settings.target, run)?;
    let catalogue = settings.rules(surveyed.as_of).catalogue;
    let limit = settings.run.max_quarantine_ratio;
    let files = report_files::files(&surveyed, &catalogue, limit, language);
    report_folder::save(folder, &files)?;
    ui::report::show(&surveyed.report, None, &context.terminal)?;
    context.terminal.say(&format!(
        "the report stands in {}",
        folder.join("report.html").display()
    ));
    Ok(Exit::Done)
}

/// A date, a local date and time, or one with an offset.
fn moment(text: &str, schedule: &Schedule) -> Result<Timestamp, Failure> {
    let local = || schedule.moment(text.parse::<DateTime>().ok()?);
    let at = text.parse::<Timestamp>().ok().or_else(local);
    let at = at.and_then(|at| Timestamp::from_millisecond(at.as_millisecond()).ok());
    at.ok_or_else(|| {
        let hint = "write 2013-11-04, 2013-11-04T06:00 or 2013-11-04T06:00+01:00";
        Failure::new(
            Exit::Usage,
            format!("--since {text}: this is no date and no time"),
            Some(hint.to_owned()),
        )
    })
}

impl From<NoticesError> for Failure {
    fn from(error: NoticesError) -> Self {
        Self {
            exit: error.exit(),
            hint: error.hint(),
            error: Box::new(error),
        }
    }
}
