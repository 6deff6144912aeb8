//! What can go wrong between the sources and a sorted stream of cases.

use std::{io, path::PathBuf};

use crate::{
    domain::raw_record::{Damaged, SourceIndex},
    engine::stop::StopReason,
    exit::Exit,
    source::SourceError,
};

/// The sources could not be extracted and sorted.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// A source could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The work folder cannot be made or written to.
    #[error("the work folder {} cannot be used", .folder.display())]
    WorkFolder {
        /// `run.work_dir`.
        folder: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A spill file cannot be written, mostly because the disk is full.
    #[error("a spill file in the work folder {} cannot be written", .folder.display())]
    Spill {
        /// `run.work_dir`.
        folder: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A spill file cannot be read back.
    #[error("a spill file in the work folder {} cannot be read back", .folder.display())]
    ReadBack {
        /// `run.work_dir`.
        folder: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A compact record cannot be decoded.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// One record has more text than a run can hold.
    #[error("record number {number} of source number {} is larger than a work buffer can hold", u32::from(.index.0) + 1)]
    RecordTooLarge {
        /// Its source.
        index: SourceIndex,
        /// Its number there, from 1.
        number: u64,
    },
    /// More records than can be numbered.
    #[error("the sources hold more than {} records together", u32::MAX)]
    TooManyRecords,
    /// Records judged together do not fit into memory together.
    #[error(
        "{records} records carry one fiscal code, record number {number} of source {source_name:?} among them: more than run.memory allows for"
    )]
    CaseTooLarge {
        /// How many were held when memory ran out.
        records: usize,
        /// The source of the last of them.
        source_name: String,
        /// Its number there, from 1.
        number: u64,
    },
    /// A source without a record is a mistake more often than the truth.
    #[error("source {source_name:?} holds no record at all")]
    NoRecords {
        /// Name of the source.
        source_name: String,
    },
    /// Asked to stop.
    #[error("stopped on request")]
    Stopped(StopReason),
}

impl ExtractError {
    /// How the program ends with this error.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Source(error) => error.exit(),
            Self::WorkFolder { .. }
            | Self::Spill { .. }
            | Self::ReadBack { .. }
            | Self::Damaged(_)
            | Self::RecordTooLarge { .. }
            | Self::TooManyRecords
            | Self::NoRecords { .. }
            | Self::CaseTooLarge { .. } => Exit::Failed,
            Self::Stopped(reason) => reason.exit(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Source(error) => return error.hint(),
            Self::WorkFolder { .. } => {
                "set run.work_dir to a folder this account may write to, then run the same command again"
            }
            Self::Spill { .. } => {
                "free space there (up to three times the size of the sources), set run.work_dir to another disk, or raise run.memory; then run the same command again"
            }
            Self::ReadBack { .. } => {
                "check the disk of run.work_dir, then run the same command again"
            }
            Self::Damaged(_) => return None,
            Self::RecordTooLarge { .. } | Self::TooManyRecords => {
                "this is more than one run can take; ask for an extract in smaller parts"
            }
            Self::NoRecords { .. } => {
                "ask whoever made the extract; if it is meant to be empty, say `records = 0` in its [[source]]"
            }
            Self::CaseTooLarge { .. } => {
                "is the column of the fiscal code mapped right? If it is, raise run.memory, then run the same command again"
            }
            Self::Stopped(_) => "run the same command again",
        };
        Some(hint.to_owned())
    }
}
