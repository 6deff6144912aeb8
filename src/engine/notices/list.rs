//! The list of one office under way: its sheet and its page.

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::{self, BufWriter},
};

use xxhash_rust::xxh3::xxh3_64;

use super::{
    Headed, OfficeList, file_name, folder::Draft, page::Page, sheet::Sheet, wording::Worded,
};
use crate::domain::{
    folding::folded,
    notice::{Addressee, Sort},
};

/// An office's files.
pub(super) struct List {
    office: String,
    sheet: Sheet<BufWriter<File>>,
    page: Page<BufWriter<File>>,
    notices: BTreeMap<Sort, u64>,
    /// Hashes of whom it names, eight bytes a person.
    people: HashSet<u64>,
}

impl List {
    /// Begins both files.
    pub(super) fn begin(draft: &Draft, office: &str, headed: &Headed) -> io::Result<Self> {
        let stem = file_name::stem(office);
        let [sheet, page] = file_name::KINDS.map(|kind| draft.file(&format!("{stem}.{kind}")));
        let called = match office {
            "" => "senza sede".to_owned(),
            code => format!("sede {code}"),
        };
        Ok(Self {
            office: office.to_owned(),
            sheet: Sheet::begin(BufWriter::new(sheet?))?,
            page: Page::begin(
                BufWriter::new(page?),
                &called,
                &headed.written,
                headed.since.as_deref(),
            )?,
            notices: BTreeMap::new(),
            people: HashSet::new(),
        })
    }

    /// Whose it is.
    pub(super) fn office(&self) -> &str {
        &self.office
    }

    /// Adds a notice.
    pub(super) fn add(&mut self, worded: &Worded<'_>) -> io::Result<()> {
        let sort = worded.notice.event.sort();
        self.sheet.add(worded)?;
        self.page.add(sort, worded)?;
        *self.notices.entry(sort).or_default() += 1;
        self.people.insert(who(&worded.notice.addressee));
        Ok(())
    }

    /// Ends both files and puts them on the disk.
    pub(super) fn end(self) -> io::Result<OfficeList> {
        let (people, notices) = (self.people.len() as u64, self.notices.values().sum());
        let stem = file_name::stem(&self.office);
        for out in [self.sheet.end()?, self.page.end(people, notices)?] {
            let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.sync_all()?;
        }
        let [sheet, page] = file_name::KINDS.map(|kind| format!("{stem}.{kind}"));
        Ok(OfficeList {
            office: self.office,
            people,
            notices,
            sorts: self.notices,
            sheet,
            page,
        })
    }
}

/// Tells people apart: two who gave the same code are not the same if their names differ.
fn who(addressee: &Addressee) -> u64 {
    let given_name = addressee.given_name.as_deref().unwrap_or_default();
    let names = [folded(&addressee.surname), folded(given_name)];
    xxh3_64(format!("{};{}", addressee.fiscal_code, names.join(";")).as_bytes())
}
