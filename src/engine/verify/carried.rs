//! What a record must carry over, whatever becomes of it: normalised here a second time, by other code
//! than the judge's, and hashed alike from a record as read, from a payload and from a row of `pin`.

use std::{borrow::Cow, collections::HashMap};

use crate::{
    domain::{
        catalogue::EntityRule,
        digest::{RowHash, Table},
        field::{FIELDS, Field},
        rules::{Nameless, Rules, SourceRules},
    },
    store::read_back::{RowSet, pin},
};

/// How the values of one source are understood.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'r> {
    pub(super) rules: &'r Rules,
    pub(super) source: &'r SourceRules,
    pub(super) renames: &'r Renames<'r>,
    /// Logins go on under the lock: the date of last use may differ from what was read.
    pub(super) last_used_may_change: bool,
}

/// Trimmed.
pub(super) fn plain(text: &str) -> &str {
    text.trim()
}

/// Trimmed, in capitals.
pub(super) fn capitals(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.bytes().any(|byte| byte.is_ascii_lowercase()) {
        Cow::Owned(text.to_ascii_uppercase())
    } else {
        Cow::Borrowed(text)
    }
}

/// Trimmed, without a time of day.
pub(super) fn day(text: &str) -> &str {
    let text = text.trim();
    text.find(['T', ' ']).map_or(text, |end| &text[..end])
}

/// Where old codes lead; discarded ones are left as they are written.
#[derive(Default)]
pub(super) struct Renames<'r>(HashMap<&'r str, &'r str>);

impl<'r> Renames<'r> {
    pub(super) fn new(rules: &'r Rules) -> Self {
        let renamed = |(_, new): &(&str, &str)| !new.is_empty();
        Self(rules.links.pairs().into_iter().filter(renamed).collect())
    }

    /// The code after renaming.
    pub(super) fn follow<'c>(&self, written: Cow<'c, str>) -> Cow<'c, str>
    where
        'r: 'c,
    {
        if self.0.is_empty() {
            return written;
        }
        match self.0.get(written.as_ref()) {
            Some(code) => Cow::Borrowed(*code),
            None => written,
        }
    }
}

impl std::fmt::Debug for Renames<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Renames({} codes)", self.0.len())
    }
}

fn filled(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

impl Reading<'_> {
    /// Hash of what the record carries over.
    pub(super) fn hash_record(
        &self,
        number: Option<u64>,
        fields: &[&str; FIELDS],
        hash: &mut RowHash,
    ) -> u128 {
        let get = |field: Field| fields[field.index()];
        let status_code = capitals(get(Field::Status));
        let status = match self.source.status_codes.get(status_code.as_ref()) {
            Some(status) => status.as_str(),
            None => status_code.as_ref(),
        };
        let level_code = capitals(get(Field::Level));
        let level = match self.source.level_codes.get(level_code.as_ref()) {
            Some(level) => level.as_str(),
            None => level_code.as_ref(),
        };
        let profile = capitals(get(Field::Profile));
        let takes_entity = match self.rules.catalogue.find(&profile) {
            Some(index) => self.rules.catalogue.get(index).entity != EntityRule::None,
            None => true,
        };
        let entity = if takes_entity {
            capitals(get(Field::Entity))
        } else {
            Cow::Borrowed("")
        };
        let halves = match plain(get(Field::HalvesDelivered)) {
            "" if status == "pending" => "1",
            "" => "2",
            text => text,
        };
        let id = self.id(number, get(Field::LegacyId));
        let code = self.renames.follow(capitals(get(Field::FiscalCode)));
        let scheme = capitals(get(Field::CredentialScheme));
        let channel = capitals(get(Field::Channel));
        hash.start(Table::SourceRecord, &code);
        for text in [
            self.source.name.as_str(),
            &id,
            &profile,
            &entity,
            status,
            level,
            halves,
        ] {
            hash.text(text);
        }
        for text in [
            plain(get(Field::Credential)),
            &scheme,
            plain(get(Field::CredentialSalt)),
            day(get(Field::IssuedOn)),
            self.last_used(day(get(Field::LastUsedOn))),
            plain(get(Field::Office)),
            &channel,
        ] {
            hash.optional(filled(text));
        }
        hash.finish()
    }

    /// Hash of a row that could not be taken apart.
    pub(super) fn hash_malformed(
        &self,
        number: Option<u64>,
        row: &str,
        hash: &mut RowHash,
    ) -> u128 {
        hash.start(Table::SourceRecord, "");
        hash.text(&self.source.name);
        hash.text(&self.id(number, ""));
        hash.text(row);
        hash.finish()
    }

    /// Hash of what a row of `pin` has carried over, for the person with this current code.
    pub(super) fn hash_pin(
        &self,
        pins: &RowSet,
        row: usize,
        code: &str,
        hash: &mut RowHash,
    ) -> u128 {
        hash.start(Table::SourceRecord, code);
        for column in [
            pin::SOURCE,
            pin::LEGACY_ID,
            pin::LEGACY_PROFILE,
            pin::LEGACY_ENTITY,
            pin::LEGACY_STATUS,
            pin::LEVEL,
            pin::HALVES_DELIVERED,
        ] {
            hash.text(pins.text(row, column));
        }
        for column in [
            pin::CREDENTIAL,
            pin::CREDENTIAL_SCHEME,
            pin::CREDENTIAL_SALT,
            pin::ISSUED_ON,
        ] {
            hash.optional(pins.get(row, column));
        }
        hash.optional(filled(self.last_used(pins.text(row, pin::LAST_USED_ON))));
        hash.optional(pins.get(row, pin::OFFICE));
        hash.optional(pins.get(row, pin::CHANNEL));
        hash.finish()
    }

    /// The id a record stands under, as far as it follows from the record: files name what has no id by its
    /// number; what databases name by a hash has no id here.
    pub(super) fn id<'t>(&self, number: Option<u64>, written: &'t str) -> Cow<'t, str> {
        let id = plain(written);
        if !id.is_empty() && !id.starts_with('@') {
            return Cow::Borrowed(id);
        }
        match (self.source.nameless, number) {
            (Nameless::ByNumber, Some(number)) => Cow::Owned(format!("@{number}")),
            (Nameless::ByNumber, None) | (Nameless::ByHash, _) => Cow::Borrowed(""),
        }
    }

    fn last_used<'t>(&self, text: &'t str) -> &'t str {
        if self.last_used_may_change { "" } else { text }
    }
}
