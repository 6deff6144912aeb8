//! A configuration as a tree of values, each with the place it came from.

use std::collections::BTreeMap;

use toml::{Spanned, de::DeTable, de::DeValue};

use super::mistake::{Mistakes, Origin};

/// A value and where it was given.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

/// What can be given.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// Text; dates written without quotes, and everything from the environment and from flags.
    Text(String),
    Integer(i128),
    Float(f64),
    Boolean,
    List(Vec<Node>),
    Table(Table),
}

/// Keys and what they hold.
pub(crate) type Table = BTreeMap<String, Node>;

impl Value {
    /// What kind of value this is, in words.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Boolean => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a section",
        }
    }
}

/// Parses a TOML document; what cannot be parsed becomes a mistake, the rest is kept.
pub(crate) fn parse(text: &str, mistakes: &Mistakes) -> Table {
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        mistakes.add(
            &Origin::Line(line),
            "",
            format!("not TOML: {}", error.message().replace('\n', ", ")),
            "",
        );
    }
    table(document.into_inner(), text)
}

fn table(entries: DeTable<'_>, text: &str) -> Table {
    entries
        .into_iter()
        .map(|(key, value)| {
            let line = line_of(text, key.span().start);
            (key.into_inner().into_owned(), node(value, line, text))
        })
        .collect()
}

fn node(value: Spanned<DeValue<'_>>, line: usize, text: &str) -> Node {
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(digits) => {
            match i128::from_str_radix(&digits.as_str().replace('_', ""), digits.radix()) {
                Ok(number) => Value::Integer(number),
                Err(_) => Value::Text(digits.to_string()),
            }
        }
        DeValue::Float(digits) => match digits.as_str().replace('_', "").parse() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::Text(digits.to_string()),
        },
        DeValue::Boolean(_) => Value::Boolean,
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Array(items) => Value::List(
            items
                .into_iter()
                .map(|item| {
                    let line = line_of(text, item.span().start);
                    node(item, line, text)
                })
                .collect(),
        ),
        DeValue::Table(entries) => Value::Table(table(entries, text)),
    };
    Node {
        value,
        origin: Origin::Line(line),
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}
