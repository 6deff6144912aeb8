//! The sample data of the repository: its page says what each record proves, and is right.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use pinferry::{
    config::{Inputs, settings::Settings},
    domain::{
        finding::FindingKind,
        quarantine::Reason,
        rules::Rules,
        status::{Disposition, PinStatus},
    },
    sample, source,
};
use tempfile::TempDir;

use crate::judged;

/// What became of the records: `source:id` to outcomes (as many as there are copies), and the findings.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    ends: Vec<String>,
    findings: Vec<&'static str>,
}

fn settings(folder: &TempDir) -> Settings {
    sample::lay_out(folder.path()).expect("laid out");
    Settings::load(&Inputs {
        file: folder.path().join("pinferry.toml"),
        environment: BTreeMap::new(),
        flags: Vec::new(),
    })
    .expect("a good configuration")
}

fn outcomes() -> BTreeMap<String, Outcome> {
    let folder = TempDir::new().expect("a folder");
    let settings = settings(&folder);
    let rules = Rules {
        as_of: settings.as_of.expect("a date"),
        catalogue: settings.catalogue,
        links: settings.links,
        schemes: settings.credential_schemes.into_iter().collect(),
        sources: settings
            .sources
            .iter()
            .map(|source| source.rules.clone())
            .collect(),
    };
    let records = judged::records(&settings.sources);
    let mut pins = Vec::new();
    let mut findings = Vec::new();
    let mut quarantined = Vec::new();
    judged::judge(
        &records,
        &rules,
        |person| {
            for pin in &person.pins {
                let end = match pin.disposition {
                    Disposition::Survivor => format!("survivor, {}", pin.status),
                    Disposition::Retired => "retired".to_owned(),
                    Disposition::History => format!("history, {}", pin.status),
                };
                pins.push((format!("{}:{}", pin.source, pin.legacy_id), end));
            }
            for finding in &person.findings {
                let record = format!("{}:{}", finding.source, finding.legacy_id);
                findings.push((record, finding.kind.as_str()));
            }
        },
        |row| {
            quarantined.push((
                format!("{}:{}", row.source, row.legacy_id),
                row.reason.to_string(),
            ))
        },
    );
    let mut outcomes: BTreeMap<String, Outcome> = BTreeMap::new();
    for (record, end) in pins.into_iter().chain(quarantined) {
        outcomes.entry(record).or_default().ends.push(end);
    }
    for (record, kind) in findings {
        outcomes.entry(record).or_default().findings.push(kind);
    }
    outcomes
}

/// The tables of the page: record, outcome, findings.
fn page() -> BTreeMap<String, Outcome> {
    let text = fs::read_to_string("sample-data/README.md").expect("the page");
    let mut said: BTreeMap<String, Outcome> = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, record, end, findings, _, _] = cells[..] else {
            continue;
        };
        let Some(record) = record
            .strip_prefix('`')
            .and_then(|text| text.strip_suffix('`'))
        else {
            continue;
        };
        let outcome = said.entry(record.to_owned()).or_default();
        outcome.ends.push(end.trim_matches('`').to_owned());
        for kind in findings
            .split(',')
            .map(|kind| kind.trim().trim_matches('`'))
        {
            outcome
                .findings
                .extend(FindingKind::by_name(kind).map(FindingKind::as_str));
        }
    }
    said
}

#[test]
fn the_page_says_what_becomes_of_every_record() {
    let (said, found) = (page(), outcomes());
    for (record, outcome) in &found {
        assert_eq!(said.get(record), Some(outcome), "{record}");
    }
    assert_eq!(
        said.len(),
        found.len(),
        "the page names records that do not exist"
    );
}

#[test]
fn every_disposition_reason_and_finding_is_shown() {
    let found = outcomes();
    let ends: BTreeSet<&str> = found
        .values()
        .flat_map(|o| &o.ends)
        .map(String::as_str)
        .collect();
    for reason in Reason::ALL {
        assert!(ends.contains(reason.as_str()), "no {reason}");
    }
    let live = [PinStatus::Active, PinStatus::Suspended, PinStatus::Pending];
    for status in live {
        assert!(
            ends.contains(format!("survivor, {status}").as_str()),
            "no {status}"
        );
    }
    for end in ["retired", "history, revoked", "history, ceased"] {
        assert!(ends.contains(end), "no {end}");
    }
    let findings: BTreeSet<&str> = found
        .values()
        .flat_map(|o| o.findings.iter().copied())
        .collect();
    for kind in FindingKind::ALL {
        assert!(findings.contains(kind.as_str()), "no {kind}");
    }
}

#[test]
fn the_sources_have_no_mistakes() {
    let folder = TempDir::new().expect("a folder");
    for source in settings(&folder).sources {
        source::check(&source).expect("no mistakes");
    }
    let again = sample::lay_out(folder.path()).expect_err("refused");
    assert_eq!(again.exit().code(), 2);
}
