//! What a verification came to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Begun, Stage,
    mismatch::{Mismatch, MismatchCode},
};
use crate::domain::tally::Tally;

/// What a verification came to.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// The run.
    pub run_id: i64,
    /// Its phase while it was verified.
    pub phase: String,
    /// What fails it.
    pub mismatches: Vec<Mismatch>,
    /// What differs because life goes on after cut-over.
    pub changed_since: Vec<Mismatch>,
    /// Changes by pinferry itself since cut-over, by cause: how often.
    pub ledger: BTreeMap<String, u64>,
    /// Counts and digests as read back.
    pub found: Tally,
    /// Known PINs that were looked up.
    pub canaries: u64,
    /// Verdicts of the dry run that were compared.
    pub verdicts: u64,
    /// Remarks that are no differences.
    pub notes: Vec<String>,
}

impl Verification {
    /// Whether nothing fails it.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }

    /// A target whose schema is not pinferry's.
    pub(super) fn unreadable(begun: Begun) -> Self {
        Self {
            run_id: begun.run.run_id,
            phase: begun.run.phase,
            mismatches: begun.mismatches.into_list(begun.stage),
            changed_since: Vec::new(),
            ledger: BTreeMap::new(),
            found: Tally::default(),
            canaries: 0,
            verdicts: 0,
            notes: Vec::new(),
        }
    }
}

/// Splits differences into those that fail verification and those that life explains.
pub(super) fn split(
    all: Vec<Mismatch>,
    stage: Stage,
    target_fresh: bool,
) -> (Vec<Mismatch>, Vec<Mismatch>) {
    all.into_iter().partition(|mismatch| match stage {
        Stage::AfterCutOver => mismatch.code.outlives_cut_over(),
        // People who stood before are changed by life while the run is under way.
        Stage::BeforeCutOver => {
            target_fresh
                || !matches!(
                    mismatch.code,
                    MismatchCode::RowsDigest | MismatchCode::Counts | MismatchCode::FindingsDigest
                )
        }
    })
}
