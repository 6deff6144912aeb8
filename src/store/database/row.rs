//! What queries give.

use jiff::{Timestamp, civil::Date};

use crate::store::StoreError;

/// One value of a row. Dates and times are ISO text, flags 0 or 1, on either engine.
#[derive(Clone, Debug)]
pub(in crate::store) enum Cell {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// One row of a query.
pub(in crate::store) struct Row(pub(super) Vec<Cell>);

/// What a column can be read as.
pub(in crate::store) trait FromCell: Sized {
    /// The value, unless the column holds something else.
    fn from_cell(cell: &Cell) -> Option<Self>;
}

impl Row {
    /// The value of a column, from 0.
    ///
    /// # Errors
    /// When it is something else: the database does not hold what this program put there.
    pub(in crate::store) fn get<T: FromCell>(&self, at: usize) -> Result<T, StoreError> {
        self.0
            .get(at)
            .and_then(T::from_cell)
            .ok_or_else(|| damaged(&format!("something unexpected in column {at} of a row")))
    }

    /// The values of all columns as text, whatever they are.
    pub(in crate::store) fn texts(&self) -> Vec<Option<String>> {
        self.0
            .iter()
            .map(|cell| match cell {
                Cell::Null | Cell::Bytes(_) => None,
                Cell::Integer(number) => Some(number.to_string()),
                Cell::Text(text) => Some(text.clone()),
            })
            .collect()
    }

    /// Reads the columns one after the other.
    pub(in crate::store) fn columns(&self) -> Columns<'_> {
        Columns { row: self, at: 0 }
    }
}

/// A row that is read from its first column on.
pub(in crate::store) struct Columns<'r> {
    row: &'r Row,
    at: usize,
}

impl Columns<'_> {
    /// The value of the next column.
    ///
    /// # Errors
    /// As [`Row::get`].
    pub(in crate::store) fn next<T: FromCell>(&mut self) -> Result<T, StoreError> {
        self.at += 1;
        self.row.get(self.at - 1)
    }

    /// The next column's word, which its vocabulary must know.
    ///
    /// # Errors
    /// As [`Row::get`], or when it is another word.
    pub(in crate::store) fn word<T>(
        &mut self,
        by_name: impl Fn(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        let word: String = self.next()?;
        by_name(&word).ok_or_else(|| damaged(&format!("the word `{word}`")))
    }
}

/// The database holds what this program does not understand.
pub(in crate::store) fn damaged(what: &str) -> StoreError {
    StoreError::Damaged {
        what: what.to_owned(),
    }
}

impl FromCell for i64 {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Integer(value) => Some(*value),
            Cell::Null | Cell::Text(_) | Cell::Bytes(_) => None,
        }
    }
}

impl FromCell for bool {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match i64::from_cell(cell)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl FromCell for String {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Text(text) => Some(text.clone()),
            Cell::Null | Cell::Integer(_) | Cell::Bytes(_) => None,
        }
    }
}

impl FromCell for Vec<u8> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Bytes(bytes) => Some(bytes.clone()),
            Cell::Null | Cell::Integer(_) | Cell::Text(_) => None,
        }
    }
}

impl<T: FromCell> FromCell for Option<T> {
    fn from_cell(cell: &Cell) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

macro_rules! narrower {
    ($($integer:ty)+) => {$(
        impl FromCell for $integer {
            fn from_cell(cell: &Cell) -> Option<Self> {
                Self::try_from(i64::from_cell(cell)?).ok()
            }
        }
    )+};
}
narrower!(u8 u32 u64);

macro_rules! parsed {
    ($($text:ty)+) => {$(
        impl FromCell for $text {
            fn from_cell(cell: &Cell) -> Option<Self> {
                String::from_cell(cell)?.parse().ok()
            }
        }
    )+};
}
parsed!(Date Timestamp crate::domain::digest::Digest crate::domain::fiscal_code::FiscalCode);
