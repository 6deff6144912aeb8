//! Rows as text, in one reused piece of memory.

use rusqlite::{Row, types::ValueRef};

use super::error::ReadBackError;

/// The surrogate keys of a row: kept apart, because no digest counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// The row's own id, where it has one.
    pub id: i64,
    /// The id it refers to (`superseded_by`), where it has one.
    pub refers_to: Option<i64>,
    /// The run it belongs to.
    pub run_id: i64,
}

/// Rows of one table: text columns and surrogate keys.
#[derive(Debug, Default)]
pub struct RowSet {
    columns: usize,
    text: String,
    spans: Vec<Option<(u32, u32)>>,
    keys: Vec<Keys>,
}

impl RowSet {
    /// An empty set of rows with so many text columns.
    #[must_use]
    pub fn new(columns: usize) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The column of a row; `None` for NULL.
    #[must_use]
    pub fn get(&self, row: usize, column: usize) -> Option<&str> {
        let (from, to) = self.spans[row * self.columns + column]?;
        Some(&self.text[from as usize..to as usize])
    }

    /// The column of a row, NULL as empty.
    #[must_use]
    pub fn text(&self, row: usize, column: usize) -> &str {
        self.get(row, column).unwrap_or_default()
    }

    /// The surrogate keys of a row.
    #[must_use]
    pub fn keys(&self, row: usize) -> Keys {
        self.keys[row]
    }

    /// Forgets all rows and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
        self.keys.clear();
    }

    /// Takes the text columns of `row` that begin at `first`.
    pub(super) fn push(
        &mut self,
        keys: Keys,
        row: &Row<'_>,
        first: usize,
    ) -> Result<(), ReadBackError> {
        self.keys.push(keys);
        for column in first..first + self.columns {
            let from = self.text.len();
            match row.get_ref(column).map_err(ReadBackError::read)? {
                ValueRef::Null => {
                    self.spans.push(None);
                    continue;
                }
                ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                    Ok(text) => self.text.push_str(text),
                    Err(_) => self.text.push_str(&String::from_utf8_lossy(bytes)),
                },
                ValueRef::Integer(number) => self.text.push_str(&number.to_string()),
                ValueRef::Real(number) => self.text.push_str(&number.to_string()),
                ValueRef::Blob(bytes) => self.text.push_str(&String::from_utf8_lossy(bytes)),
            }
            self.spans
                .push(Some((offset(from), offset(self.text.len()))));
        }
        Ok(())
    }

    /// Replaces nothing and adds one row of given texts, for a column that is not read from the statement.
    pub(super) fn push_texts(&mut self, keys: Keys, texts: [&str; 2]) {
        self.keys.push(keys);
        for text in texts {
            let from = self.text.len();
            self.text.push_str(text);
            self.spans
                .push(Some((offset(from), offset(self.text.len()))));
        }
    }
}

/// SQLite holds no value above 2^31 bytes, and one person's rows stay far below it.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
