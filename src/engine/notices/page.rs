//! An office's list to read and print: one page of HTML that needs nothing else.

use std::io::{self, Write};

use askama::Template;

use super::wording::Worded;
use crate::domain::notice::Sort;

const SECTION_END: &str = "</tbody>\n</table>\n";

#[derive(Template)]
#[template(path = "notices/head.html")]
struct Head<'a> {
    office: &'a str,
    written: &'a str,
    since: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "notices/section.html")]
struct Section {
    title: &'static str,
    explanation: &'static str,
}

#[derive(Template)]
#[template(path = "notices/row.html")]
struct Line<'a> {
    surname: &'a str,
    given_name: &'a str,
    fiscal_code: &'a str,
    contacts: Vec<&'a str>,
    profile: &'a str,
    entity: &'a str,
    at: &'a str,
    what: &'a str,
    bring: &'a str,
    name: &'a str,
}

/// A page under way.
pub(super) struct Page<W: Write> {
    out: W,
    /// The sort whose table is open.
    section: Option<Sort>,
}

impl<W: Write> Page<W> {
    /// Begins the page of an office, called as people call it.
    pub(super) fn begin(
        mut out: W,
        office: &str,
        written: &str,
        since: Option<&str>,
    ) -> io::Result<Self> {
        let head = Head {
            office,
            written,
            since,
        };
        put(&mut out, &head)?;
        Ok(Self { out, section: None })
    }

    /// Adds a notice; those of one sort come together.
    pub(super) fn add(&mut self, sort: Sort, worded: &Worded<'_>) -> io::Result<()> {
        if self.section != Some(sort) {
            self.close_section()?;
            let section = Section {
                title: sort.title(),
                explanation: sort.explanation(),
            };
            put(&mut self.out, &section)?;
            self.section = Some(sort);
        }
        let addressee = &worded.notice.addressee;
        let contacts = [&addressee.email, &addressee.phone];
        let line = Line {
            surname: &addressee.surname,
            given_name: addressee.given_name.as_deref().unwrap_or_default(),
            fiscal_code: &addressee.fiscal_code,
            contacts: contacts.into_iter().flatten().map(String::as_str).collect(),
            profile: &worded.profile,
            entity: &worded.notice.entity,
            at: &worded.day,
            what: &worded.what,
            bring: &worded.bring,
            name: &worded.notice.name,
        };
        put(&mut self.out, &line)
    }

    /// Ends it, saying how many there are.
    pub(super) fn end(mut self, people: u64, notices: u64) -> io::Result<W> {
        self.close_section()?;
        write!(
            self.out,
            "<p>Persone: {people}; avvisi: {notices}.</p>\n</body>\n</html>\n"
        )?;
        Ok(self.out)
    }

    fn close_section(&mut self) -> io::Result<()> {
        match self.section.take() {
            Some(_) => self.out.write_all(SECTION_END.as_bytes()),
            None => Ok(()),
        }
    }
}

fn put(out: &mut impl Write, part: &impl Template) -> io::Result<()> {
    let text = part.render().map_err(io::Error::other)?;
    out.write_all(text.as_bytes())?;
    out.write_all(b"\n")
}
