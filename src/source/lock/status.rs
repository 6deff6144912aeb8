//! What a lock looks like from outside.

use crate::{config::settings::LockMode, domain::status::vocabulary};

use super::{Holding, Owner};

vocabulary! {
    /// What a lock is, by what its guards do.
    LockState {
        /// No lock.
        Open = "open",
        /// PIN management is banned.
        Engaged = "engaged",
        /// Every write is banned, the PINs having moved.
        Sealed = "sealed",
        /// An administrator removed it; its owner does not know yet.
        Broken = "broken",
    }
}

/// Whether the guards are what they should be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", content = "what", rename_all = "snake_case")]
pub enum Guards {
    /// None there.
    Absent,
    /// All there and as made.
    Present,
    /// There, but made with another configuration than the present one, so nobody can tell.
    Unverifiable,
    /// Some are missing or altered, each in words.
    Damaged(Vec<String>),
}

/// How many writes were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "state", content = "count", rename_all = "snake_case")]
pub enum Refused {
    /// So many.
    Counted(u64),
    /// SQLite undoes a counter together with the statement it refuses, so nobody knows.
    NotCounted,
}

/// The lock of one source, as `status` and `lock status` show it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct LockStatus {
    /// Name of the source.
    pub source: String,
    /// Whether there is anything to lock.
    pub lockable: bool,
    /// What it is.
    pub state: LockState,
    /// Whose it is.
    pub owner: Option<Owner>,
    /// The target of the owner's configuration, without secrets.
    #[serde(skip)]
    pub successor: Option<String>,
    /// Why it was engaged.
    pub reason: Option<String>,
    /// Since when (UTC, the legacy's clock).
    pub engaged_at: Option<String>,
    /// Expected end (UTC).
    pub expected_end: Option<String>,
    /// Whether the expected end has passed, by the legacy's clock.
    pub overdue: bool,
    /// When it was sealed or broken (UTC).
    pub changed_at: Option<String>,
    /// Who broke it and why.
    pub broken: Option<String>,
    /// What happens to a new PIN.
    pub mode: Option<LockMode>,
    /// Writes refused.
    pub refused: Refused,
    /// New PINs caught.
    pub diverted: u64,
    /// Of these, not processed yet.
    pub diverted_open: u64,
    /// Changes let through and captured.
    pub captured: u64,
    /// Of these, not processed yet.
    pub captured_open: u64,
    /// Whether the guards are there.
    pub guards: Guards,
    /// What an earlier lock left behind because somebody was reading, in words. It refuses nothing.
    pub remains: Vec<String>,
    /// What the lock refuses, or would refuse, although it should pass.
    pub warnings: Vec<LockWarning>,
}

/// What a lock refuses although it should pass.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct LockWarning {
    /// That, in words.
    pub what: String,
    /// What may be done about it.
    #[serde(skip)]
    pub next: String,
}

impl LockStatus {
    /// Nobody's lock.
    pub(in crate::source) fn open(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            lockable: true,
            state: LockState::Open,
            owner: None,
            successor: None,
            reason: None,
            engaged_at: None,
            expected_end: None,
            overdue: false,
            changed_at: None,
            broken: None,
            mode: None,
            refused: Refused::NotCounted,
            diverted: 0,
            diverted_open: 0,
            captured: 0,
            captured_open: 0,
            guards: Guards::Absent,
            remains: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// An extract.
    pub(super) fn nothing_to_lock(source: &str) -> Self {
        Self {
            lockable: false,
            ..Self::open(source)
        }
    }

    /// Whether the application is kept from managing PINs.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        match self.state {
            LockState::Engaged | LockState::Sealed => true,
            LockState::Open | LockState::Broken => false,
        }
    }

    /// What whoever is refused because of it is told; nothing where nobody known holds it.
    #[must_use]
    pub fn holding(&self) -> Option<Holding> {
        let owner = self.owner.as_ref().filter(|_| self.is_held())?;
        Some(Holding {
            source_name: self.source.clone(),
            state: self.state,
            owner: owner.clone(),
            since: self.engaged_at.clone()?,
            expected_end: self.expected_end.clone()?,
            reason: self.reason.clone()?,
            successor: self.successor.clone()?,
        })
    }

    /// Whether the guards are not what they should be.
    #[must_use]
    pub const fn is_damaged(&self) -> bool {
        match self.guards {
            Guards::Absent | Guards::Present | Guards::Unverifiable => false,
            Guards::Damaged(_) => true,
        }
    }

    /// One line for people: is it held, since when, until when, what it refused, diverted and captured.
    #[must_use]
    pub fn line(&self) -> String {
        let name = &self.source;
        if !self.lockable {
            return format!("{name}: an extract, nothing to lock");
        }
        let unknown = String::from("?");
        let owner = match &self.owner {
            Some(owner) => owner.to_string(),
            None => "nobody known".to_owned(),
        };
        let since = self.engaged_at.as_ref().unwrap_or(&unknown);
        let changed = self.changed_at.as_ref().unwrap_or(&unknown);
        let mut line = match self.state {
            LockState::Open => format!("{name}: PIN management is open, no lock"),
            LockState::Engaged => {
                let end = self.expected_end.as_ref().unwrap_or(&unknown);
                let overdue = if self.overdue { ", OVERDUE" } else { "" };
                format!(
                    "{name}: PIN management is LOCKED since {since} by {owner}, expected end {end}{overdue}"
                )
            }
            LockState::Sealed => {
                let successor = self.successor.as_ref().unwrap_or(&unknown);
                format!("{name}: SEALED since {changed} by {owner}, the PINs moved to {successor}")
            }
            LockState::Broken => {
                let by = self.broken.as_ref().unwrap_or(&unknown);
                format!("{name}: the lock of {owner} was BROKEN at {changed} by {by}")
            }
        };
        if self.state != LockState::Open {
            line.push_str(&self.tallies());
        }
        if let Guards::Damaged(what) = &self.guards {
            line.push_str("; GUARDS DAMAGED: ");
            line.push_str(&what.join(", "));
        }
        if !self.remains.is_empty() {
            let what = self.remains.join(", ");
            line.push_str(&format!(
                "; left by an earlier lock, and refusing nothing: {what}"
            ));
        }
        for warning in &self.warnings {
            line.push_str(&format!("; WARNING: {}", warning.what));
        }
        line
    }

    fn tallies(&self) -> String {
        let refused = match self.refused {
            Refused::Counted(count) => format!("{count} writes refused"),
            Refused::NotCounted => "refused writes not counted on SQLite".to_owned(),
        };
        format!(
            "; {refused}, {} diverted ({} to process), {} captured ({} to process)",
            self.diverted, self.diverted_open, self.captured, self.captured_open
        )
    }
}
