//! One legacy record while it is written: its cells in buffers that are used again.

use crate::domain::field::{FIELDS, Field};

/// How many cells a written row has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// One for each column.
    Right,
    /// The last is missing.
    Short,
    /// There is one too many.
    Long,
}

/// The cells of a record in canonical order.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    cells: [Vec<u8>; FIELDS],
    pub(super) width: Width,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            cells: std::array::from_fn(|_| Vec::with_capacity(64)),
            width: Width::Right,
        }
    }

    /// Empties every cell.
    pub(super) fn clear(&mut self) {
        self.width = Width::Right;
        for cell in &mut self.cells {
            cell.clear();
        }
    }

    /// Puts another value into a cell.
    pub(super) fn set(&mut self, field: Field, value: impl AsRef<[u8]>) {
        let cell = self.cell(field);
        cell.clear();
        cell.extend_from_slice(value.as_ref());
    }

    pub(super) const fn cell(&mut self, field: Field) -> &mut Vec<u8> {
        &mut self.cells[field.index()]
    }

    pub(super) fn get(&self, field: Field) -> &[u8] {
        &self.cells[field.index()]
    }
}
