//! `plan`: the dry run.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};

use super::{
    Context, failure::Failure, language, outlet::is_standard_output, tuning::Tuning, window,
};
use crate::{
    config::settings::RunSettings,
    domain::comparison::Quarantined,
    engine::{
        forecast::{Measured, forecast},
        live::{LivePeople, found_run},
        plan::{Beside, PlanOutcome, plan},
        plan_file::PlanFile,
        report::{Compared, FoundRun, Report, SurveyedReport},
        report_folder,
        verdicts::VerdictSheet,
    },
    exit::Exit,
    ui::{
        self, progress::Watcher, report, report_files, report_page::Language, terminal::Terminal,
    },
};

/// The dry run: read and judge everything by the code of `run`, and write nothing
#[derive(Debug, Args)]
pub(super) struct Plan {
    /// Save what `run --plan` is to carry out
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Keep the report in this folder: a page to read, and its numbers as text, JSON and CSV
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// The language of the page
    #[arg(long, value_name = "LANGUAGE", default_value = "en", requires = "report", value_parser = language::parser())]
    lang: Language,
    /// Write what becomes of every record, and why; compressed where the name ends in .gz
    #[arg(long, value_name = "FILE")]
    verdicts: Option<PathBuf>,
    /// Say what changed since this plan, saved by an earlier dry run
    #[arg(long, value_name = "PLAN")]
    compare: Option<PathBuf>,
    /// Say when this window opens next and how long it lasts, the clocks changing in it or not
    #[arg(long, value_name = "WINDOW")]
    window: Option<String>,
    #[command(flatten)]
    tuning: Tuning,
}

impl Plan {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        for file in [&self.save, &self.verdicts].into_iter().flatten() {
            refuse_standard_output(file)?;
        }
        (self.save.as_deref()).map_or(Ok(()), PlanFile::look_at_place)?;
        (self.report.as_deref()).map_or(Ok(()), report_folder::look_at)?;
        let earlier = self.earlier(&context.terminal)?;
        let settings = context.settings(self.tuning.flags())?;
        let window = self.window.as_deref();
        let window = window.map(|window| window::told_next(window, &settings.activation.schedule));
        let window = window.transpose()?;
        let stop = context.heed_signals(&settings)?;
        // The clock of an embedded database is the host's.
        let today = || Timestamp::now().to_zoned(TimeZone::UTC).date();
        let as_of = settings.as_of.unwrap_or_else(today);
        let mut rules = settings.rules(as_of);
        let live = LivePeople::look(&settings, &mut rules)?;
        let found_run = found_run(&settings)?;
        let sheet = self.verdicts.as_deref();
        let sheet = sheet.map(|file| VerdictSheet::new(file, &settings.run.work_dir));
        let sheet = sheet.transpose()?;
        let watcher = Watcher::new(context.terminal.clone());
        let begun = Instant::now();
        let planned = plan(
            &settings.sources,
            &rules,
            &settings.lock.allow_columns,
            &settings.run,
            Beside {
                live: live.as_ref(),
                verdicts: sheet.as_ref(),
                survey: self.report.is_some(),
                watch: self.save.is_some() || earlier.is_some(),
                earlier: earlier.as_ref().map(|(_, quarantined)| quarantined),
            },
            (&watcher, &stop),
        );
        watcher.finish();
        let took = begun.elapsed();
        let PlanOutcome {
            tally,
            sources,
            survey,
            watch,
        } = planned?;
        let fixed = settings.fixed(as_of);
        let fingerprints: BTreeMap<_, _> = (sources.iter())
            .map(|(name, read)| (name.clone(), read.fingerprint))
            .collect();
        let shown: Vec<_> = (sources.iter())
            .map(|(name, read)| (name.clone(), Some(read.fingerprint)))
            .collect();
        let report = Report::new(None, "plan", &tally, &shown);
        let watch = watch.unwrap_or_default();
        let compared = earlier.map(|(earlier, quarantined)| Compared {
            as_of: earlier.as_of,
            counts: report.counts_since(&earlier.report.content),
            moved: earlier.drift(&fixed, &fingerprints),
            records: watch.compare(&quarantined),
        });
        let measured = Measured {
            records: u64::try_from(report.totals.records).unwrap_or(0),
            took,
            meets_people: live.is_some(),
            window: window.as_ref().map(|window| window.lasts),
        };
        let forecast = forecast(&settings, &measured)?;
        report::show(&report, compared.as_ref(), &context.terminal)?;
        context.terminal.say(&ui::forecast::sentence(&forecast));
        if let (Some(folder), Some(survey)) = (&self.report, survey) {
            let surveyed = SurveyedReport {
                report: report.clone(),
                as_of,
                survey,
                found_run: found_run.clone(),
                compared,
                forecast: Some(forecast),
                took: None,
            };
            let limit = settings.run.max_quarantine_ratio;
            let files = report_files::files(&surveyed, &rules.catalogue, limit, self.lang);
            report_folder::save(folder, &files)?;
        }
        sheet.map_or(Ok(()), VerdictSheet::save)?;
        for source in &settings.sources {
            if source.location.has_nothing_to_lock() {
                context.terminal.say(&format!(
                    "source {}: an extract, nothing to lock",
                    source.rules.name
                ));
            }
        }
        if let Some(window) = window {
            context.terminal.say(&window.words);
        }
        let exit = exit_of(&report, &settings.run, &context.terminal);
        if let Some(file) = &self.save {
            PlanFile::new(as_of, fixed, fingerprints, report, watch.quarantined).save(file)?;
        }
        let saved = self.save.as_deref();
        advise(exit, found_run.as_ref(), saved, &context.terminal);
        Ok(exit)
    }

    /// The plan to compare with, and what it quarantined. The first of all nights, each of which is compared with
    /// the one before and saved in its place, has none.
    fn earlier(&self, terminal: &Terminal) -> Result<Option<(PlanFile, Quarantined)>, Failure> {
        let Some(file) = &self.compare else {
            return Ok(None);
        };
        if self.save.as_ref() == Some(file) && matches!(file.try_exists(), Ok(false)) {
            let shown = file.display();
            terminal.say(&format!(
                "{shown}: no plan to compare with yet, this is the first"
            ));
            return Ok(None);
        }
        Ok(Some(PlanFile::read_to_compare(file)?))
    }
}

