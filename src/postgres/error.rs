//! What a server or the way to it did not do.

use std::{fmt, io, time::Duration};

use sqlx::Error;

use super::{Trouble, certificates::Unfit};
use crate::exit::Exit;

/// A server, or the way to it, failed. Holds neither password nor rows: the server's DETAIL and CONTEXT, which
/// quote rows, are left out, and so is its message where that quotes a value.
#[derive(thiserror::Error)]
#[error("{place}: {doing} failed: {}", self.told())]
pub struct PostgresError {
    place: Box<str>,
    doing: &'static str,
    trouble: Trouble,
    sqlstate: Option<Box<str>>,
    constraint: Option<Box<str>>,
    message: Box<str>,
    #[source]
    source: Option<io::Error>,
}

impl PostgresError {
    pub(super) fn new(place: &str, doing: &'static str, trouble: Trouble, error: Error) -> Self {
        let mut made = Self::plain(place, doing, trouble, "");
        match error {
            Error::Database(error) => {
                made.sqlstate = error.code().map(Into::into);
                made.constraint = error.constraint().map(Into::into);
                made.message = error.message().into();
            }
            Error::Io(error) => {
                made.message = match trouble {
                    Trouble::Unreachable => "there is no way to the server".into(),
                    Trouble::Encryption => "there is no encrypted connection".into(),
                    _ => "the connection is gone".into(),
                };
                made.source = Some(error);
            }
            Error::Tls(why) | Error::Configuration(why) => {
                made.message = format!("there is no encrypted connection: {why}").into();
            }
            other => made.message = other.to_string().into(),
        }
        made
    }

    pub(super) fn late(
        place: &str,
        doing: &'static str,
        trouble: Trouble,
        after: Duration,
    ) -> Self {
        let message = format!("no answer for {} seconds", after.as_secs_f32().ceil());
        Self::plain(place, doing, trouble, &message)
    }

    pub(super) fn unfit_file(place: &str, doing: &'static str, unfit: Unfit) -> Self {
        Self {
            source: unfit.source,
            ..Self::plain(place, doing, Trouble::UnfitFile, &unfit.message)
        }
    }

    pub(super) fn too_old(place: &str, doing: &'static str, version: u32) -> Self {
        let message = format!(
            "this is PostgreSQL {}, and 15 is the oldest",
            version / 10_000
        );
        Self::plain(place, doing, Trouble::TooOld, &message)
    }

    pub(super) fn given_up(place: &str, doing: &'static str) -> Self {
        let message = "the connection was given up before";
        Self::plain(place, doing, Trouble::Lost, message)
    }

    fn plain(place: &str, doing: &'static str, trouble: Trouble, message: &str) -> Self {
        Self {
            place: place.into(),
            doing,
            trouble,
            sqlstate: None,
            constraint: None,
            message: message.into(),
            source: None,
        }
    }

    /// Which database, without secrets.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What was being done.
    #[must_use]
    pub const fn doing(&self) -> &'static str {
        self.doing
    }

    /// What kind of trouble it is.
    #[must_use]
    pub const fn trouble(&self) -> Trouble {
        self.trouble
    }

    /// Whether the connection is gone, or there was none to be had: the same from the start may do.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self.trouble, Trouble::Lost | Trouble::Unreachable)
    }

    /// The server's SQLSTATE, where it spoke at all.
    #[must_use]
    pub fn sqlstate(&self) -> Option<&str> {
        self.sqlstate.as_deref()
    }

    /// The constraint that said no.
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    /// The server's own words, which may quote a value: to be looked at, never to be shown.
    #[must_use]
    pub fn server_message(&self) -> &str {
        &self.message
    }

    /// How the program ends with this error.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self.trouble {
            Trouble::Unreachable
            | Trouble::NotAdmitted
            | Trouble::NoDatabase
            | Trouble::Encryption
            | Trouble::UnfitFile
            | Trouble::TooOld => Exit::Usage,
            Trouble::Lost
            | Trouble::Conflict
            | Trouble::LockTimeout
            | Trouble::Cancelled
            | Trouble::PermissionDenied
            | Trouble::ReadOnly
            | Trouble::Constraint
            | Trouble::DiskFull
            | Trouble::Missing
            | Trouble::BadValue
            | Trouble::Other => Exit::Failed,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(self.trouble.hint().to_owned())
    }

    /// The server's words as they may be shown, without what was being done and where.
    #[must_use]
    pub fn words(&self) -> String {
        self.told()
    }

    /// The server's words, unless they may quote a value: those of a bad value, and those of somebody's function.
    fn told(&self) -> String {
        let Some(sqlstate) = &self.sqlstate else {
            return self.message.to_string();
        };
        let quotes = self.trouble == Trouble::BadValue || sqlstate.starts_with("P0");
        let words = if quotes {
            "the server refuses a value; its log names it"
        } else {
            &self.message
        };
        format!("{words} (SQLSTATE {sqlstate})")
    }
}

/// What Display says.
impl fmt::Debug for PostgresError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresError({:?}: {self})", self.trouble)
    }
}
