//! What kind of trouble a server's answer means.

use std::io;

use sqlx::Error;

/// What went wrong, as far as callers act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody answers at this address, or whoever does takes nobody in at the moment.
    Unreachable,
    /// The server lets this role not in: wrong password, no such role, or not from here.
    NotAdmitted,
    /// The server has no such database.
    NoDatabase,
    /// The two cannot agree on an encrypted connection.
    Encryption,
    /// A file that the URL names for TLS is not there, or not what it should be.
    UnfitFile,
    /// The server is older than any this was tried on.
    TooOld,
    /// The connection is gone, or the server answers no more. What it was doing may have happened or not.
    Lost,
    /// Two transactions got in each other's way; the same transaction again may do.
    Conflict,
    /// A lock was not to be had in time.
    LockTimeout,
    /// The statement took too long, or somebody cancelled it.
    Cancelled,
    /// The role has not the right.
    PermissionDenied,
    /// The server takes no writes: a standby.
    ReadOnly,
    /// A constraint says no.
    Constraint,
    /// The server has no room on its disk.
    DiskFull,
    /// A table, column or function is not there.
    Missing,
    /// A value is not what its column or a cast asks for.
    BadValue,
    /// Anything else.
    Other,
}

impl Trouble {
    /// Of an SQLSTATE (PostgreSQL manual, appendix A).
    pub(super) fn of_sqlstate(code: &str) -> Self {
        match code {
            "28P01" | "28000" => Self::NotAdmitted,
            "3D000" => Self::NoDatabase,
            "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" | "25P04" => Self::Lost,
            "40001" | "40P01" => Self::Conflict,
            "55P03" => Self::LockTimeout,
            "57014" => Self::Cancelled,
            "42501" => Self::PermissionDenied,
            "25006" => Self::ReadOnly,
            "53100" => Self::DiskFull,
            "42P01" | "42703" | "42883" | "3F000" => Self::Missing,
            _ => match code.get(..2) {
                Some("08") => Self::Lost,
                Some("22") => Self::BadValue,
                Some("23") => Self::Constraint,
                Some(_) | None => Self::Other,
            },
        }
    }

    /// Of an error of the database layer.
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Database(error) => error
                .code()
                .map_or(Self::Other, |code| Self::of_sqlstate(&code)),
            // The layer takes bytes that are no message, such as half of one, for a breach of protocol.
            Error::Io(_) | Error::Protocol(_) | Error::WorkerCrashed => Self::Lost,
            // The layer calls a certificate without its key a configuration.
            Error::Tls(_) | Error::Configuration(_) => Self::Encryption,
            _ => Self::Other,
        }
    }

    /// The same before a session stands.
    pub(super) fn while_connecting(error: &Error) -> Self {
        match error {
            // A file of a certificate is read on the way.
            Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => Self::Encryption,
            // 53300: too many connections.
            Error::Database(error) if error.code().is_some_and(|code| code == "53300") => {
                Self::Unreachable
            }
            other => match Self::of(other) {
                Self::Lost => Self::Unreachable,
                trouble => trouble,
            },
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Unreachable => {
                "is the address right, is the server up, and does it take connections from this machine? `psql URL -c ''` tries the same"
            }
            Self::NotAdmitted => {
                "give the password as ${NAME} in the URL, in PGPASSWORD or in the password file, or a certificate in sslcert and sslkey; pg_hba.conf says who may come from where"
            }
            Self::NoDatabase => "correct the database in the URL; `psql -l` lists those there are",
            Self::Encryption => {
                "write the host as the server's certificate names it (subjectAltName), and give the authority that signed it in sslrootcert=FILE or install it on this machine; a server without TLS wants `ssl = on`, or sslmode=disable in the URL"
            }
            Self::UnfitFile => "correct sslrootcert, sslcert or sslkey in the URL",
            Self::TooOld => "upgrade the server, or take an extract as CSV",
            Self::Lost => "is the server up? Then run the same command again",
            Self::Conflict => "run the same command again",
            Self::LockTimeout => {
                "another session holds the lock: pg_stat_activity says who; then run the same command again"
            }
            Self::Cancelled => {
                "the server's log says who cancelled it or which limit it met; then run the same command again"
            }
            Self::PermissionDenied => "grant the role the right, or use another role in the URL",
            Self::ReadOnly => "this server is a standby or read-only: name the primary in the URL",
            Self::Constraint => "the server's log names the row",
            Self::DiskFull => {
                "free some space on the server's disk, then run the same command again"
            }
            Self::Missing | Self::BadValue | Self::Other => "the server's log may say more",
        }
    }
}