/// What to type next, where there is something to do.
fn advise(exit: Exit, found_run: Option<&FoundRun>, saved: Option<&Path>, terminal: &Terminal) {
    match found_run {
        Some(FoundRun {
            run_id,
            is_finished: true,
            ..
        }) => terminal.say(&format!("already migrated by run {run_id}")),
        Some(FoundRun { run_id, phase, .. }) => {
            terminal.say(&format!("run {run_id} is under way ({phase})"));
        }
        None if exit == Exit::Failed => terminal.next(
            "mend those records (the quarantine by reason is in the report) or raise run.max_quarantine_ratio, then plan again",
        ),
        None => {
            if let Some(file) = saved {
                terminal.next(&format!("`pinferry run --plan {}`", file.display()));
            }
        }
    }
}

/// A dry run with records in quarantine is no clean one, and one with too many has failed.
fn exit_of(report: &Report, run: &RunSettings, terminal: &Terminal) -> Exit {
    let ratio = report.quarantine_ratio();
    if ratio > run.max_quarantine_ratio {
        terminal.say(&format!(
            "{:.2} % of the records would be quarantined, more than the {:.2} % a run accepts",
            ratio * 100.0,
            run.max_quarantine_ratio * 100.0
        ));
        Exit::Failed
    } else if report.totals.quarantined > 0 {
        Exit::DoneWithQuarantine
    } else {
        Exit::Done
    }
}

/// Standard output is the report's.
fn refuse_standard_output(file: &Path) -> Result<(), Failure> {
    if !is_standard_output(file) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Usage,
        "plans and verdicts do not go to standard output, which is the report's",
        Some("name a file".to_owned()),
    ))
}
