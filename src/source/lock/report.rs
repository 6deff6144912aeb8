//! What trying every way past the lock gave.

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

impl std::fmt::Display for Try {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let expected = match self.expected {
            Expected::Refused => "be refused",
            Expected::Diverted => "be diverted",
            Expected::Passes => "pass",
            Expected::Captured => "pass and be captured",
        };
        write!(f, "{}: should {expected}, ", self.what)?;
        match &self.outcome {
            Outcome::Refused => f.write_str("was refused"),
            Outcome::Diverted => f.write_str("was diverted"),
            Outcome::Passed => f.write_str("went through"),
            Outcome::Captured => f.write_str("passed and was captured"),
            Outcome::RefusedByTable(why) => write!(f, "the table itself refuses it ({why})"),
            Outcome::NothingToTryOn(what) => write!(f, "not tried ({what})"),
        }
    }
}
