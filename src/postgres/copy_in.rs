//! Rows on their way into a table.

use std::{fmt, time::Duration};

use sqlx::{
    Error,
    postgres::{PgConnection, PgCopyIn},
};

use super::{
    PostgresError,
    bridge::{Bridge, Late},
    session::settled,
};

/// A `COPY … FROM STDIN` under way. Dropped without [`CopyIn::finish`] or [`CopyIn::abort`] it takes the
/// connection with it, and the server forgets the rows.
pub struct CopyIn<'s> {
    pub(super) doing: &'static str,
    pub(super) place: &'s str,
    pub(super) silence: Duration,
    pub(super) bridge: &'s Bridge,
    /// `None` once it ended.
    pub(super) copy: Option<PgCopyIn<&'s mut PgConnection>>,
    /// Set where the connection is of no more use.
    pub(super) abandoned: &'s mut bool,
}

impl CopyIn<'_> {
    /// Sends bytes, which need not end with a row. Each call is a message of its own, so they should be many:
    /// 256 KiB to 1 MiB. That the server takes them is known only from [`CopyIn::finish`].
    ///
    /// # Errors
    /// The connection is lost.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), PostgresError> {
        let Some(copy) = &mut self.copy else {
            return Err(PostgresError::given_up(self.place, self.doing));
        };
        let sent = self.bridge.wait(self.silence, copy.send(bytes));
        let sent = sent.map(|sent| sent.map(drop));
        self.settled(sent)
    }

    /// Ends the copy; how many rows the table took.
    ///
    /// # Errors
    /// The server refuses a row, which undoes all of them, or the connection is lost.
    pub fn finish(mut self) -> Result<u64, PostgresError> {
        let Some(copy) = self.copy.take() else {
            return Err(PostgresError::given_up(self.place, self.doing));
        };
        let answer = self.bridge.wait(self.silence, copy.finish());
        self.settled(answer)
    }

    /// Undoes the copy; the session can go on, in a failed transaction if it was in one.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn abort(mut self) -> Result<(), PostgresError> {
        let Some(copy) = self.copy.take() else {
            return Err(PostgresError::given_up(self.place, self.doing));
        };
        let answer = self
            .bridge
            .wait(self.silence, copy.abort("abandoned by pinferry"));
        self.settled(answer)
    }

    fn settled<T>(&mut self, answer: Result<Result<T, Error>, Late>) -> Result<T, PostgresError> {
        settled(self.place, self.doing, self.silence, answer, self.abandoned)
    }
}

impl fmt::Debug for CopyIn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CopyIn").field(&self.place).finish()
    }
}

impl Drop for CopyIn<'_> {
    fn drop(&mut self) {
        if self.copy.is_some() {
            *self.abandoned = true;
        }
    }
}
