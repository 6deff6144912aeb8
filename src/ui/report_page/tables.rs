//! The tables beside the page, for programs that calculate.

use super::{language::Language, remedy};
use crate::{
    domain::{
        status::GrantStatus,
        survey::{Examples, Survey},
    },
    engine::report::Report,
};

const DELIMITER: u8 = b';';
const MEMORY: &str = "it is written to memory";

/// Files by name: problems, profiles and offices, each CSV (UTF-8, separated by `;`, a header).
#[must_use]
pub fn tables(
    report: &Report,
    survey: &Survey,
    language: Language,
) -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("problems.csv", problems(report, survey, language)),
        ("profiles.csv", profiles(survey)),
        ("offices.csv", offices(survey)),
    ]
}

fn problems(report: &Report, survey: &Survey, language: Language) -> Vec<u8> {
    let mut rows =
        vec![["sort", "name", "count", "meaning", "mend", "examples"].map(str::to_owned)];
    let mut add = |sort: &str,
                   name: &str,
                   count: i64,
                   remedy: remedy::Remedy,
                   examples: Option<&Examples>| {
        let named: Vec<_> = examples
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        rows.push([
            sort.to_owned(),
            name.to_owned(),
            count.to_string(),
            remedy.meaning.in_(language).to_owned(),
            remedy.mend.in_(language).to_owned(),
            named.join(" "),
        ]);
    };
    for (reason, count) in &report.quarantine {
        let examples = survey.quarantine_examples.get(reason);
        add(
            "quarantine",
            reason.as_str(),
            *count,
            remedy::of_reason(*reason),
            examples,
        );
    }
    for (kind, count) in &report.findings {
        let examples = survey.finding_examples.get(kind);
        add(
            "finding",
            kind.as_str(),
            *count,
            remedy::of_finding(*kind),
            examples,
        );
    }
    written(rows)
}

fn profiles(survey: &Survey) -> Vec<u8> {
    let statuses = GrantStatus::ALL.iter();
    let header = ["profile", "legacy_pins"]
        .into_iter()
        .chain(statuses.map(|one| one.as_str()));
    let mut rows: Vec<Vec<String>> = vec![header.map(str::to_owned).collect()];
    for (code, counts) in &survey.profiles {
        let grants = GrantStatus::ALL.iter();
        let grants =
            grants.map(|status| counts.grants.get(status).copied().unwrap_or(0).to_string());
        rows.push(
            [code.clone(), counts.records.to_string()]
                .into_iter()
                .chain(grants)
                .collect(),
        );
    }
    written(rows)
}

fn offices(survey: &Survey) -> Vec<u8> {
    let mut rows = vec![["office", "records", "quarantined", "findings"].map(str::to_owned)];
    for (code, office) in &survey.offices {
        let numbers = [office.records, office.quarantined, office.findings].map(|n| n.to_string());
        let [records, quarantined, findings] = numbers;
        rows.push([code.clone(), records, quarantined, findings]);
    }
    written(rows)
}

fn written<R: AsRef<[String]>>(rows: Vec<R>) -> Vec<u8> {
    let mut out = csv::WriterBuilder::new()
        .delimiter(DELIMITER)
        .from_writer(Vec::new());
    for row in rows {
        out.write_record(row.as_ref()).expect(MEMORY);
    }
    out.into_inner().expect(MEMORY)
}
