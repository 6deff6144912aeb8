//! Room on the disks for spill files and target.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt, path::Path};

use rustix::fs::statvfs;

use super::Check;
use crate::{
    config::settings::{Settings, TargetSettings},
    exit::Exit,
    source,
};

/// Bytes of target for each byte of source. Two million generated records of 392 MB make a target of 934 MB, that
/// is 2.4; the rest is room for the write-ahead log and for building indexes.
const TARGET_PER_SOURCE: u64 = 4;

/// Bytes of spill files for each byte of source. With its key a spilled record is up to half as large again as in
/// its source, and while many spilled runs are merged into fewer, both copies stand.
const SPILL_PER_SOURCE: u64 = 3;

/// Compares what will be needed with what is free, disk by disk.
pub(super) fn space(settings: &Settings) -> Vec<Check> {
    let source_bytes: u64 = settings.sources.iter().filter_map(source::bytes).sum();
    let spills = source_bytes > settings.run.memory_bytes;
    let mut needs = vec![(
        "run.work_dir",
        settings.run.work_dir.as_path(),
        if spills {
            source_bytes * SPILL_PER_SOURCE
        } else {
            0
        },
    )];
    // The disk of a server is not ours to look at.
    if let TargetSettings::Sqlite(target) = &settings.target {
        let folder = target.parent().unwrap_or(target);
        needs.insert(0, ("target", folder, source_bytes * TARGET_PER_SOURCE));
    }
    let mut disks: BTreeMap<u64, Disk> = BTreeMap::new();
    let mut checks = Vec::new();
    for (subject, folder, needed) in needs {
        match look(folder) {
            Ok((device, free)) => {
                let disk = disks.entry(device).or_insert_with(|| Disk::new(free));
                disk.subjects.push(subject);
                disk.needed += needed;
            }
            Err(error) => checks.push(Check::fail(
                subject,
                format!("{}: {error}", folder.display()),
                Some("correct the folder".to_owned()),
                Exit::Usage,
            )),
        }
    }
    checks.extend(disks.values().map(Disk::check));
    checks
}

struct Disk {
    subjects: Vec<&'static str>,
    free: u64,
    needed: u64,
}

impl Disk {
    fn new(free: u64) -> Self {
        Self {
            subjects: Vec::new(),
            free,
            needed: 0,
        }
    }

    fn check(&self) -> Check {
        let subject = format!("disk of {}", self.subjects.join(" and "));
        let found = format!(
            "{} free, about {} needed",
            size(self.free),
            size(self.needed)
        );
        let next = "free some space, or put target.url or run.work_dir on another disk";
        if self.free < self.needed / 2 {
            Check::fail(&subject, found, Some(next.to_owned()), Exit::Failed)
        } else if self.free < self.needed {
            Check::warn(&subject, found, next)
        } else {
            Check::ok(&subject, found)
        }
    }
}

/// Device and free bytes of the folder, or of where it will be created.
fn look(folder: &Path) -> std::io::Result<(u64, u64)> {
    let existing = folder
        .ancestors()
        .find(|ancestor| ancestor.exists())
        .unwrap_or(Path::new("."));
    let metadata = fs::metadata(existing)?;
    if !metadata.is_dir() {
        return Err(std::io::Error::other("is not a folder"));
    }
    let disk = statvfs(existing)?;
    Ok((metadata.dev(), disk.f_bavail.saturating_mul(disk.f_frsize)))
}

fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}
