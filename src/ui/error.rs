//! Errors: the chain once, and what to type next on a line of its own.

use std::error::Error;

use super::terminal::Terminal;
use crate::{commands::failure::Failure, exit::Exit};

/// Shows why a command failed.
pub fn show(failure: &Failure, terminal: &Terminal) -> Exit {
    let label = terminal.painted("error:", "31");
    terminal.say(&format!("{label} {}", chain(failure.error.as_ref())));
    if let Some(hint) = &failure.hint {
        terminal.next(hint);
    }
    failure.exit
}

/// Shows what is wrong with the command line, or the help that was asked for.
pub fn show_usage(error: &clap::Error) -> Exit {
    // A closed stream is no reason to end in another way.
    drop(error.print());
    if error.use_stderr() {
        Exit::Usage
    } else {
        Exit::Done
    }
}

/// An error and its causes in one line of thought.
#[must_use]
pub fn chain(error: &(dyn Error + 'static)) -> String {
    const DEEPEST: usize = 16;
    let mut text = error.to_string();
    let mut cause = error.source();
    for _ in 0..DEEPEST {
        let Some(error) = cause else { break };
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
