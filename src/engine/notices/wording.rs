//! A notice in words: what page and sheet of an office both say.

use crate::domain::{
    activation::refusal::{Refusal, RequestMistake},
    catalogue::{Catalogue, Profile},
    notice::{
        Event, Notice, WhyNot,
        saying::{Saying, Told, day},
    },
};

/// A notice in words.
pub(super) struct Worded<'a> {
    pub(super) notice: &'a Notice,
    /// The profile's code and, where the catalogue has it, its name.
    pub(super) profile: String,
    /// The day as people write it.
    pub(super) day: String,
    /// Day and hour as programs write them.
    pub(super) moment: String,
    /// What happened.
    pub(super) what: String,
    /// What to bring next time.
    pub(super) bring: String,
}

impl<'a> Worded<'a> {
    pub(super) fn of(notice: &'a Notice, told: &Told, catalogue: &Catalogue) -> Self {
        let mut profiles = catalogue.profiles().iter();
        let profile = profiles.find(|profile| profile.code == notice.profile);
        let Saying { what, bring } = told.saying(notice);
        Self {
            notice,
            profile: profile.map_or_else(
                || notice.profile.clone(),
                |known| format!("{} ({})", known.code, known.italian_name()),
            ),
            day: day(told.zone.to_datetime(notice.at).date()),
            moment: told.iso(notice.at),
            what,
            bring: match profile {
                Some(profile) if lacked_documents(notice) => with_documents(bring, profile),
                Some(_) | None => bring,
            },
        }
    }
}

fn lacked_documents(notice: &Notice) -> bool {
    let lacked = Refusal::Request(RequestMistake::DocumentsMissing);
    matches!(&notice.event, Event::NotDone(_, WhyNot::Refused(refusal)) if *refusal == lacked)
}

/// The catalogue's codes of documents are what offices know them by.
fn with_documents(bring: String, profile: &Profile) -> String {
    if profile.documents.is_empty() {
        return bring;
    }
    format!("{bring} ({})", profile.documents.join(", "))
}
