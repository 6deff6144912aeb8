//! An office's list as CSV, for a spreadsheet or a program that writes letters.

use std::io::{self, Write};

use super::wording::Worded;
use crate::domain::notice::Event;

const HEADER: [&str; 17] = [
    "avviso",
    "data",
    "codice_fiscale",
    "cognome",
    "nome",
    "email",
    "telefono",
    "profilo",
    "ente",
    "che_cosa_dire",
    "che_cosa_portare",
    "richiesta_o_pin",
    "ultimo_uso",
    "pin_che_resta",
    "sede_del_pin_che_resta",
    "canale_del_pin_che_resta",
    "ultimo_uso_del_pin_che_resta",
];

/// Characters, ordinary and full-width, with which a spreadsheet begins to calculate.
const FORMULA_STARTS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A sheet under way.
pub(super) struct Sheet<W: Write>(csv::Writer<W>);

impl<W: Write> Sheet<W> {
    /// Begins with the header.
    pub(super) fn begin(out: W) -> io::Result<Self> {
        let mut rows = csv::WriterBuilder::new().delimiter(b';').from_writer(out);
        rows.write_record(HEADER)?;
        Ok(Self(rows))
    }

    /// Adds a notice.
    pub(super) fn add(&mut self, worded: &Worded<'_>) -> io::Result<()> {
        let (notice, addressee) = (worded.notice, &worded.notice.addressee);
        let date = |date: Option<jiff::civil::Date>| date.map(|date| date.to_string());
        let (used, staying) = match &notice.event {
            Event::PinRetired {
                last_used_on,
                staying,
                profile: _,
            } => (date(*last_used_on), Some(staying)),
            Event::PinActive(_)
            | Event::PinSuspended
            | Event::ProfileActive(_)
            | Event::NotDone(..)
            | Event::Waiting { .. }
            | Event::HalfBack { .. }
            | Event::TakenAway { .. } => (None, None),
        };
        let row: [&str; HEADER.len()] = [
            notice.event.sort().as_str(),
            &worded.moment,
            &addressee.fiscal_code,
            &addressee.surname,
            addressee.given_name.as_deref().unwrap_or_default(),
            addressee.email.as_deref().unwrap_or_default(),
            addressee.phone.as_deref().unwrap_or_default(),
            &notice.profile,
            &notice.entity,
            &worded.what,
            &worded.bring,
            &notice.name,
            used.as_deref().unwrap_or_default(),
            staying.map_or("", |staying| &staying.name),
            staying.map_or("", |staying| &staying.office),
            staying.map_or("", |staying| &staying.channel),
            &staying
                .and_then(|staying| date(staying.last_used_on))
                .unwrap_or_default(),
        ];
        Ok(self.0.write_record(row.map(defused))?)
    }

    /// Ends it.
    pub(super) fn end(self) -> io::Result<W> {
        self.0.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// The text, with an apostrophe before it where a spreadsheet would take it for a formula.
pub(super) fn defused(text: &str) -> String {
    if text.trim_start().starts_with(FORMULA_STARTS) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::defused;

    #[test]
    fn a_text_that_would_be_calculated_is_defused_and_others_stay() {
        for formula in ["=1+1", "+39 06 1", "-2", "@SUM(A1)", " =1", "\t=1", "＝1"] {
            assert_eq!(defused(formula), format!("'{formula}"));
        }
        for text in ["", "ROSSI", "a=b", "0700", "'=1"] {
            assert_eq!(defused(text), text);
        }
    }
}
