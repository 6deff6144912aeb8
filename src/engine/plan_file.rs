//! A saved plan: what a run is held to.

use std::{
    collections::BTreeMap,
    fs, io,
    io::Write,
    path::{Path, PathBuf},
};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{
    document::Document,
    drift::Drift,
    private_file::{PrivateFile, Replace, look_at_place},
    report::Report,
};
use crate::{
    domain::{comparison::Quarantined, digest::Digest},
    exit::Exit,
};

/// Version of the file's layout.
const SCHEMA: u32 = 1;

/// What `plan --save` writes and `run --plan` is held to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFile {
    schema: u32,
    /// Version of the program that planned.
    pub program: String,
    /// The date of judgement.
    pub as_of: Date,
    /// What the judge saw, key by key, as hashes.
    pub fixed: BTreeMap<String, String>,
    /// The fingerprint of each source.
    pub fingerprints: BTreeMap<String, Digest>,
    /// What the dry run found.
    pub report: Document<Report>,
    /// Which records it quarantined; plans of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantined: Option<Quarantined>,
}

/// A plan could not be saved or read.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// Writing failed; what was there before is untouched.
    #[error("the plan cannot be saved as {}", .path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Reading failed.
    #[error("the plan {} cannot be read", .path.display())]
    Unread {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is something else, torn, or of another version.
    #[error("{} is not a plan this version can read", .path.display())]
    NotAPlan {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// The plan says what a run is to do, and not which records stay behind.
    #[error("{} was saved by an earlier version, and does not say which records it quarantined", .path.display())]
    NotComparable {
        /// The file.
        path: PathBuf,
    },
    /// The file has a layout of another version.
    #[error("{} has layout {found}, this version reads {SCHEMA}", .path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its layout.
        found: u64,
    },
}

impl PlanFileError {
    /// A file that cannot be read is a matter of usage.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::Unwritten { .. } => Exit::Failed,
            Self::Unread { .. }
            | Self::NotAPlan { .. }
            | Self::NotComparable { .. }
            | Self::Version { .. } => Exit::Usage,
        }
    }

    /// What to type next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unwritten { .. } => {
                "name a new file, or an earlier plan, in a folder that can be written"
            }
            Self::Unread { .. }
            | Self::NotAPlan { .. }
            | Self::NotComparable { .. }
            | Self::Version { .. } => "plan again with `pinferry plan --save plan.json`",
        };
        Some(hint.to_owned())
    }
}

impl PlanFile {
    /// A plan of this version of the program.
    #[must_use]
    pub fn new(
        as_of: Date,
        fixed: BTreeMap<String, String>,
        fingerprints: BTreeMap<String, Digest>,
        report: Report,
        quarantined: Quarantined,
    ) -> Self {
        Self {
            schema: SCHEMA,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            as_of,
            fixed,
            fingerprints,
            report: Document::new(report),
            quarantined: Some(quarantined),
        }
    }

    /// Writes the plan, for its owner's eyes only; whatever stood there is replaced whole or not at all.
    ///
    /// # Errors
    /// The file could not be written.
    pub fn save(&self, path: &Path) -> Result<(), PlanFileError> {
        self.write(path).map_err(|source| PlanFileError::Unwritten {
            path: path.to_owned(),
            source,
        })
    }

    fn write(&self, path: &Path) -> io::Result<()> {
        look_at_place(path)?;
        // Last night's plan gives way to tonight's; anything else that stands there does not.
        let replace = match Self::read(path) {
            Ok(_) | Err(PlanFileError::Version { .. }) => Replace::Known,
            Err(
                PlanFileError::Unread { .. }
                | PlanFileError::NotAPlan { .. }
                | PlanFileError::NotComparable { .. }
                | PlanFileError::Unwritten { .. },
            ) => Replace::Nothing,
        };
        let mut file = PrivateFile::create(path, replace)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.write_all(b"\n")?;
        file.finish()
    }

