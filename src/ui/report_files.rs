//! What stands in the folder of a report: the page, and its numbers as JSON, CSV and text.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    report,
    report_page::{self, Language, Of, Shown},
};
use crate::{
    domain::{catalogue::Catalogue, forecast::Stage},
    engine::{document::Document, report::SurveyedReport},
};

/// The files of a report, by name.
#[must_use]
pub fn files(
    surveyed: &SurveyedReport,
    catalogue: &Catalogue,
    max_quarantine_ratio: f64,
    language: Language,
) -> Vec<(&'static str, Vec<u8>)> {
    const NOTHING: &BTreeMap<Stage, f64> = &BTreeMap::new();
    let SurveyedReport {
        report,
        as_of,
        survey,
        found_run,
        compared,
        forecast,
        took,
    } = surveyed;
    let shown = Shown {
        report,
        survey,
        compared: compared.as_ref(),
        found_run: found_run.as_ref(),
        of: match forecast {
            Some(forecast) => Of::DryRun(forecast),
            None => Of::Run(took.as_ref().unwrap_or(NOTHING)),
        },
        catalogue,
        as_of: *as_of,
        written: Timestamp::now(),
        max_quarantine_ratio,
    };
    let mut json =
        serde_json::to_vec_pretty(&Document::new(surveyed)).expect("a document of our own");
    json.push(b'\n');
    let page = report_page::page(&shown, language);
    let text = report::text(report, compared.as_ref());
    let mut files = vec![
        ("report.json", json),
        ("report.txt", format!("{text}\n").into_bytes()),
    ];
    files.extend(report_page::tables(report, survey, language));
    // The last to come in the place of an earlier one: no page stands beside numbers that are older.
    files.push(("report.html", page.into_bytes()));
    files
}
