//! The language that a page is asked for in.

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::ui::report_page::Language;

/// Takes the name of a language.
pub(super) fn parser() -> impl TypedValueParser<Value = Language> {
    let names = Language::ALL.iter().map(|one| one.as_str());
    PossibleValuesParser::new(names)
        .map(|name| Language::by_name(&name).expect("one of the possible values"))
}
