//! `init`: a commented configuration to start from.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write},
};

use clap::Args;

use super::{Context, failure::Failure};
use crate::exit::Exit;

const TEMPLATE: &str = include_str!("init.toml");

/// Write a commented configuration to start from; an existing one is never touched
#[derive(Debug, Args)]
pub(super) struct Init {}

impl Init {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let file = &context.config;
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(file)
            .and_then(|mut opened| {
                opened.write_all(TEMPLATE.as_bytes())?;
                opened.sync_all()
            });
        match written {
            Ok(()) => {
                let shown = file.display();
                context.terminal.say(&format!("wrote {shown}"));
                context.terminal.next("fill it in, then `pinferry doctor`");
                Ok(Exit::Done)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Failure::new(
                Exit::Usage,
                format!("{} exists and is left as it is", file.display()),
                Some("name another file with --config FILE".to_owned()),
            )),
            Err(error) => Err(Failure::new(
                Exit::Failed,
                format!("cannot write {}: {error}", file.display()),
                None,
            )),
        }
    }
}
