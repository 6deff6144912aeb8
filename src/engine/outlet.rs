//! Where an export goes: a file for its owner's eyes only, or a stream somebody else reads.

use std::{
    fmt,
    io::{self, Write},
    path::{Path, PathBuf},
};

use super::private_file::{PrivateFile, Replace};

/// An export could not be written; a file that was there before is untouched.
#[derive(Debug, thiserror::Error)]
#[error("the {what} cannot be exported to {}", .to.display())]
pub struct ExportError {
    what: &'static str,
    to: PathBuf,
    source: io::Error,
}

impl ExportError {
    /// Makes it of what the system said.
    pub(super) fn of(what: &'static str, to: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let to = to.to_owned();
        move |source| Self { what, to, source }
    }
}

/// An export's way out.
pub struct Outlet {
    to: PathBuf,
    way: Way,
}

enum Way {
    File(Box<PrivateFile>),
    Stream(Box<dyn Write>),
}

impl Outlet {
    /// Begins a file that appears under its name when it is complete; nothing is replaced.
    ///
    /// # Errors
    /// Something has the name already, or the folder cannot be written.
    pub fn file(what: &'static str, path: &Path) -> Result<Self, ExportError> {
        let file =
            PrivateFile::create(path, Replace::Nothing).map_err(ExportError::of(what, path))?;
        Ok(Self {
            to: path.to_owned(),
            way: Way::File(Box::new(file)),
        })
    }

    /// Standard output, as the terminal gives it.
    #[must_use]
    pub fn standard_output(stream: impl Write + 'static) -> Self {
        Self {
            to: PathBuf::from("standard output"),
            way: Way::Stream(Box::new(stream)),
        }
    }

    /// Where it leads.
    #[must_use]
    pub fn to(&self) -> &Path {
        &self.to
    }

    /// Ends it: a file gets its name.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.way {
            Way::File(file) => file.finish(),
            Way::Stream(mut stream) => stream.flush(),
        }
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.way {
            Way::File(file) => file.write(bytes),
            Way::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.way {
            Way::File(file) => file.flush(),
            Way::Stream(stream) => stream.flush(),
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outlet({})", self.to.display())
    }
}
