//! Reads one section key by key; whatever is left at the end is a mistake.

use std::{fmt::Display, ops::RangeInclusive};

use super::{
    mistake::{Mistakes, Origin, closest, list},
    node::{Node, Table, Value},
};

/// A section under way.
#[derive(Debug)]
pub(crate) struct Section<'m> {
    path: String,
    origin: Origin,
    table: Table,
    mistakes: &'m Mistakes,
    known: Vec<&'static str>,
}

/// A text and where it was given.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

impl<'m> Section<'m> {
    /// A section called `path`; the root is called nothing.
    pub(crate) fn new(path: &str, origin: Origin, table: Table, mistakes: &'m Mistakes) -> Self {
        Self {
            path: path.to_owned(),
            origin,
            table,
            mistakes,
            known: Vec::new(),
        }
    }

    /// The full name of a key of this section.
    pub(crate) fn key(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    /// Where mistakes go.
    pub(crate) fn mistakes(&self) -> &'m Mistakes {
        self.mistakes
    }

    /// Where the section begins.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Renames the section once it is known what it is about.
    pub(crate) fn rename(&mut self, path: String) {
        self.path = path;
    }

    /// A mistake in a key of this section.
    pub(crate) fn wrong(
        &self,
        origin: &Origin,
        key: &str,
        problem: impl Into<String>,
        accepted: impl Into<String>,
    ) {
        self.mistakes.add(origin, &self.key(key), problem, accepted);
    }

    /// Whether a key that was not taken yet has a value.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Takes a key's value, whatever it is.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Node> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// Takes a part of this section; an absent one is empty.
    pub(crate) fn section(&mut self, key: &'static str) -> Section<'m> {
        let path = self.key(key);
        let (origin, table) = match self.take(key) {
            None => (Origin::Missing, Table::new()),
            Some(Node {
                value: Value::Table(table),
                origin,
            }) => (origin, table),
            Some(node) => {
                let problem = format!("is {}", node.value.kind());
                self.wrong(&node.origin, key, problem, format!("a section [{path}]"));
                (Origin::Missing, Table::new())
            }
        };
        Section::new(&path, origin, table, self.mistakes)
    }

    /// A text.
    pub(crate) fn text(&mut self, key: &'static str) -> Option<Given> {
        let node = self.take(key)?;
        self.as_text(key, node)
    }

    fn as_text(&self, key: &str, node: Node) -> Option<Given> {
        match node.value {
            Value::Text(text) if text.chars().any(char::is_control) && text != "\t" => {
                self.wrong(&node.origin, key, "holds a control character", "");
                None
            }
            Value::Text(text) => Some(Given {
                text,
                origin: node.origin,
            }),
            value => {
                let problem = format!("is {}", value.kind());
                self.wrong(&node.origin, key, problem, "a text in quotes is accepted");
                None
            }
        }
    }

    /// A text that is not empty, and without which nothing works.
    pub(crate) fn required(&mut self, key: &'static str, accepted: &str) -> Option<Given> {
        let Some(node) = self.take(key) else {
            let origin = self.origin.clone();
            self.wrong(&origin, key, "is missing", accepted);
            return None;
        };
        let given = self.as_text(key, node)?;
        if given.text.is_empty() {
            self.wrong(&given.origin, key, "is empty", accepted);
            return None;
        }
        Some(given)
    }

    /// A text that `parse` understands.
    pub(crate) fn parsed<T, E: Display>(
        &mut self,
        key: &'static str,
        accepted: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let given = self.text(key)?;
        match parse(given.text.trim()) {
            Ok(value) => Some(value),
            Err(error) => {
                let problem = format!("`{}` {error}", given.text);
                self.wrong(&given.origin, key, problem, accepted);
                None
            }
        }
    }

    /// A whole number within `range`.
    pub(crate) fn integer(&mut self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let node = self.take(key)?;
        let accepted = format!("a whole number from {} to {}", range.start(), range.end());
        let number = match &node.value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) if !matches!(node.origin, Origin::Line(_)) => {
                text.trim().replace('_', "").parse().ok()
            }
            Value::Text(_)
            | Value::Float(_)
            | Value::Boolean
            | Value::List(_)
            | Value::Table(_) => None,
        };
        match number.map(u64::try_from) {
            Some(Ok(number)) if range.contains(&number) => Some(number),
            Some(_) => {
                self.wrong(&node.origin, key, "is out of range", accepted);
                None
            }
            None => {
                let problem = match &node.value {
                    Value::Text(text) => format!("`{text}` is not a whole number"),
                    value => format!("is {}", value.kind()),
                };
                self.wrong(&node.origin, key, problem, accepted);
                None
            }
        }
    }

    /// A share from 0 to 1.
    pub(crate) fn ratio(&mut self, key: &'static str) -> Option<f64> {
        let node = self.take(key)?;
        let ratio = match &node.value {
            Value::Float(number) => Some(*number),
            Value::Integer(0) => Some(0.0),
            Value::Integer(1) => Some(1.0),
            Value::Text(text) if !matches!(node.origin, Origin::Line(_)) => {
                text.trim().parse().ok()
            }
            Value::Integer(_)
            | Value::Text(_)
            | Value::Boolean
            | Value::List(_)
            | Value::Table(_) => None,
        };
        let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
        if ratio.is_none() {
            self.wrong(
                &node.origin,
                key,
                "is not a share",
                "a number from 0 to 1, such as 0.10",
            );
        }
        ratio
    }

    /// A number that is not negative, and where it was given.
    pub(crate) fn number(&mut self, key: &'static str, accepted: &str) -> Option<(f64, Origin)> {
        let node = self.take(key)?;
        let number = match &node.value {
            Value::Float(number) => Some(*number),
            Value::Integer(number) => number.to_string().parse().ok(),
            Value::Text(text) if !matches!(node.origin, Origin::Line(_)) => {
                text.trim().parse().ok()
            }
            Value::Text(_) | Value::Boolean | Value::List(_) | Value::Table(_) => None,
        };
        let number = number.filter(|number: &f64| number.is_finite() && *number >= 0.0);
        if number.is_none() {
            self.wrong(&node.origin, key, "is no number from 0 up", accepted);
        }
        Some((number?, node.origin))
    }

    /// A list of texts; from the environment or a flag, one text with commas.
    pub(crate) fn texts(&mut self, key: &'static str) -> Option<Vec<Given>> {
        let node = self.take(key)?;
        match node.value {
            Value::List(items) => Some(
                items
                    .into_iter()
                    .filter_map(|item| self.as_text(key, item))
                    .collect(),
            ),
            Value::Text(text) if !matches!(node.origin, Origin::Line(_)) => Some(
                text.split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(|item| Given {
                        text: item.to_owned(),
                        origin: node.origin.clone(),
                    })
                    .collect(),
            ),
            value => {
                let problem = format!("is {}", value.kind());
                self.wrong(
                    &node.origin,
                    key,
                    problem,
                    "a list such as [\"one\", \"two\"]",
                );
                None
            }
        }
    }

    /// Takes everything that is left, for a section whose keys are not fixed.
    pub(crate) fn rest(mut self) -> Table {
        std::mem::take(&mut self.table)
    }

    /// Every key that was not taken is a mistake.
    pub(crate) fn finish(self) {
        for (key, node) in &self.table {
            let accepted = match closest(key, self.known.iter().copied()) {
                Some(name) => format!("did you mean {name}?"),
                None => format!("known here: {}", list(self.known.iter().copied())),
            };
            self.wrong(&node.origin, key, "unknown key", accepted);
        }
    }
}
