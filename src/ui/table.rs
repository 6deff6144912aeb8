//! The look of tables.

use comfy_table::{CellAlignment, ContentArrangement, Table, TableStyle};

/// A table with this header; numbers belong into columns named in `right`.
#[must_use]
pub fn table(header: &[&str], right: &[usize]) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new())
        .set_content_arrangement(ContentArrangement::Disabled)
        .set_header(header.iter().map(|title| title.to_uppercase()));
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&at) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A table as text, without the blanks at the ends of its lines.
#[must_use]
pub fn render(table: &Table) -> String {
    let lines = table.lines();
    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

/// `1234567` as `1 234 567`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    if number < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_numbers_are_grouped_in_threes() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1 000"),
            (-1234567, "-1 234 567"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn numbers_stand_to_the_right_and_lines_have_no_blank_ends() {
        let mut table = table(&["what", "rows"], &[1]);
        table.add_row(["persons", "7"]);
        table.add_row(["pins", "1 200"]);
        assert_eq!(
            render(&table),
            "WHAT      ROWS\npersons      7\npins     1 200"
        );
    }
}
