//! `activate`: what is due takes effect.

use clap::Args;

use super::{Context, actor::actor, failure::Failure};
use crate::{
    config::settings::Settings,
    domain::{activation::grounds::Grounds, rules::Rules},
    engine,
    exit::Exit,
    store::activation::ActivationStore,
    ui,
};

/// Let requests that are due take effect, each exactly once
///
/// Made for cron, every few minutes. Any number may run at once: on PostgreSQL they share the work, each with
/// `run.workers` connections, on SQLite they take turns. Migrated pending PINs with both halves delivered become
/// active first, then requests take effect, those of one person in the order of acceptance. While the target holds
/// no run that is cut over and finished, this does nothing and says so (exit code 0).
///
/// Exit code 3: something due did not take effect; the reason is shown and kept.
#[derive(Debug, Args)]
pub(super) struct Activate {}

impl Activate {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
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
    Grounds::new(rules, settings.activation.schedule.clone())
}
