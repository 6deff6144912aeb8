//! Where an export was asked to go; `-` is standard output.

use std::path::Path;

use super::{Context, failure::Failure};
use crate::{
    engine::outlet::{ExportError, Outlet},
    exit::Exit,
};

/// Whether a path means standard output.
pub(super) fn is_standard_output(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The outlet for an export to this place.
pub(super) fn outlet(
    what: &'static str,
    to: &Path,
    context: &Context,
) -> Result<Outlet, ExportError> {
    if is_standard_output(to) {
        Ok(Outlet::standard_output(context.terminal.stream()))
    } else {
        Outlet::file(what, to)
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        let hint = "name a new file in a folder that can be written".to_owned();
        Self::new(Exit::Failed, error, Some(hint))
    }
}
