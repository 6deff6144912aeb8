//! How lists of people to tell are shown: offices and numbers, nobody's name.

use std::borrow::Cow;

use serde_json::json;

use super::{
    table::{grouped, render, table},
    terminal::{Format, OutputError, Terminal},
};
use crate::{
    domain::record_name::shown_id,
    engine::notices::{Lists, OfficeList},
};

/// Shows how many people of each office the lists name.
///
/// # Errors
/// Standard output failed.
pub fn show(terminal: &Terminal, lists: &Lists) -> Result<(), OutputError> {
    match terminal.format() {
        Format::Json => {
            let offices: Vec<_> = lists.offices.iter().map(as_json).collect();
            terminal.json(&json!({
                "folder": lists.folder.display().to_string(), "offices": offices,
            }))
        }
        Format::Table => {
            if lists.offices.is_empty() {
                return terminal.text("there is nobody to tell");
            }
            let mut shown = table(&["office", "people", "notices", "file"], &[1, 2]);
            for list in &lists.offices {
                shown.add_row([
                    called(&list.office),
                    number(list.people),
                    number(list.notices),
                    file(list, &list.page),
                ]);
            }
            terminal.text(&render(&shown))
        }
    }
}

fn as_json(list: &OfficeList) -> serde_json::Value {
    json!({
        "office": shown_id(&list.office), "people": list.people, "notices": list.notices, "by_sort": list.sorts,
        "csv": file(list, &list.sheet), "html": file(list, &list.page),
    })
}

/// The name of a file, unless it tells a code that is not to be shown; the index has it.
fn file(list: &OfficeList, name: &str) -> String {
    match shown_id(&list.office) {
        Cow::Borrowed(_) => name.to_owned(),
        Cow::Owned(_) => String::new(),
    }
}

/// The code, without what a terminal would obey.
fn called(office: &str) -> String {
    match office {
        "" => "(none)".to_owned(),
        code => shown_id(code).replace(char::is_control, "\u{fffd}"),
    }
}

fn number(number: u64) -> String {
    grouped(i64::try_from(number).unwrap_or(i64::MAX))
}
