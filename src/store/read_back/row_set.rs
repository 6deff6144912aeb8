//! Rows as text, in one reused piece of memory.

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

    /// Begins a row; its columns follow, each by [`RowSet::column`] or [`RowSet::null_column`].
    pub(super) fn start(&mut self, keys: Keys) {
        self.keys.push(keys);
    }

    /// The next column of the row, spelt by `spell` at the end of what it is given.
    pub(super) fn column(&mut self, spell: impl FnOnce(&mut String)) {
        let from = self.text.len();
        spell(&mut self.text);
        self.spans
            .push(Some((offset(from), offset(self.text.len()))));
    }

    /// NULL as the next column of the row.
    pub(super) fn null_column(&mut self) {
        self.spans.push(None);
    }

    /// Adds one row of given columns.
    pub(super) fn push<'t>(
        &mut self,
        keys: Keys,
        columns: impl IntoIterator<Item = Option<&'t str>>,
    ) {
        self.start(keys);
        for column in columns {
            match column {
                Some(text) => self.column(|out| out.push_str(text)),
                None => self.null_column(),
            }
        }
    }
}

/// Neither engine holds a value above 2^31 bytes, and one person's rows stay far below it.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
