//! `activate`: what is due takes effect.

use clap::Args;

use super::{Context, actor::actor, failure::Failure};
use crate::{
    config::settings::Settings,
    domain::{activation::grounds::Grounds, rules::Rules},
    engine::{self, outlook::outlook},
    exit::Exit,
    store::{Reader, activation::ActivationStore},
    ui,
};

/// Let requests that are due take effect, each exactly once
///
/// Made for cron, every few minutes. Any number may run at once: on PostgreSQL they share the work, each with
/// `run.workers` connections, on SQLite they take turns. Migrated pending PINs with both halves delivered become
/// active first, then requests take effect, those of one person in the order of acceptance. While the target holds
/// no run that is cut over and finished, this does nothing and says so (exit code 0); while a later run is under way
/// only revocations and suspensions take effect.
///
/// With --dry-run it says what is due, receipts of migrated PINs and the pending PINs they make active included, and of the
/// rest what each request waits for, and changes nothing, nor keeps another drain from anything. Whether a request that is due takes effect or fails (`identity_conflict`, `revoked`,
/// `profile_unknown`) turns out only when it does.
///
/// Exit code 3: something due did not take effect; the reason is shown and kept.
#[derive(Debug, Args)]
pub(super) struct Activate {
    /// Say what would take effect, and what waits for what, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How many requests a dry run names, those with the earliest hour first
    #[arg(long, value_name = "N", requires = "dry_run", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(..=100_000))]
    limit: u32,
}

impl Activate {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        if self.dry_run {
            return self.foresee(&settings, context);
        }
        let grounds = grounds(&settings);
        let mut store = ActivationStore::open(&settings.target)?;
        let stop = context.heed_signals(&settings)?;
        let mut crew = store.crew(settings.run.workers)?;
        let drained = engine::activate::activate(&mut store, &mut crew, &grounds, &actor(), &stop)?;
        ui::activation::show_drained(&context.terminal, &drained)?;
        if drained.stopped.is_some() {
            context.terminal.next("pinferry activate");
        }
        Ok(drained.exit())
    }

    fn foresee(&self, settings: &Settings, context: &Context) -> Result<Exit, Failure> {
        let reader = Reader::open(&settings.target)?;
        let outlook = outlook(&reader, &settings.activation.schedule, self.limit)?;
        ui::activation::show_outlook(&context.terminal, &outlook)?;
        if outlook.more > 0 {
            context.terminal.say("there are more; see --limit");
        }
        Ok(Exit::Done)
    }
}

/// What requests are judged by.
pub(super) fn grounds(settings: &Settings) -> Grounds {
    let rules = Rules {
        as_of: settings.as_of.unwrap_or_default(),
        catalogue: settings.catalogue.clone(),
        links: settings.links.clone(),
        schemes: settings.credential_schemes.iter().cloned().collect(),
        sources: settings
            .sources
            .iter()
            .map(|source| source.rules.clone())
            .collect(),
    };
    let activation = &settings.activation;
    Grounds::new(rules, activation.schedule.clone()).with(activation.policy.clone())
}
