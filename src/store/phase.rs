//! The phases of a run and how they follow each other.

use crate::domain::status::vocabulary;

/// SQL for that what a run brought is no part of the model yet.
pub(super) const IS_BEFORE_CUT_OVER: &str = "run.phase NOT IN ('cut_over', 'finished', 'aborted')";

vocabulary! {
    /// Where a run stands, as committed.
    RunPhase {
        /// The run row exists; nothing is locked yet.
        Created = "created",
        /// The management lock is engaged in the run's name.
        Locked = "locked",
        /// Ids and partitions are fixed; chunks are being committed.
        Loading = "loading",
        /// Every partition is done.
        Loaded = "loaded",
        /// Every index step is done.
        Indexed = "indexed",
        /// The last verification found nothing.
        Verified = "verified",
        /// The last verification found something.
        VerificationFailed = "verification_failed",
        /// The multi-profile model is the valid one; what is left is to seal and drain.
        CutOver = "cut_over",
        /// Nothing is left to do.
        Finished = "finished",
        /// Going back to an open legacy.
        Aborting = "aborting",
        /// The run left nothing but its own record.
        Aborted = "aborted",
    }
}

impl RunPhase {
    /// The phases that may follow.
    #[must_use]
    pub const fn successors(self) -> &'static [Self] {
        match self {
            Self::Created => &[Self::Locked, Self::Aborting],
            Self::Locked => &[Self::Loading, Self::Aborting],
            Self::Loading => &[Self::Loaded, Self::Aborting],
            Self::Loaded => &[Self::Indexed, Self::Aborting],
            Self::Indexed => &[Self::Verified, Self::VerificationFailed, Self::Aborting],
            // A captured change between verification and cut-over asks for another verification.
            Self::Verified => &[
                Self::CutOver,
                Self::Indexed,
                Self::VerificationFailed,
                Self::Aborting,
            ],
            Self::VerificationFailed => &[Self::Verified, Self::Aborting],
            Self::CutOver => &[Self::Finished],
            Self::Aborting => &[Self::Aborted],
            Self::Finished | Self::Aborted => &[],
        }
    }

    /// Whether a run in this phase may pass to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        self.successors().contains(&next)
    }

    /// Whether the run is over.
    #[must_use]
    pub const fn is_over(self) -> bool {
        self.successors().is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::RunPhase;

    #[test]
    fn nothing_follows_a_run_that_is_over_and_everything_else_can_end() {
        for &phase in RunPhase::ALL {
            let over = matches!(phase, RunPhase::Finished | RunPhase::Aborted);
            assert_eq!(phase.is_over(), over, "{phase}");
            assert!(!phase.may_become(phase), "{phase}");
        }
    }

    #[test]
    fn a_run_can_be_aborted_before_cut_over_and_never_after() {
        for &phase in RunPhase::ALL {
            let abortable = !matches!(
                phase,
                RunPhase::CutOver | RunPhase::Finished | RunPhase::Aborting | RunPhase::Aborted
            );
            assert_eq!(phase.may_become(RunPhase::Aborting), abortable, "{phase}");
        }
    }

    #[test]
    fn only_a_verified_run_can_be_cut_over() {
        for &phase in RunPhase::ALL {
            let verified = phase == RunPhase::Verified;
            assert_eq!(phase.may_become(RunPhase::CutOver), verified, "{phase}");
        }
    }
}
