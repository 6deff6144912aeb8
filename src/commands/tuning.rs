//! Flags over the configuration that plan and run share.

use clap::Args;

use crate::config::FlagKey;

/// Flags that stand over the configuration's own values.
#[derive(Debug, Args)]
pub(super) struct Tuning {
    /// Records per transaction, whole people kept together
    #[arg(long, value_name = "N")]
    chunk_records: Option<String>,
    /// Threads that judge
    #[arg(long, value_name = "N")]
    workers: Option<String>,
    /// Memory that may be used, for example 256MiB
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
    /// Folder for spill files
    #[arg(long, value_name = "DIR")]
    work_dir: Option<String>,
    /// Share of quarantined records above which a run stops before cut-over
    #[arg(long, value_name = "RATIO")]
    max_quarantine_ratio: Option<String>,
    /// The date of judgement
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
}

impl Tuning {
    /// The flags that were given.
    pub(super) fn flags(self) -> Vec<(FlagKey, String)> {
        let flags = [
            (FlagKey::ChunkRecords, self.chunk_records),
            (FlagKey::Workers, self.workers),
            (FlagKey::Memory, self.memory),
            (FlagKey::WorkDir, self.work_dir),
            (FlagKey::MaxQuarantineRatio, self.max_quarantine_ratio),
            (FlagKey::AsOf, self.as_of),
        ];
        flags
            .into_iter()
            .filter_map(|(key, value)| Some((key, value?)))
            .collect()
    }
}
