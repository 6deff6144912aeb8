//! Reads the target, and the sources beside it.

use std::thread;

use super::{
    Stage,
    canary::check_canaries,
    carried::Renames,
    derivation::Derivation,
    error::VerifyError,
    leftovers::{LeftoverReader, LeftoverSums},
    mismatch::{MismatchCode, Mismatches},
    people,
    person::{PeopleSums, Scope},
    records,
    request::{Unsettled, VerifyRequest},
    run_state,
    sources::{SourcesRead, read_sources, readings},
    verdicts::{self, VerdictSum},
};
use crate::{
    domain::tally::Tally,
    store::read_back::{
        self, CodesRead, Holds, INVARIANTS, PinIndexRead, ReadBack, RunState, Snapshot,
    },
};

/// All that was read.
#[derive(Debug)]
pub(super) struct Read {
    /// None when the sources could not be read after cut-over.
    pub(super) sources: Option<SourcesRead>,
    pub(super) rest: Rest,
    pub(super) people: PeopleSums,
    pub(super) notes: Vec<String>,
}

/// What hangs on no person.
#[derive(Debug, Default)]
pub(super) struct Rest {
    pub(super) codes: CodesRead,
    pub(super) source_index: PinIndexRead,
    pub(super) leftovers: LeftoverSums,
    /// Sum of what the partitions, and pinferry's ledger, say was committed.
    pub(super) committed: Tally,
    /// The same, without the ledger.
    pub(super) loaded: Tally,
    pub(super) canaries: u64,
    /// What the dry run said.
    pub(super) verdicts: VerdictSum,
    pub(super) mismatches: Mismatches,
}

/// Reads everything.
pub(super) fn read(
    request: &VerifyRequest<'_>,
    (snapshot, run): (&Snapshot, &RunState),
    stage: Stage,
) -> Result<Read, VerifyError> {
    let renames = Renames::new(request.rules);
    let readings = readings(request.settings, request.rules, &renames);
    let before = stage == Stage::BeforeCutOver;
    let scope = Scope {
        readings: &readings,
        run_id: run.run_id,
        target_fresh: run.target_fresh,
        ids: (run.id_base.unwrap_or(0), run.id_end.unwrap_or(0)),
        before_cut_over: before,
        all_sources: &run.all_sources,
        added_codes: &run.added_codes,
        index_sum: snapshot.index_sum(),
        verdicts: request.verdicts.is_some(),
        derivation: None,
    };
    let (sources, rest) = thread::scope(|threads| {
        let rest = threads.spawn(|| read_rest(request, (snapshot, run), scope));
        (read_sources(request, records(run)), rest.join())
    });
    let rest = match rest {
        Ok(rest) => rest?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let mut notes = Vec::new();
    let sources = match sources {
        Ok(sources) => Some(sources),
        Err(VerifyError::Source { name, source }) if !before => {
            notes.push(format!("source {name} was not compared: {source}"));
            None
        }
        Err(error) => return Err(error),
    };
    let unsettled = if before {
        (request.unsettled)()?
    } else {
        Unsettled::new()
    };
    let derivation = sources.as_ref().filter(|_| before).map(|sources| {
        let facts = &sources.facts;
        if facts.share() < 1.0 {
            notes.push(format!(
                "names, contacts, guardians and expiry were compared for {:.0} % of the people (run.memory)",
                facts.share() * 100.0
            ));
        }
        Derivation::new(request.rules, facts, run.run_id, &unsettled)
    });
    let scope = Scope {
        derivation: derivation.as_ref(),
        ..scope
    };
    let people = people::read_all(request, snapshot, scope, run.persons)?;
    drop(derivation);
    Ok(Read {
        sources,
        rest,
        people,
        notes,
    })
}

fn read_rest(
    request: &VerifyRequest<'_>,
    (snapshot, run): (&Snapshot, &RunState),
    scope: Scope<'_>,
) -> Result<Rest, VerifyError> {
    let target = snapshot.open()?;
    let mut out = Mismatches::default();
    run_state::check_run(request, run, &mut out);
    let (loaded, committed) = run_state::check_partitions(run, &mut out);
    run_state::check_steps(request, run, &mut out);
    let events = read_back::read_run_events(&target)?;
    run_state::check_chain(&events, "run_event", &mut out);
    let audit = read_back::read_audit_events(&target)?;
    run_state::check_chain(&audit, "audit_event", &mut out);
    let catalogue = read_back::read_catalogue(&target)?;
    run_state::check_catalogue(request, &catalogue, scope, &mut out);
    check_invariants(&target, scope, &mut out)?;
    let canaries = match &request.settings.canary {
        Some(path) => check_canaries(path, &target, &mut out)?,
        None => 0,
    };
    let announced = match request.verdicts {
        Some(path) => {
            let sources = run.sources.iter().map(|source| source.source.as_str());
            verdicts::announced(path, sources)?
        }
        None => VerdictSum::default(),
    };
    let mut leftovers = LeftoverReader::new(scope);
    read_back::read_quarantine(&target, &mut |row| leftovers.take_quarantined(row))?;
    read_back::read_findings(&target, &mut |row| leftovers.take_finding(row))?;
    Ok(Rest {
        codes: read_back::read_codes(&target)?,
        source_index: read_back::read_source_index(&target)?,
        leftovers: leftovers.sums,
        committed,
        loaded,
        canaries,
        verdicts: announced,
        mismatches: out,
    })
}

fn check_invariants(
    target: &ReadBack,
    scope: Scope<'_>,
    out: &mut Mismatches,
) -> Result<(), VerifyError> {
    for invariant in INVARIANTS {
        let holds = match invariant.holds {
            Holds::Always => true,
            Holds::BeforeCutOver => scope.before_cut_over,
            Holds::AfterCutOver => !scope.before_cut_over,
        };
        if !holds {
            continue;
        }
        let breach = read_back::ask(target, invariant, scope.run_id)?;
        if breach.count > 0 {
            out.add_many(
                MismatchCode::Invariant,
                (invariant.name, invariant.says),
                breach.count,
                breach.examples,
            );
        }
    }
    Ok(())
}
