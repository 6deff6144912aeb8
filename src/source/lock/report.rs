//! What trying every way past the lock gave.

use std::fmt;

/// What a try should meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// The lock's own error.
    Refused,
    /// No error, and no row added: caught for later.
    Diverted,
    /// No error, and nothing kept: logins go on.
    Passes,
    /// No error, and kept row before and after: tightenings go on.
    Captured,
}

/// What a try met.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "outcome", content = "detail", rename_all = "snake_case")]
pub enum Outcome {
    /// The lock refused it.
    Refused,
    /// The lock caught it.
    Diverted,
    /// It went through.
    Passed,
    /// It went through, and the lock kept it.
    Captured,
    /// The table itself would refuse it, lock or no lock: the database's words.
    RefusedByTable(String),
    /// There was no row, or no column, to try it on: which.
    NothingToTryOn(String),
}

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Try {
    /// What was tried.
    pub what: String,
    /// What it should have met.
    pub expected: Expected,
    /// What it met.
    pub outcome: Outcome,
}

impl Try {
    /// Whether the lock did what it should; a try that could not be made tells nothing against it.
    #[must_use]
    pub const fn as_expected(&self) -> bool {
        match (&self.outcome, self.expected) {
            (Outcome::NothingToTryOn(_), _)
            | (Outcome::Refused, Expected::Refused)
            | (
                Outcome::RefusedByTable(_),
                Expected::Refused | Expected::Passes | Expected::Captured,
            )
            | (Outcome::Diverted, Expected::Diverted)
            | (Outcome::Passed, Expected::Passes)
            | (Outcome::Captured, Expected::Captured) => true,
            (Outcome::Refused, Expected::Diverted | Expected::Passes | Expected::Captured)
            | (Outcome::RefusedByTable(_), Expected::Diverted)
            | (Outcome::Diverted, Expected::Refused | Expected::Passes | Expected::Captured)
            | (Outcome::Passed, Expected::Refused | Expected::Diverted | Expected::Captured)
            | (Outcome::Captured, Expected::Refused | Expected::Diverted | Expected::Passes) => {
                false
            }
        }
    }
}

/// All tries on one source.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TestReport {
    /// Name of the source.
    pub source: String,
    /// Whether the guards tried were those of an engaged lock, or made for the test alone.
    pub on_engaged_lock: bool,
    /// The tries, in order.
    pub tries: Vec<Try>,
}

impl TestReport {
    /// Whether every try met what it should.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.tries.iter().all(Try::as_expected)
    }

    /// The tries that did not, in words.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        let failed = self.tries.iter().filter(|one| !one.as_expected());
        failed.map(Try::to_string).collect()
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Refused => "be refused",
            Self::Diverted => "be diverted",
            Self::Passes => "pass",
            Self::Captured => "pass and be captured",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("refused"),
            Self::Diverted => f.write_str("diverted"),
            Self::Passed => f.write_str("went through"),
            Self::Captured => f.write_str("passed and captured"),
            Self::RefusedByTable(why) => write!(f, "refused by the table itself ({why})"),
            Self::NothingToTryOn(what) => write!(f, "not tried ({what})"),
        }
    }
}

impl fmt::Display for Try {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: should {}, {}",
            self.what, self.expected, self.outcome
        )
    }
}
