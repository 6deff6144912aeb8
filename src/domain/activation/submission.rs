//! A request as the queue holds it: accepted, or refused with its reason.

use std::fmt;

use jiff::Timestamp;

use super::{kind::Kind, refusal::Refusal, request::Request};
use crate::domain::status::vocabulary;

vocabulary! {
    /// How a request came into the queue.
    Origin {
        /// From a file of the counters.
        Intake = "intake",
        /// As a new PIN that the lock diverted.
        Divert = "divert",
    }
}

vocabulary! {
    /// Where a request is on its way.
    RequestState {
        /// Waits for its day.
        Accepted = "accepted",
        /// Never took its way.
        Refused = "refused",
        /// A request accepted later, for the same person, profile and entity, took its place.
        Superseded = "superseded",
        /// Took effect.
        Done = "done",
        /// Was due and changed nothing.
        Failed = "failed",
    }
}

/// Whose request was refused, as far as the counter needs it to find him; nothing of what may be a PIN in clear
/// in the wrong column. Its `Debug` tells the profile only.
#[derive(Clone, PartialEq, Eq)]
pub struct Applicant {
    /// As written; empty unless it is a code.
    pub fiscal_code: String,
    /// As written; empty where it holds a digit.
    pub surname: String,
    /// The same.
    pub given_name: Option<String>,
    /// Empty unless the catalogue has it.
    pub profile: String,
    /// As written.
    pub office: Option<String>,
}

impl fmt::Debug for Applicant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Applicant({})", self.profile)
    }
}

/// What the rules say of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes effect when it is due.
    Accepted(Box<Request>),
    /// It never does. Nothing of its credential is kept.
    Refused {
        /// Why.
        refusal: Refusal,
        /// What exactly was wrong, naming columns and never their values.
        detail: String,
        /// Whose it was.
        applicant: Applicant,
    },
}

/// A request, evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// Unique for ever.
    pub request_id: String,
    /// Where it came from.
    pub origin: Origin,
    /// What it asks for.
    pub kind: Kind,
    /// When it was accepted, or refused, at the counter; to the millisecond.
    pub accepted_at: Timestamp,
    /// The earliest moment at which it may take effect.
    pub not_before: Timestamp,
    /// Codes of the documents presented.
    pub documents: Vec<String>,
    /// What tells this request from another with the same id, as a JSON object; of one that is refused less.
    pub payload: String,
    /// What tells it where it was decided otherwise when it came first; never kept.
    pub otherwise: Option<String>,
    /// What the rules say of it.
    pub verdict: Verdict,
}

impl Submission {
    /// Whether this is what was kept of it when it came first.
    #[must_use]
    pub fn is_known_by(&self, payload: &str) -> bool {
        self.payload == payload || self.otherwise.as_deref() == Some(payload)
    }

    /// Whether it would be decided otherwise now than when it was refused for this reason.
    #[must_use]
    pub fn is_refused_otherwise(&self, reason: &str) -> bool {
        match &self.verdict {
            Verdict::Accepted(_) => true,
            Verdict::Refused {
                refusal, detail, ..
            } => reason != reason_of(*refusal, detail),
        }
    }
}

/// A reason as it is kept and answered: the word that programs read, and the words for people.
#[must_use]
pub fn reason_of(refusal: Refusal, detail: &str) -> String {
    format!("{}: {detail}", refusal.as_str())
}
