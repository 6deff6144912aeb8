//! Standard output is data, standard error is talk. A reader that went away is no failure of the work.

use std::{
    env,
    io::{self, ErrorKind, IsTerminal, Write},
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use clap::ValueEnum;
use indicatif::MultiProgress;
use serde::Serialize;
use serde_json::Value;

use crate::{engine::document::Document, exit::Exit};

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables, for people.
    #[default]
    Table,
    /// One JSON document, for programs.
    Json,
}

/// Standard output could not be written.
#[derive(Debug, thiserror::Error)]
#[error("standard output cannot be written; the work itself is not affected")]
pub struct OutputError(#[source] io::Error);

impl OutputError {
    /// Failed: what was asked for could not be shown.
    #[must_use]
    pub fn exit(&self) -> Exit {
        Exit::Failed
    }

    /// Nothing to type.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        None
    }
}

/// The two streams and how to write to them.
#[derive(Clone, Debug)]
pub struct Terminal {
    format: Format,
    bars: Arc<MultiProgress>,
    colours: bool,
    watched: bool,
    /// Where documents go that are to become parts of another one.
    collected: Option<Arc<Mutex<Vec<Value>>>>,
    /// What is shown only if not all is well.
    held: Option<Arc<Mutex<Vec<Held>>>>,
}

/// Something for one of the streams.
#[derive(Debug)]
enum Held {
    Result(Vec<u8>),
    Talk(String),
}

impl Terminal {
    /// A terminal as the process finds it. A quiet one keeps everything to itself until [`Terminal::release`].
    #[must_use]
    pub fn new(format: Format, quiet: bool) -> Self {
        let plain = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let watched = io::stderr().is_terminal() && !dumb;
        Self {
            format,
            bars: Arc::new(MultiProgress::new()),
            colours: watched && !plain("NO_COLOR"),
            watched,
            collected: None,
            held: quiet.then(Arc::default),
        }
    }

    /// Shows what was held back, and holds nothing back any more.
    pub fn release(&self) {
        let Some(held) = &self.held else { return };
        let held = mem::take(&mut *held.lock().unwrap_or_else(PoisonError::into_inner));
        for one in held {
            match one {
                Held::Talk(line) => self.put_talk(&line),
                // What cannot be shown is not worth another way to end.
                Held::Result(bytes) => drop(self.data(&bytes)),
            }
        }
    }

    /// Keeps something for later where nothing is to be shown yet.
    fn hold<T>(&self, one: T, as_held: impl FnOnce(T) -> Held) -> Option<T> {
        match &self.held {
            None => Some(one),
            Some(held) => {
                let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
                held.push(as_held(one));
                None
            }
        }
    }

    /// The same terminal, but documents are kept until [`Terminal::collected`] takes them.
    #[must_use]
    pub fn collecting(&self) -> Self {
        Self {
            collected: Some(Arc::default()),
            ..self.clone()
        }
    }

    /// The documents kept since the last call, in order.
    #[must_use]
    pub fn collected(&self) -> Vec<Value> {
        let Some(kept) = &self.collected else {
            return Vec::new();
        };
        mem::take(&mut *kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How results are written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Whether somebody sits in front of it.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.watched
    }

    /// Whether somebody sees both streams, and wants to.
    #[must_use]
    pub(super) fn is_seen(&self) -> bool {
        self.has_bars() && io::stdout().is_terminal()
    }

    /// Whether nothing is to be shown while all is well.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.held.is_some()
    }

    /// Whether somebody wants to see how the work goes on.
    #[must_use]
    pub(super) fn has_bars(&self) -> bool {
        self.watched && self.held.is_none()
    }

    /// The bars that are on the screen.
    #[must_use]
    pub(super) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Writes data to standard output.
    ///
    /// # Errors
    /// Standard output failed in another way than by being closed.
    pub fn data(&self, bytes: &[u8]) -> Result<(), OutputError> {
        let written = self.bars.suspend(|| {
            let mut out = io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        });
        match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(OutputError(error)),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Standard output as a stream of data that is too long for one piece.
    #[must_use]
    pub fn stream(&self) -> impl Write + use<> {
        Stream(self.clone())
    }

    /// Writes a text to standard output, with an end of line.
    ///
    /// # Errors
    /// As [`Terminal::data`].
    pub fn text(&self, text: &str) -> Result<(), OutputError> {
        self.result(format!("{}\n", text.trim_end_matches('\n')).into_bytes())
    }

    /// Writes one JSON document, with the version of its layout, to standard output.
    ///
    /// # Errors
    /// As [`Terminal::data`].
    pub fn json(&self, content: &impl Serialize) -> Result<(), OutputError> {
        let document = Document::new(content);
        if let Some(kept) = &self.collected {
            let document = serde_json::to_value(document)
                .map_err(|error| OutputError(io::Error::other(error)))?;
            kept.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(document);
            return Ok(());
        }
        let mut text = serde_json::to_vec_pretty(&document)
            .map_err(|error| OutputError(io::Error::other(error)))?;
        text.push(b'\n');
        self.result(text)
    }

    /// What a command found out; exports, which somebody asked for as data, are shown always.
    fn result(&self, bytes: Vec<u8>) -> Result<(), OutputError> {
        match self.hold(bytes, Held::Result) {
            Some(bytes) => self.data(&bytes),
            None => Ok(()),
        }
    }

    /// A line of talk.
    pub fn say(&self, line: &str) {
        if let Some(line) = self.hold(line, |line| Held::Talk(line.to_owned())) {
            self.put_talk(line);
        }
    }

    fn put_talk(&self, line: &str) {
        self.bars.suspend(|| {
            // Whoever closed standard error does not want to be talked to.
            drop(writeln!(io::stderr().lock(), "{line}"));
        });
    }

    /// What to type next, on a line of its own.
    pub fn next(&self, hint: &str) {
        self.say(&format!("{} {hint}", self.painted("next:", "36")));
    }

    /// The text in a colour (an ANSI code), where colours are wanted.
    #[must_use]
    pub(super) fn painted(&self, text: &str, code: &str) -> String {
        if self.colours {
            format!("\u{1b}[1;{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

/// See [`Terminal::stream`].
struct Stream(Terminal);

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.data(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(OutputError(error)) => Err(error),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
