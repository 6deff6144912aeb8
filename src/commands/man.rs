//! `man`: the manual pages.

use std::{
    fs, io,
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
        // `help COMMAND` prints what the command's own page says.
        let mut command = CommandLine::command().disable_help_subcommand(true);
        command.build();
        match self.dir {
            None => {
                let mut page = Vec::new();
                let written = page_of(&command).render(&mut page);
                written.map_err(|error| unwritten(Path::new("-"), error))?;
                context.terminal.data(&page)?;
            }
            Some(dir) => {
                fs::create_dir_all(&dir).map_err(|error| unwritten(&dir, error))?;
                write_pages(&command, &dir).map_err(|error| unwritten(&dir, error))?;
                context
                    .terminal
                    .say(&format!("manual pages written to {}", dir.display()));
            }
        }
        Ok(Exit::Done)
    }
}

/// The page of a command, and of each one below it.
fn write_pages(command: &clap::Command, dir: &Path) -> io::Result<()> {
    for below in command.get_subcommands() {
        write_pages(below, dir)?;
    }
    page_of(command).generate_to(dir).map(drop)
}

fn page_of(command: &clap::Command) -> Page {
    // An empty date would vanish from the line of the title, and the next word take its place.
    Page::new(command.clone())
        .date(" ")
        .source(concat!("pinferry ", env!("CARGO_PKG_VERSION")))
}

fn unwritten(path: &Path, error: io::Error) -> Failure {
    let message = format!("cannot write manual pages to {}: {error}", path.display());
    Failure::new(Exit::Failed, message, None)
}
