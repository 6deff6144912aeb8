//! The languages a report is written in.

use crate::domain::status::vocabulary;

vocabulary! {
    /// A language.
    Language {
        /// English.
        English = "en",
        /// Italian.
        Italian = "it",
    }
}

/// A text in every language.
#[derive(Clone, Copy, Debug)]
pub(super) struct Text {
    pub(super) en: &'static str,
    pub(super) it: &'static str,
}

impl Text {
    pub(super) const fn new(en: &'static str, it: &'static str) -> Self {
        Self { en, it }
    }

    /// It in this language.
    pub(super) const fn in_(self, language: Language) -> &'static str {
        match language {
            Language::English => self.en,
            Language::Italian => self.it,
        }
    }
}
