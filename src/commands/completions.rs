//! `completions`: what a shell needs to complete the command line.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{CommandLine, Context, failure::Failure};
use crate::exit::Exit;

/// Write shell completions to standard output
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(
            self.shell,
            &mut CommandLine::command(),
            "pinferry",
            &mut script,
        );
        context.terminal.data(&script)?;
        Ok(Exit::Done)
    }
}
