//! Requests as JSON Lines: an object a line, its keys the columns; what is absent or null is empty.

use std::{fmt, path::Path};

use csv::{Position, StringRecord};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, error::Category};

use super::{Records, RequestsError, VERSION, VERSION_COLUMN, perhaps_meant};
use crate::domain::activation::column::{COLUMNS, Column};

const NO_TEXT: &str = "is no text in quotes";
const NO_CODES: &str = "is no list of codes without spaces, and no text";

/// The records of a file, their fields in the order of [`Column::ALL`].
pub(super) fn read(path: &Path, text: &str) -> Result<Records, RequestsError> {
    let mut records = Vec::new();
    let mut lines = text.split_terminator('\n').zip(1_u64..).peekable();
    while let Some((line, number)) = lines.next() {
        if line.trim().is_empty() {
            continue;
        }
        let reading = Line { path, number };
        let is_cut = lines.peek().is_none() && !text.ends_with('\n');
        let object =
            serde_json::from_str(line).map_err(|error| reading.not_json(&error, is_cut))?;
        records.push(reading.record(object)?);
    }
    Ok(records)
}

/// Keys and values as they stand there: one that comes twice is there twice.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object in braces")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Object, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Object(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

#[derive(Clone, Copy)]
struct Line<'p> {
    path: &'p Path,
    number: u64,
}

impl Line<'_> {
    fn not_json(self, error: &serde_json::Error, is_last: bool) -> RequestsError {
        let (path, line) = (self.path.to_owned(), self.number);
        let problem = match error.classify() {
            Category::Eof if is_last => return RequestsError::CutOff { path, line },
            Category::Eof => "the line ends before its object does",
            Category::Data => "it is something else",
            // What serde says may quote the value.
            Category::Syntax | Category::Io => "something stands there that does not belong there",
        };
        RequestsError::NotJson {
            path,
            line,
            column: error.column().max(1),
            problem: problem.to_owned(),
        }
    }

    fn wrong(self, key: impl Into<String>, problem: impl Into<String>) -> RequestsError {
        RequestsError::Key {
            path: self.path.to_owned(),
            line: self.number,
            key: key.into(),
            problem: problem.into(),
        }
    }

    fn record(self, Object(pairs): Object) -> Result<StringRecord, RequestsError> {
        self.version(&pairs)?;
        let mut seen = [false; COLUMNS];
        let mut fields: [String; COLUMNS] = Default::default();
        for ((key, value), place) in pairs.into_iter().zip(1_u64..) {
            if key == VERSION_COLUMN {
                continue;
            }
            let Some(column) = Column::by_name(&key) else {
                let problem = format!("is no column{}", perhaps_meant(&key));
                return Err(self.wrong(format!("key {place}"), problem));
            };
            if std::mem::replace(&mut seen[column.index()], true) {
                return Err(self.wrong(column.as_str(), "stands there twice"));
            }
            fields[column.index()] =
                text(column, value).map_err(|problem| self.wrong(column.as_str(), problem))?;
        }
        let mut record = StringRecord::from(fields.as_slice());
        let mut position = Position::new();
        position.set_line(self.number);
        record.set_position(Some(position));
        Ok(record)
    }

    /// Another version may well have other keys: it is told before anything else is found wrong.
    fn version(self, pairs: &[(String, Value)]) -> Result<(), RequestsError> {
        let mut versions = pairs.iter().filter(|(key, _)| key == VERSION_COLUMN);
        let is_ours = |value: &Value| match value {
            Value::Null => true,
            Value::String(text) => text.trim() == VERSION,
            Value::Number(number) => number.to_string() == VERSION,
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => false,
        };
        match (versions.next(), versions.next()) {
            (None, _) => Ok(()),
            (Some(_), Some(_)) => Err(self.wrong(VERSION_COLUMN, "stands there twice")),
            (Some((_, value)), None) if is_ours(value) => Ok(()),
            (Some(_), None) => Err(RequestsError::Version {
                path: self.path.to_owned(),
                line: self.number,
            }),
        }
    }
}

/// A value as the column's text.
fn text(column: Column, value: Value) -> Result<String, &'static str> {
    match (column, value) {
        (_, Value::Null) => Ok(String::new()),
        (_, Value::String(text)) => Ok(text),
        (Column::HalvesDelivered, Value::Number(number)) if number.is_u64() => {
            Ok(number.to_string())
        }
        (Column::HalvesDelivered, _) => Err("is no whole number, and no text"),
        (Column::Documents, Value::Array(codes)) => documents(codes),
        (Column::Documents, _) => Err(NO_CODES),
        (_, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => Err(NO_TEXT),
    }
}

fn documents(codes: Vec<Value>) -> Result<String, &'static str> {
    let mut texts = Vec::with_capacity(codes.len());
    for code in codes {
        match code {
            Value::String(code) if !code.contains(|c: char| c.is_whitespace() || c == '|') => {
                texts.push(code);
            }
            _no_code => return Err(NO_CODES),
        }
    }
    Ok(texts.join(" "))
}
