//! A file with the verdict of the dry run on every record, which verification can hold the run to.
//!
//! CSV, one line a record, or the same compressed where the name ends in `.gz`.

mod error;
mod reader;
mod sheet;

pub use error::VerdictsError;
pub use reader::VerdictReader;
pub use sheet::{VerdictPart, VerdictSheet};

/// The columns: `copy` is 0 but for records that share their id, `reason` stands with those in quarantine,
/// `findings` with the first record of a person.
const HEADER: [&str; 7] = [
    "source",
    "id",
    "copy",
    "verdict",
    "reason",
    "replaced_by",
    "findings",
];

/// Between the columns.
const DELIMITER: u8 = b';';

/// Whether the file of this name is compressed.
fn is_compressed(path: &std::path::Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}
