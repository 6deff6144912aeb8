//! The file of offices that a configuration names: CSV `office;name;patron_day`.

use std::path::Path;

use csv::StringRecord;

use crate::domain::activation::office::{Offices, PatronDay};

use super::{files, mistake::Mistake, section::Section};

const HEADER: &str = "office;name;patron_day";
const CODES: &str = "a code of its own for each office, as the counters write it";
const DAYS: &str = "MM-DD such as 06-24, or nothing";

/// Takes `offices`: the offices in that file, `None` when the key is absent.
pub(crate) fn read(section: &mut Section<'_>, base: &Path) -> Option<Offices> {
    let (path, text) = files::named(section, "offices", base)?;
    let wrong = |line: Option<u64>, column: &str, problem: &str, accepted: &str| {
        section.mistakes().push(Mistake {
            file: path.clone(),
            line: line.and_then(|line| usize::try_from(line).ok()),
            given_by: None,
            key: column.to_owned(),
            problem: problem.to_owned(),
            accepted: accepted.to_owned(),
        });
    };
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(b';')
        .flexible(true)
        .from_reader(text.as_bytes());
    if !(rows.headers()).is_ok_and(|header| header == HEADER.split(';').collect::<Vec<_>>()) {
        let header = format!("the header is `{HEADER}`");
        wrong(Some(1), "", "does not begin with its header", &header);
        return Some(Offices::default());
    }
    let mut offices = Offices::default();
    let mut count = 0_usize;
    for row in rows.records() {
        count += 1;
        let line = (row.as_ref())
            .map_or_else(csv::Error::position, StringRecord::position)
            .map(csv::Position::line);
        let Some([office, _, patron_day]) = row.as_ref().ok().and_then(fields) else {
            let problem = "is not three fields, or a quote is not closed";
            wrong(line, "", problem, &format!("`{HEADER}`"));
            continue;
        };
        let day = match patron_day {
            "" => None,
            text => match text.parse::<PatronDay>() {
                Ok(day) => Some(day),
                Err(error) => {
                    wrong(line, "patron_day", &format!("`{text}` {error}"), DAYS);
                    None
                }
            },
        };
        if office.is_empty() {
            wrong(line, "office", "is empty", CODES);
        } else if !offices.add(office, day) {
            let problem = format!("`{office}` stands there twice");
            wrong(line, "office", &problem, CODES);
        }
    }
    if count == 0 {
        let accepted = "a row for each office, or leave activation.offices out";
        wrong(None, "", "names no office", accepted);
    }
    Some(offices)
}

/// Office, name and patron day, trimmed, of a row that has these and no line end within them.
fn fields(row: &StringRecord) -> Option<[&str; 3]> {
    if row.len() != 3 || row.iter().any(|field| field.contains(['\n', '\r'])) {
        return None;
    }
    Some([row[0].trim(), row[1].trim(), row[2].trim()])
}
