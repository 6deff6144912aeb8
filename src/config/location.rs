//! URLs: `csv://`, `sqlite://`, `postgres://`, and those this build refuses in words.

use std::path::{Path, PathBuf};

use super::{
    environment::{Environment, expand, expand_as},
    postgres::{PostgresSettings, percent_encoded},
    section::{Given, Section},
};

/// What a URL leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A CSV file.
    Csv(PathBuf),
    /// A SQLite database.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresSettings),
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
    let url = expanded(&given.text, environment)?;
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err("is not a URL".to_owned());
    };
    match scheme.to_ascii_lowercase().as_str() {
        "postgres" | "postgresql" => PostgresSettings::parse(&url, base).map(Place::Postgres),
        "mysql" | "mariadb" => Err(
            "this build knows CSV, SQLite and PostgreSQL; MySQL and MariaDB are not supported"
                .to_owned(),
        ),
        "csv" => Ok(Place::Csv(path(rest, base)?)),
        "sqlite" => Ok(Place::Sqlite(path(rest, base)?)),
        _ => Err("has a scheme nobody knows".to_owned()),
    }
}

/// The URL with its variables replaced. A password from a variable stands for itself, whatever characters it has:
/// before the `@` of `postgres://${USER}:${PASSWORD}@host/database` values are percent-encoded.
fn expanded(text: &str, environment: &Environment) -> Result<String, String> {
    let somebody = || {
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next()?;
        let at = scheme.len() + "://".len() + authority.rfind('@')?;
        scheme
            .to_ascii_lowercase()
            .starts_with("postgres")
            .then_some(at)
    };
    let (somebody, rest) = text.split_at(somebody().unwrap_or(0));
    let somebody = expand_as(somebody, environment, percent_encoded)?;
    Ok(somebody + &expand(rest, environment)?)
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
