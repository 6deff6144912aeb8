//! What can go wrong with a migration.

use super::{
    cursor::NotACursor, extract::ExtractError, partition::NotABoundary, verdicts::VerdictsError,
    verify::VerifyError,
};
use crate::{
    config::settings::Hook,
    domain::{digest::Digest, known_codes::TornLinks},
    exit::Exit,
    source::{
        SourceError, SourceMistake,
        lock::{Holding, LockError},
    },
    store::{RunPhase, StoreError},
};

/// A failure of `run` or `abort`. What was committed stays committed.
#[derive(Debug, thiserror::Error)]
#[expect(
    missing_docs,
    reason = "each variant says what it is in its message, with its fields"
)]
pub enum RunError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Extract(#[from] ExtractError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{}", lines(.0))]
    Sources(Vec<SourceMistake>),
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error("a stored partition boundary cannot be read")]
    Boundary(#[from] NotABoundary),
    #[error("a stored cursor cannot be read")]
    Cursor(#[from] NotACursor),
    #[error("run {run_id} began with another configuration; these keys differ: {}", keys.join(", "))]
    ConfigurationDrifted { run_id: i64, keys: Vec<String> },
    #[error("the configuration is not the one the plan was made with; these keys differ: {}", keys.join(", "))]
    PlanDrifted { keys: Vec<String> },
    #[error(
        "source {name:?} is not what the plan was made from: its fingerprint was {planned}, it is {found}"
    )]
    PlanSourceDrifted {
        name: String,
        planned: Digest,
        found: Digest,
    },
    #[error(
        "source {name:?} changed since run {run_id} started: its fingerprint was {recorded}, it is {found}"
    )]
    SourceChanged {
        run_id: i64,
        name: String,
        recorded: Digest,
        found: Digest,
    },
    #[error("run {run_id} is being aborted")]
    Aborting { run_id: i64 },
    #[error("run {run_id} is in phase {phase}: there is nothing to abort")]
    NothingToAbort { run_id: i64, phase: RunPhase },
    #[error("{}", not_held_up(*.run_id, *.phase))]
    NotHeldUp { run_id: i64, phase: RunPhase },
    #[error("hooks.{hook} {why}")]
    Vetoed { hook: Hook, why: String },
    #[error("the target has no run")]
    NoRun,
    #[error(
        "what is loaded could not be taken back before the window closes, and the management lock is still held"
    )]
    NotTakenBack(#[source] Box<RunError>),
    #[error("run {run_id} is finished and migrated sources of this configuration, which is not the one of that run: {} differ", keys.join(", "))]
    Live { run_id: i64, keys: Vec<String> },
    #[error(transparent)]
    Verdicts(#[from] VerdictsError),
    #[error(transparent)]
    TornLinks(#[from] TornLinks),
    #[error("run {run_id} has no ids reserved, though it is past that step")]
    NoIds { run_id: i64 },
    #[error("the lock of source {name:?} is gone: nothing keeps its PINs from changing")]
    LockGone { name: String },
    #[error(
        "the lock of run {run_id} on source {:?} is gone, and {} holds one since {}: nobody knows what was written in between",
        .by.source_name, .by.owner, .by.since
    )]
    LockReplaced { run_id: i64, by: Box<Holding> },
    #[error("captured changes keep coming: {rounds} rounds did not settle them")]
    CapturesWithoutEnd { rounds: usize },
    #[error("the time of a diverted PIN cannot be read")]
    DivertedAt(#[source] jiff::Error),
    #[error("the writer ended before the judge did")]
    NoWriter,
}

impl RunError {
    /// Whether another process is at work on the run, or was just now.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::HeldBy { .. } | StoreError::Lingering { .. })
        )
    }

    /// Whether a server went away in the middle: everything committed stands, and the same call goes on from it.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match self {
            Self::Store(error) => error.is_lost(),
            Self::Source(error) | Self::Extract(ExtractError::Source(error)) => error.is_lost(),
            Self::Verify(error) => error.is_lost(),
            Self::Lock(error) => error.is_lost(),
            _other => false,
        }
    }

    /// How the program ends because of it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Store(error) => error.exit(),
            Self::Extract(error) => error.exit(),
            Self::Source(error) => error.exit(),
            Self::Lock(error) => error.exit(),
            Self::Verify(error) => error.exit(),
            Self::Verdicts(error) => error.exit(),
            Self::LockReplaced { .. } => Exit::Refused,
            Self::NotTakenBack(error) => error.exit(),
            Self::Sources(mistakes) => sources_exit(mistakes),
            Self::ConfigurationDrifted { .. }
            | Self::PlanDrifted { .. }
            | Self::PlanSourceDrifted { .. }
            | Self::NothingToAbort { .. }
            | Self::NotHeldUp { .. }
            | Self::NoRun
            | Self::TornLinks(_)
            | Self::Live { .. } => Exit::Usage,
            Self::Boundary(_)
            | Self::Cursor(_)
            | Self::SourceChanged { .. }
            | Self::Aborting { .. }
            | Self::NoIds { .. }
            | Self::LockGone { .. }
            | Self::CapturesWithoutEnd { .. }
            | Self::DivertedAt(_)
            | Self::Vetoed { .. }
            | Self::NoWriter => Exit::Failed,
        }
    }

    /// What to do next, where that is known.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Store(error) => return error.hint(),
            Self::Extract(error) => return error.hint(),
            Self::Source(error) => return error.hint(),
            Self::Lock(error) => return error.hint(),
            Self::Sources(mistakes)
                if mistakes.len() == 1 || sources_exit(mistakes) == Exit::Failed =>
            {
                return mistakes.iter().find_map(SourceMistake::hint);
            }
            Self::Sources(_) => "`pinferry doctor` examines everything the configuration names",
            Self::Verify(error) => return error.hint(),
            Self::Verdicts(error) => return error.hint(),
            Self::ConfigurationDrifted { .. } => {
                "put the configuration back as it was and type `pinferry run`, or take the run back with \
                 `pinferry abort`"
            }
            Self::PlanDrifted { .. } | Self::PlanSourceDrifted { .. } => {
                "make a new plan with `pinferry plan --save FILE`, read it, and run that one"
            }
            Self::SourceChanged { .. } => {
                "find out who wrote to it; then put it back as it was and type `pinferry run`, or take the \
                 run back with `pinferry abort`"
            }
            Self::Aborting { .. } => "type `pinferry abort` to finish that first",
            Self::NothingToAbort { .. } | Self::NotHeldUp { .. } | Self::NoRun => {
                "`pinferry status` shows where things stand"
            }
            Self::Live { .. } => {
                "what comes after cut-over is a source under a name of its own: name in the configuration only \
                 what was not migrated yet, or put it back as it was"
            }
            Self::TornLinks(_) => {
                "who stands in the target stays as he is: correct [catalogue] fiscal_code_links (`pinferry explain -` \
                 shows who a code leads to)"
            }
            Self::Vetoed { .. } => {
                "see to what the hook says, then type `pinferry run`, which asks it again; `pinferry abort` takes the run back"
            }
            Self::NotTakenBack(_) => {
                "`pinferry abort` opens the legacy, as the same command does once this is out of the way"
            }
            Self::LockGone { .. } => {
                "find out who removed it; `pinferry abort` takes the run back, and the next one begins afresh"
            }
            Self::LockReplaced { .. } => {
                "find out who removed it; `pinferry abort` takes the run back and opens the legacy, and the next one begins afresh"
            }
            Self::CapturesWithoutEnd { .. } => {
                "find out who writes so much to the legacy, then type `pinferry run` again"
            }
            Self::Boundary(_)
            | Self::Cursor(_)
            | Self::NoIds { .. }
            | Self::DivertedAt(_)
            | Self::NoWriter => return None,
        };
        Some(hint.to_owned())
    }
}

/// A configuration that does not fit weighs more than data that cannot be read.
fn sources_exit(mistakes: &[SourceMistake]) -> Exit {
    if mistakes.iter().any(|mistake| mistake.exit() == Exit::Usage) {
        Exit::Usage
    } else {
        Exit::Failed
    }
}

/// Why a run is not paused, resumed or throttled in this phase.
fn not_held_up(run_id: i64, phase: RunPhase) -> String {
    let why = match phase {
        RunPhase::CutOver => "is past the point of no return, and what is left takes a moment",
        RunPhase::Aborting => "is being taken back",
        _other => "is over",
    };
    format!("run {run_id} {why} (phase {phase}): it cannot be paused, resumed or throttled")
}

/// Every mistake on a line of its own, with its cause.
fn lines(mistakes: &[SourceMistake]) -> String {
    let line = |mistake: &SourceMistake| match std::error::Error::source(mistake) {
        Some(cause) => format!("{mistake}: {cause}"),
        None => mistake.to_string(),
    };
    mistakes.iter().map(line).collect::<Vec<_>>().join("\n")
}
