//! `man`: the manual pages.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use clap::{Args, CommandFactory};
use clap_mangen::Man as Page;

use super::{CommandLine, Context, failure::Failure};
use crate::exit::Exit;

/// Write the manual page to standard output, or one page per command into a folder
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder; it is created when it does not exist
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut command = CommandLine::command();
        command.build();
        match self.dir {
            None => {
                let mut page = Vec::new();
                whole_page(command, &mut page).map_err(|error| unwritten(Path::new("-"), error))?;
                context.terminal.data(&page)?;
            }
            Some(dir) => {
                fs::create_dir_all(&dir).map_err(|error| unwritten(&dir, error))?;
                clap_mangen::generate_to(command, &dir).map_err(|error| unwritten(&dir, error))?;
                context
                    .terminal
                    .say(&format!("manual pages written to {}", dir.display()));
            }
        }
        Ok(Exit::Done)
    }
}

fn whole_page(command: clap::Command, page: &mut impl Write) -> io::Result<()> {
    Page::new(command).render(page)
}

fn unwritten(path: &Path, error: io::Error) -> Failure {
    let message = format!("cannot write manual pages to {}: {error}", path.display());
    Failure::new(Exit::Failed, message, None)
}
