//! How long a session waits before it gives up.

use std::time::Duration;

/// The limits of a session; `Duration::ZERO` for one of the server's own means none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the server to answer at all.
    pub connect: Duration,
    /// For one statement. The server ends it; a server that does not answer is given [`Limits::GRACE`] more.
    pub statement: Duration,
    /// For one lock.
    pub lock: Duration,
    /// After which the server ends a transaction in which nothing is said.
    pub idle_in_transaction: Duration,
    /// For the next bytes of a copy, in either direction. A copy is a statement as well.
    pub silence: Duration,
}

impl Limits {
    /// What a statement's answer may take to arrive once the server has given up.
    pub const GRACE: Duration = Duration::from_secs(10);

    /// For reading much: no limit on the whole statement, which takes as long as there is data, but on silence. A view
    /// may think for minutes before its first row.
    pub const READING: Self = Self {
        connect: Duration::from_secs(15),
        statement: Duration::ZERO,
        lock: Duration::from_secs(10),
        idle_in_transaction: Duration::from_secs(600),
        silence: Duration::from_secs(300),
    };

    /// The same for short statements that wait at most this long for a lock.
    #[must_use]
    pub const fn patient(self, lock: Duration) -> Self {
        Self { lock, ..self }
    }

    /// The same for the holder of a lease: a transaction in which nothing is said ends no later than the lease.
    #[must_use]
    pub const fn within(self, lease: Duration) -> Self {
        Self {
            idle_in_transaction: lease,
            ..self
        }
    }

    /// How long to wait for the answer to a statement.
    pub(super) fn answer(&self) -> Duration {
        if self.statement.is_zero() {
            self.silence
        } else {
            self.statement + Self::GRACE
        }
    }
}
