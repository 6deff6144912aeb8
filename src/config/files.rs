//! The files a configuration names: the profile catalogue and the links.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::domain::{catalogue::Catalogue, links::Links};

use super::{
    mistake::{Mistake, Mistakes},
    section::Section,
};

/// Takes `profiles`: the catalogue in that file, the built-in one when the key is absent.
pub(crate) fn catalogue(section: &mut Section<'_>, base: &Path) -> Catalogue {
    let Some((path, text)) = named(section, "profiles", base) else {
        return Catalogue::built_in();
    };
    Catalogue::from_toml(&text).unwrap_or_else(|found| {
        for mistake in found {
            wrong(
                section.mistakes(),
                &path,
                None,
                mistake.place,
                mistake.problem,
            );
        }
        Catalogue::built_in()
    })
}

/// Takes `fiscal_code_links`: the links in that file, none when the key is absent.
pub(crate) fn links(section: &mut Section<'_>, base: &Path) -> Links {
    let Some((path, text)) = named(section, "fiscal_code_links", base) else {
        return Links::default();
    };
    let pairs = pairs(&text, &path, section.mistakes());
    Links::from_pairs(pairs).unwrap_or_else(|found| {
        for mistake in found {
            let problem = mistake.to_string();
            wrong(section.mistakes(), &path, None, String::new(), problem);
        }
        Links::default()
    })
}

/// The text of the file that a key names, where there is one.
pub(super) fn named(
    section: &mut Section<'_>,
    key: &'static str,
    base: &Path,
) -> Option<(PathBuf, String)> {
    let given = section.text(key)?;
    let path = base.join(&given.text);
    let problem = match fs::read(&path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
                return Some((path, text));
            }
            Err(_) => format!("{} is not UTF-8 text", path.display()),
        },
        Err(error) => format!("{} cannot be read: {error}", path.display()),
    };
    section.wrong(&given.origin, key, problem, "a file, or leave the key out");
    None
}

/// Line, old and new code of every row.
fn pairs(text: &str, path: &Path, mistakes: &Mistakes) -> Vec<(u64, String, String)> {
    const HEADER: &str = "the header is `old;new`";
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(b';')
        .flexible(true)
        .from_reader(text.as_bytes());
    match rows.headers() {
        Ok(header) if header == vec!["old", "new"] => {}
        Ok(_) | Err(_) => {
            wrong(mistakes, path, Some(1), String::new(), HEADER.to_owned());
            return Vec::new();
        }
    }
    let mut pairs = Vec::new();
    for row in rows.records() {
        let line = row
            .as_ref()
            .map_or_else(csv::Error::position, csv::StringRecord::position)
            .map_or(0, csv::Position::line);
        match row {
            Ok(row) if row.len() == 2 => pairs.push((line, row[0].to_owned(), row[1].to_owned())),
            Ok(_) | Err(_) => {
                let line = usize::try_from(line).ok();
                let problem = "is not `old;new`".to_owned();
                wrong(mistakes, path, line, String::new(), problem);
            }
        }
    }
    pairs
}

pub(super) fn wrong(
    mistakes: &Mistakes,
    path: &Path,
    line: Option<usize>,
    key: String,
    problem: String,
) {
    mistakes.push(Mistake {
        file: path.to_owned(),
        line,
        given_by: None,
        key,
        problem,
        accepted: String::new(),
    });
}