    /// Sees, before a long dry run, whether a plan can be saved there.
    ///
    /// # Errors
    /// It cannot be.
    pub fn look_at_place(path: &Path) -> Result<(), PlanFileError> {
        let draft = PrivateFile::create(path, Replace::Known);
        draft.map(drop).map_err(|source| PlanFileError::Unwritten {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a plan back.
    ///
    /// # Errors
    /// There is no such file, or it is no plan of this version.
    pub fn read(path: &Path) -> Result<Self, PlanFileError> {
        #[derive(Deserialize)]
        struct Versioned {
            schema: u64,
        }
        let text = fs::read(path).map_err(|source| PlanFileError::Unread {
            path: path.to_owned(),
            source,
        })?;
        let not_a_plan = |source| PlanFileError::NotAPlan {
            path: path.to_owned(),
            source,
        };
        let version: Versioned = serde_json::from_slice(&text).map_err(not_a_plan)?;
        if version.schema != u64::from(SCHEMA) {
            return Err(PlanFileError::Version {
                path: path.to_owned(),
                found: version.schema,
            });
        }
        serde_json::from_slice(&text).map_err(not_a_plan)
    }

    /// Reads a plan that another dry run is compared with, and what it quarantined.
    ///
    /// # Errors
    /// There is no such plan, or it does not say what was quarantined.
    pub fn read_to_compare(path: &Path) -> Result<(Self, Quarantined), PlanFileError> {
        let mut plan = Self::read(path)?;
        let quarantined = plan.quarantined.take();
        let quarantined = quarantined.ok_or_else(|| PlanFileError::NotComparable {
            path: path.to_owned(),
        })?;
        Ok((plan, quarantined))
    }

    /// What differs from the plan; empty when nothing does.
    #[must_use]
    pub fn drift(
        &self,
        fixed: &BTreeMap<String, String>,
        fingerprints: &BTreeMap<String, Digest>,
    ) -> Vec<Drift> {
        let mut drift = self.fixed_drift(fixed);
        for (source, planned) in &self.fingerprints {
            match fingerprints.get(source) {
                Some(found) if found == planned => {}
                Some(found) => drift.push(Drift::Source {
                    name: source.clone(),
                    planned: *planned,
                    found: *found,
                }),
                // A source that is gone differs in what is fixed already.
                None => {}
            }
        }
        drift
    }

    /// What the configuration differs in, before any source is read.
    #[must_use]
    pub fn fixed_drift(&self, fixed: &BTreeMap<String, String>) -> Vec<Drift> {
        differing_keys(&self.fixed, fixed)
            .map(
                |key| match (self.fixed.contains_key(key), fixed.contains_key(key)) {
                    (true, true) => Drift::Another(key.to_owned()),
                    (true, false) => Drift::Gone(key.to_owned()),
                    (false, _) => Drift::New(key.to_owned()),
                },
            )
            .collect()
    }
}

/// The keys in which two maps of fixed things differ, in order.
pub fn differing_keys<'m>(
    one: &'m BTreeMap<String, String>,
    other: &'m BTreeMap<String, String>,
) -> impl Iterator<Item = &'m str> {
    let added = other.keys().filter(|key| !one.contains_key(*key));
    let mut keys: Vec<&str> = one
        .iter()
        .filter(|(key, hash)| other.get(*key) != Some(hash))
        .map(|(key, _)| key)
        .chain(added)
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys.into_iter()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use jiff::civil::date;

    use super::*;
    use crate::domain::tally::Tally;

    fn plan() -> PlanFile {
        let map = |pairs: &[(&str, &str)]| {
            let owned = pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
            owned.collect::<BTreeMap<_, _>>()
        };
        let report = Report::new(None, "plan", &Tally::default(), &[]);
        let fingerprints = BTreeMap::from([("inps".to_owned(), Digest(7))]);
        PlanFile::new(
            date(2013, 11, 3),
            map(&[("catalogue", "aa"), ("links", "bb")]),
            fingerprints,
            report,
            Quarantined::default(),
        )
    }

    #[test]
    fn a_saved_plan_is_read_back_as_it_was_and_is_private() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        plan().save(&path).expect("saved");
        plan().save(&path).expect("replaced");
        assert_eq!(PlanFile::read(&path).expect("read"), plan());
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let left = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(left, 1, "nothing else is left behind");
    }

    #[test]
    fn drift_names_every_key_and_both_fingerprints() {
        let mut fixed = plan().fixed;
        let mut fingerprints = plan().fingerprints;
        assert_eq!(plan().drift(&fixed, &fingerprints), Vec::new());
        fixed.insert("links".to_owned(), "cc".to_owned());
        fixed.insert("source.sede.url".to_owned(), "dd".to_owned());
        fixed.remove("catalogue");
        fingerprints.insert("inps".to_owned(), Digest(8));
        let expected = [
            "catalogue is gone",
            "links is another one than planned",
            "source.sede.url was not planned",
            "source inps changed: its fingerprint was 00000000000000000000000000000007 and is \
             00000000000000000000000000000008",
        ];
        let drift = plan().drift(&fixed, &fingerprints);
        let words: Vec<_> = drift.iter().map(Drift::to_string).collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn torn_files_and_other_layouts_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("plan.json");
        for (text, expected) in [
            ("{\"schema\": 1, \"as_of\"", "is not a plan"),
            ("{\"schema\": 2}", "has layout 2"),
        ] {
            fs::write(&path, text).expect("a file");
            let error = PlanFile::read(&path).expect_err("refused");
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.exit(), Exit::Usage);
        }
    }
}
