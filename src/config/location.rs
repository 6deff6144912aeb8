//! URLs: `csv://`, `sqlite://`, and those this build refuses in words.

use std::path::{Path, PathBuf};

use super::{
    environment::{Environment, expand},
    section::{Given, Section},
};

/// What a URL leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A CSV file.
    Csv(PathBuf),
    /// A SQLite database.
    Sqlite(PathBuf),
}

/// Takes the section's `url`; `accepted` says what would do.
pub(crate) fn place(
    section: &mut Section<'_>,
    base: &Path,
    environment: &Environment,
    accepted: &str,
) -> Option<Place> {
    let given = section.required("url", accepted)?;
    match parse(&given, base, environment) {
        Ok(place) => Some(place),
        Err(problem) => {
            section.wrong(&given.origin, "url", problem, accepted);
            None
        }
    }
}

fn parse(given: &Given, base: &Path, environment: &Environment) -> Result<Place, String> {
    let url = expand(&given.text, environment)?;
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("is not a URL".to_owned());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "postgres" | "postgresql" => Err(
            "this build reads and writes SQLite and CSV; PostgreSQL is not supported yet"
                .to_owned(),
        ),
        "mysql" | "mariadb" => Err(
            "this build reads and writes SQLite and CSV; MySQL and MariaDB are not supported"
                .to_owned(),
        ),
        "csv" => Ok(Place::Csv(path(rest, base)?)),
        "sqlite" => Ok(Place::Sqlite(path(rest, base)?)),
        _ => Err("has a scheme nobody knows".to_owned()),
    }
}

fn path(rest: &str, base: &Path) -> Result<PathBuf, String> {
    if rest.is_empty() {
        return Err("names no file".to_owned());
    }
    if rest.contains('?') || rest.eq_ignore_ascii_case(":memory:") {
        return Err(
            "names no plain file; options after ? and :memory: are not accepted".to_owned(),
        );
    }
    Ok(base.join(rest))
}
