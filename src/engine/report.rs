//! What a plan, a run, a verification or a look at the state has to say; the JSON document of the contract.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::drift::Drift;
use crate::domain::{
    comparison::Comparison,
    digest::Digest,
    finding::FindingKind,
    forecast::{Forecast, Stage},
    quarantine::Reason,
    status::{GrantStatus, PinStatus},
    survey::Survey,
    tally::Tally,
};

/// Totals, quarantine, findings and sources of one run, or of the run a plan foresees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The run; none for a plan.
    pub run_id: Option<i64>,
    /// Where the run stands; `plan` for a plan.
    pub phase: String,
    /// Digest of everything counted here.
    pub digest: Digest,
    /// Rows in all.
    pub totals: Totals,
    /// Quarantined records by reason.
    pub quarantine: BTreeMap<Reason, i64>,
    /// Findings by kind.
    pub findings: BTreeMap<FindingKind, i64>,
    /// By name of the source.
    pub sources: BTreeMap<String, SourceReport>,
}

/// A report with what was seen beside: the document of a dry run's folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SurveyedReport {
    /// The report; its fields are the document's own.
    #[serde(flatten)]
    pub report: Report,
    /// The date of judgement.
    pub as_of: Date,
    /// What was seen beside.
    pub survey: Survey,
    /// What stands in the target already; of a dry run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found_run: Option<FoundRun>,
    /// What changed since an earlier dry run, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<Compared>,
    /// How long a run will take; of a dry run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forecast: Option<Forecast>,
    /// How long each stage took, in seconds, where one process did it from begin to end; of a run only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took: Option<BTreeMap<Stage, f64>>,
}

/// The run that a dry run found in the target: one of the same settings that is finished, or one under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundRun {
    /// Its number.
    pub run_id: i64,
    /// Where it stands.
    pub phase: String,
    /// Whether it is finished.
    #[serde(skip)]
    pub is_finished: bool,
}

/// What changed since an earlier dry run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// That one's date of judgement.
    pub as_of: Date,
    /// By source, its records: then, now.
    pub counts: BTreeMap<String, [i64; 2]>,
    /// Rules and sources that are others now.
    pub moved: Vec<Drift>,
    /// The records.
    #[serde(flatten)]
    pub records: Comparison,
}

/// Rows in all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Legacy records.
    pub records: i64,
    /// People.
    pub persons: i64,
    /// PINs by status.
    pub pins: BTreeMap<PinStatus, i64>,
    /// Grants by status.
    pub grants: BTreeMap<GrantStatus, i64>,
    /// Delegations.
    pub delegations: i64,
    /// Legacy records in quarantine.
    pub quarantined: i64,
}

/// One source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceReport {
    /// Its fingerprint, once it was read.
    pub fingerprint: Option<Digest>,
    /// Its records.
    pub records: i64,
    /// Of these, the quarantined ones by reason.
    pub quarantine: BTreeMap<Reason, i64>,
}

impl Report {
    /// What `tally` counts, with the fingerprint of each source in the order of the configuration.
    #[must_use]
    pub fn new(
        run_id: Option<i64>,
        phase: &str,
        tally: &Tally,
        fingerprints: &[(String, Option<Digest>)],
    ) -> Self {
        let mut quarantine: BTreeMap<Reason, i64> = BTreeMap::new();
        for source in tally.sources.values() {
            for (reason, count) in &source.quarantine {
                *quarantine.entry(*reason).or_default() += count;
            }
        }
        let source = |(name, fingerprint): &(String, Option<Digest>)| {
            let counts = tally.sources.get(name).cloned().unwrap_or_default();
            let report = SourceReport {
                fingerprint: *fingerprint,
                records: counts.records,
                quarantine: counts.quarantine,
            };
            (name.clone(), report)
        };
        Self {
            run_id,
            phase: phase.to_owned(),
            digest: tally.digests.rows,
            totals: Totals {
                records: tally.records(),
                persons: tally.persons,
                pins: tally.pins.clone(),
                grants: tally.grants.clone(),
                delegations: tally.delegations,
                quarantined: tally.quarantined(),
            },
            quarantine,
            findings: tally.findings.clone(),
            sources: fingerprints.iter().map(source).collect(),
        }
    }

    /// How many records each source has, here and in an earlier report: then, now.
    #[must_use]
    pub fn counts_since(&self, earlier: &Self) -> BTreeMap<String, [i64; 2]> {
        let of = |report: &Self, name: &str| report.sources.get(name).map_or(0, |of| of.records);
        let names = earlier.sources.keys().chain(self.sources.keys());
        names
            .map(|name| (name.clone(), [of(earlier, name), of(self, name)]))
            .collect()
    }

    /// Share of the records that are quarantined; nothing of nothing is nothing.
    #[must_use]
    pub fn quarantine_ratio(&self) -> f64 {
        if self.totals.records == 0 {
            return 0.0;
        }
        self.totals.quarantined as f64 / self.totals.records as f64
    }
}
