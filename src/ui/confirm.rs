//! Asking before something is done that cannot be taken back.

use std::io::{self, IsTerminal};

use super::terminal::Terminal;
use crate::exit::Exit;

/// It was not confirmed; nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum NotConfirmed {
    /// The answer was not yes.
    #[error("not confirmed; nothing was done")]
    Declined,
    /// Nobody can be asked.
    #[error("this has to be confirmed, and there is no terminal to ask at")]
    NobodyToAsk,
    /// The answer could not be read.
    #[error("the answer could not be read")]
    Unread(#[from] io::Error),
}

impl NotConfirmed {
    /// Usage: nothing was done.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Usage
    }

    /// How to confirm.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Declined => None,
            Self::NobodyToAsk | Self::Unread(_) => {
                Some("type the same command with `--yes` to confirm it".to_owned())
            }
        }
    }
}

impl Terminal {
    /// Asks a question whose answer must be `yes`.
    ///
    /// # Errors
    /// It was not.
    pub fn confirm(&self, question: &str) -> Result<(), NotConfirmed> {
        if !io::stdin().is_terminal() || !self.is_watched() {
            return Err(NotConfirmed::NobodyToAsk);
        }
        self.say(&format!("{question} Type yes to go on:"));
        self.release();
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if answer.trim() == "yes" {
            Ok(())
        } else {
            Err(NotConfirmed::Declined)
        }
    }
}
