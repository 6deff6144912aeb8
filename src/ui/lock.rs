//! What trying every way past the lock gave.

use super::table::{render, table};
use crate::source::lock::TestReport;

/// One line for each try.
#[must_use]
pub fn tries(reports: &[TestReport]) -> String {
    let mut rows = table(&["source", "", "tried"], &[]);
    for report in reports {
        for one in &report.tries {
            let verdict = if one.as_expected() { "ok" } else { "FAIL" };
            rows.add_row([report.source.clone(), verdict.to_owned(), one.to_string()]);
        }
    }
    render(&rows)
}
