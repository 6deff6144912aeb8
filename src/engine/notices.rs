//! Lists of the people to tell, office by office: a sheet and a page for each, in a folder of their own.
//!
//! They are read in one snapshot and written as they are read. The audit log has it before the folder has its name: a
//! process that dies in between leaves an entry without lists, never lists without an entry.

mod error;
mod file_name;
mod folder;
mod list;
mod page;
mod sheet;
mod wording;

use std::{
    collections::BTreeMap,
    io,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use serde_json::json;

pub use error::NoticesError;

use self::{
    folder::{Draft, INDEX, INDEX_HEADER},
    list::List,
    sheet::defused,
    wording::Worded,
};
use super::stop::StopFlag;
use crate::{
    config::settings::Settings,
    domain::{
        notice::{
            Notice, Sort,
            saying::{Maintenance, Told},
        },
        record_name::shown_id,
    },
    failpoint,
    store::{
        AuditEntry, Reader,
        activation::Readiness,
        reader::{Asked, audit},
    },
};

/// More offices than any public body has; an office column that holds something else fills the disk with files.
const OFFICES_MAX: usize = 20_000;

/// The list of one office.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeList {
    /// Its code; empty where none is known.
    pub office: String,
    /// How many people it names.
    pub people: u64,
    /// How many notices it has.
    pub notices: u64,
    /// How many of each sort.
    pub sorts: BTreeMap<Sort, u64>,
    /// The name of its CSV file.
    pub sheet: String,
    /// The name of its HTML file.
    pub page: String,
}

/// The lists as they stand in their folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lists {
    /// The folder, from the root.
    pub folder: PathBuf,
    /// In the order of their codes.
    pub offices: Vec<OfficeList>,
}

/// What every page says of itself.
struct Headed {
    written: String,
    since: Option<String>,
}

/// Writes the lists of those who are `asked` for into `folder`, in place of earlier ones.
///
/// # Errors
/// [`NoticesError`]; then the folder is as it was.
pub fn write(
    settings: &Settings,
    asked: &Asked,
    folder: &Path,
    actor: &str,
    stop: &StopFlag,
) -> Result<Lists, NoticesError> {
    let reader = Reader::open(&settings.target)?;
    // Whoever may not say so in the log shall find it out before any of it is written.
    audit::may_append(&settings.target)?;
    let draft = Draft::begin(folder)?;
    let unwritten = |source| NoticesError::Unwritten {
        folder: folder.to_owned(),
        source,
    };
    let offices =
        Writing::of(&reader, settings, asked, &draft)?.all(&reader, asked, stop, &unwritten)?;
    drop(reader);
    write_index(&draft, &offices)
        .and_then(|()| draft.sync())
        .map_err(unwritten)?;
    failpoint::reached("notices.written");
    let lists = Lists {
        folder: draft.folder().to_owned(),
        offices,
    };
    let entry = AuditEntry {
        actor,
        action: "report.notices",
        reason: "",
        detail: &detail(&lists, asked),
    };
    audit::append(&settings.target, &entry)?;
    failpoint::reached("notices.rename");
    draft.publish().map_err(unwritten)?;
    failpoint::reached("notices.renamed");
    tracing::info!(event = "notices.written", offices = lists.offices.len());
    Ok(lists)
}

/// Lists under way: those that are complete, and the one that is open.
struct Writing<'a> {
    settings: &'a Settings,
    told: Told,
    headed: Headed,
    draft: &'a Draft,
    open: Option<List>,
    complete: Vec<OfficeList>,
}

impl<'a> Writing<'a> {
    fn of(
        reader: &Reader,
        settings: &'a Settings,
        asked: &Asked,
        draft: &'a Draft,
    ) -> Result<Self, NoticesError> {
        let told = Told {
            now: reader.now()?,
            zone: settings.activation.schedule.zone.clone(),
            maintenance: match reader.readiness()? {
                Readiness::Ready { .. } => Maintenance::Over,
                Readiness::Merging { .. } => Maintenance::Merging,
                Readiness::NotCutOver | Readiness::UnderWay { .. } => Maintenance::UnderWay,
            },
        };
        Ok(Self {
            settings,
            headed: Headed {
                written: told.moment(told.now),
                since: asked.since.map(|since| told.moment(since)),
            },
            told,
            draft,
            open: None,
            complete: Vec::new(),
        })
    }

    fn all(
        mut self,
        reader: &Reader,
        asked: &Asked,
        stop: &StopFlag,
        unwritten: &impl Fn(io::Error) -> NoticesError,
    ) -> Result<Vec<OfficeList>, NoticesError> {
        let mut failed = None;
        reader.hold_still()?;
        reader.each_notice(asked, |notice| {
            let added = match stop.requested() {
                Some(reason) => Err(NoticesError::Stopped { reason }),
                None if self.is_over_full(&notice) => Err(NoticesError::TooManyOffices),
                None => self.add(&notice).map_err(unwritten),
            };
            match added {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        self.close().map_err(unwritten)?;
        Ok(self.complete)
    }

    fn is_over_full(&self, notice: &Notice) -> bool {
        self.complete.len() + 1 >= OFFICES_MAX && !self.is_open_for(&notice.office)
    }

    fn is_open_for(&self, office: &str) -> bool {
        self.open
            .as_ref()
            .is_some_and(|list| list.office() == office)
    }

    fn add(&mut self, notice: &Notice) -> io::Result<()> {
        if !self.is_open_for(&notice.office) {
            self.close()?;
            self.open = Some(List::begin(self.draft, &notice.office, &self.headed)?);
        }
        let worded = Worded::of(notice, &self.told, &self.settings.catalogue);
        match &mut self.open {
            Some(list) => list.add(&worded),
            None => Ok(()),
        }
    }

    fn close(&mut self) -> io::Result<()> {
        if let Some(list) = self.open.take() {
            self.complete.push(list.end()?);
        }
        Ok(())
    }
}

fn write_index(draft: &Draft, offices: &[OfficeList]) -> io::Result<()> {
    let mut rows = csv::WriterBuilder::new()
        .delimiter(b';')
        .from_writer(draft.file(INDEX)?);
    rows.write_record(INDEX_HEADER)?;
    for list in offices {
        rows.write_record([
            defused(&list.office),
            list.people.to_string(),
            list.notices.to_string(),
            list.sheet.clone(),
            list.page.clone(),
        ])?;
    }
    let file = rows.into_inner().map_err(csv::IntoInnerError::into_error)?;
    file.sync_all()
}

/// What the audit log keeps: where, from when, and how many people of each office.
fn detail(lists: &Lists, asked: &Asked) -> serde_json::Value {
    let offices = lists.offices.iter();
    let offices: Vec<_> = offices
        .map(|list| {
            json!({
                "office": shown_id(&list.office), "people": list.people, "notices": list.notices,
            })
        })
        .collect();
    let only: Vec<_> = asked.offices.iter().map(|code| shown_id(code)).collect();
    json!({
        "folder": lists.folder.display().to_string(),
        "since": asked.since.map(|since| since.to_string()),
        "only": only,
        "offices": offices,
    })
}
