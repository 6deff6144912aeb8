//! Text that may be kept: of a length that an index takes, and without control characters, which no database is asked
//! to hold.

use super::{
    column::Column,
    refusal::{Refusal, RequestMistake},
    request::Fields,
};
use crate::domain::{normalise::has_control, quarantine::Reason};

/// The first column whose text may not be kept, and why; its value is not told.
pub(super) fn problem(fields: &Fields<'_>) -> Option<(Refusal, String)> {
    Column::ALL.iter().find_map(|column| {
        let text = fields.get(*column);
        let max = column.chars_max();
        if is_longer(text, max) {
            let detail = format!("{column} is longer than {max} characters");
            Some((Refusal::Request(RequestMistake::TooLong), detail))
        } else if holds_control(*column, text) {
            let detail = format!("{column} holds a control character");
            Some((Refusal::Record(Reason::EncodingInvalid), detail))
        } else {
            None
        }
    })
}

/// As much of the text as may be kept; what was cut or replaced can be seen.
pub(super) fn kept(text: &str, column: Column) -> String {
    let max = column.chars_max();
    let plain = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    if is_longer(text, max) {
        let begin = text.chars().take(max - 1).map(plain);
        begin.chain(['…']).collect()
    } else {
        text.chars().map(plain).collect()
    }
}

fn is_longer(text: &str, max: usize) -> bool {
    // A character has a byte at least.
    text.len() > max && text.chars().nth(max).is_some()
}

/// Codes of documents may stand on lines of their own.
fn holds_control(column: Column, text: &str) -> bool {
    if column == Column::Documents {
        text.split_whitespace().any(has_control)
    } else {
        has_control(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_text_is_no_longer_than_its_column_and_shows_what_was_replaced() {
        assert_eq!(kept("0700", Column::Office), "0700");
        assert_eq!(
            kept("07\u{0}\u{1b}0", Column::Office),
            "07\u{fffd}\u{fffd}0"
        );
        let (long, longest) = ("è".repeat(65), "è".repeat(64));
        assert_eq!(kept(&longest, Column::Office), longest);
        assert_eq!(kept(&long, Column::Office), "è".repeat(63) + "…");
    }
}
