//! Proof that a lock was taken.

use super::{
    Capture, Diverted, LockError, LockState, Owner, Place, place::Engine, postgres, sqlite,
};

/// How a lock came to be ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HowEngaged {
    /// Engaged in this call.
    Now,
    /// It was ours already.
    Before,
    /// Taken over from the administrator of this name, who had engaged it.
    Adopted(String),
}

/// Keeps what captures tell; they are gone after it. It may be given the same ones twice.
pub type Keep<'k> = dyn Fn(&[Capture]) -> Result<(), LockError> + 'k;

/// What to do with captures and diverted PINs that nobody processed, when a lock goes.
#[derive(Clone, Copy)]
pub enum Leftovers<'k> {
    /// Keep the lock and say so.
    Refuse,
    /// Insert the diverted PINs into the legacy again and forget the captures, whose changes the legacy
    /// has anyway, once what they tell is kept.
    HandBack(&'k Keep<'k>),
}

/// Captures that are kept at a time.
const KEPT: u32 = 10_000;

impl Leftovers<'_> {
    /// Lets so many captures be kept, `read` being how those after a number are read, while nobody makes others.
    pub(in crate::source) fn keep(
        self,
        captured: u64,
        read: impl Fn(i64, u32) -> Result<Vec<Capture>, LockError>,
    ) -> Result<(), LockError> {
        let Self::HandBack(keep) = self else {
            return Ok(());
        };
        let mut after = i64::MIN;
        for _ in 0..captured.div_ceil(u64::from(KEPT)) {
            let captures = read(after, KEPT)?;
            keep(&captures)?;
            after = captures.last().map_or(after, |last| last.seq);
        }
        Ok(())
    }
}

/// A diverted PIN the legacy itself would not take back; it is kept in the divert table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct NotHandedBack {
    /// Its number there.
    pub seq: i64,
    /// The database's words.
    pub why: String,
}

/// What a release did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Released {
    /// Diverted PINs now in the legacy.
    pub handed_back: u64,
    /// Those it would not take, kept aside under [`Released::kept_in`].
    pub not_handed_back: Vec<NotHandedBack>,
    /// The divert table that was kept because of them.
    pub kept_in: Option<String>,
    /// What could not be removed because somebody was reading, in words. It refuses nothing.
    pub remains: Vec<String>,
}

/// The lock of one source, taken by its owner. Made only by the lock code.
#[derive(Debug)]
pub struct Locked {
    pub(in crate::source) place: Place,
    pub(in crate::source) owner: Owner,
    pub(in crate::source) state: LockState,
    pub(in crate::source) how: HowEngaged,
    pub(in crate::source) reason: String,
    pub(in crate::source) engaged_at: String,
    pub(in crate::source) expected_end: String,
}

impl Locked {
    /// Name of the source.
    #[must_use]
    pub fn source(&self) -> &str {
        self.place.name()
    }

    /// Whose it is.
    #[must_use]
    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// What it was when the token was made.
    #[must_use]
    pub const fn state(&self) -> LockState {
        self.state
    }

    /// How it came to be ours.
    #[must_use]
    pub const fn how(&self) -> &HowEngaged {
        &self.how
    }

    /// Why it was engaged.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Since when (UTC, the legacy's clock).
    #[must_use]
    pub fn engaged_at(&self) -> &str {
        &self.engaged_at
    }

    /// Expected end (UTC).
    #[must_use]
    pub fn expected_end(&self) -> &str {
        &self.expected_end
    }

    /// That every guard is there, unaltered, and ours.
    ///
    /// # Errors
    /// It was broken, damaged, taken by someone else, or the database cannot be read.
    pub fn check_present(&self) -> Result<(), LockError> {
        match self.place.engine() {
            None => Ok(()),
            Some(Engine::Sqlite) => sqlite::check_present(self),
            Some(Engine::Postgres) => postgres::check_present(self),
        }
    }

    /// The oldest unprocessed captures, at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn captures(&self, limit: u32) -> Result<Vec<Capture>, LockError> {
        match self.place.engine() {
            None => Ok(Vec::new()),
            Some(Engine::Sqlite) => sqlite::captures(&self.place, i64::MIN, limit),
            Some(Engine::Postgres) => postgres::captures(&self.place, i64::MIN, limit),
        }
    }

    /// Marks captures processed, in one transaction.
    ///
    /// # Errors
    /// The database fails; nothing is marked then.
    pub fn mark_processed(&self, seqs: &[i64]) -> Result<(), LockError> {
        match self.place.engine() {
            None => Ok(()),
            Some(Engine::Sqlite) => sqlite::mark_captures(&self.place, seqs),
            Some(Engine::Postgres) => postgres::mark_captures(&self.place, seqs),
        }
    }

    /// The oldest unprocessed diverted PINs, at most `limit`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn diverted(&self, limit: u32) -> Result<Vec<Diverted>, LockError> {
        match self.place.engine() {
            None => Ok(Vec::new()),
            Some(Engine::Sqlite) => sqlite::diverted(&self.place, limit),
            Some(Engine::Postgres) => postgres::diverted(&self.place, limit),
        }
    }

    /// Marks diverted PINs processed, in one transaction.
    ///
    /// # Errors
    /// The database fails; nothing is marked then.
    pub fn mark_diverted_processed(&self, seqs: &[i64]) -> Result<(), LockError> {
        match self.place.engine() {
            None => Ok(()),
            Some(Engine::Sqlite) => sqlite::mark_diverted(&self.place, seqs),
            Some(Engine::Postgres) => postgres::mark_diverted(&self.place, seqs),
        }
    }

    /// Replaces the guards by ones that refuse every write, in one transaction that waits for writers.
    /// Sealing again changes nothing. Guards found damaged do not keep the legacy open: it is sealed, and
    /// the damage is returned, because writes may have slipped in before.
    ///
    /// # Errors
    /// The lock is no longer there or not ours, or the database fails.
    pub fn seal(&mut self) -> Result<Vec<String>, LockError> {
        match self.place.engine() {
            None => Ok(Vec::new()),
            Some(Engine::Sqlite) => sqlite::seal(self),
            Some(Engine::Postgres) => postgres::seal(self),
        }
    }

    /// Removes guards, tables and control row in one transaction. A broken lock's remains go too; a lock
    /// that is gone already is no error.
    ///
    /// # Errors
    /// It is sealed or someone else's, something is left over and [`Leftovers::Refuse`] was asked for, or
    /// the database fails. The lock stands as it was then.
    pub fn release(self, leftovers: Leftovers<'_>) -> Result<Released, LockError> {
        match self.place.engine() {
            None => Ok(Released::default()),
            Some(Engine::Sqlite) => sqlite::release(&self, leftovers),
            Some(Engine::Postgres) => postgres::release(&self, leftovers),
        }
    }
}
