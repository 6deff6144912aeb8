//! Exit codes, which are part of the contract.

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done,
    /// 1: failed.
    Failed,
    /// 2: usage or configuration.
    Usage,
    /// 3: done, with records quarantined.
    DoneWithQuarantine,
    /// 4: refused, someone else holds the lease or the lock.
    Refused,
    /// 5: stopped early and resumable.
    Stopped,
    /// 6: verification failed.
    VerificationFailed,
    /// 130: interrupted by SIGINT after settling the chunk.
    Interrupted,
    /// 143: terminated by SIGTERM after settling the chunk.
    Terminated,
}

impl Exit {
    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::DoneWithQuarantine => 3,
            Self::Refused => 4,
            Self::Stopped => 5,
            Self::VerificationFailed => 6,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}
