//! One command of the administrator's own: a process group, and what it says.

use std::{
    env,
    ffi::OsString,
    fmt, fs,
    io::{self, PipeReader, Read as _},
    mem,
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use rustix::{
    fs::{Access, access},
    process::{Pid, Signal, kill_process_group},
};

use crate::{domain::span::span, engine::stop::StopReason};

/// What a command may say; the rest is not shown.
const MOST_BYTES: usize = 64 << 10;

/// A line that does not end is cut here.
const LINE_BYTES: usize = 1 << 10;

/// Lines that wait to be shown.
const LINES_WAITING: usize = 64;

/// How long the last lines of a command are waited for that has ended: what it left running may hold its output.
const LAST_WORDS: Duration = Duration::from_millis(300);

/// Where commands are looked for when nobody says.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What of this process's environment a command is given: nothing that may be a credential.
const INHERITED: [&str; 8] = [
    "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SHELL",
];

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With 0.
    Well,
    /// With another code.
    With(i32),
    /// By a signal of somebody else.
    Killed(i32),
    /// Not in time; its process group was killed.
    Late(Duration),
    /// A signal came for this process; its process group was killed.
    Stopped(StopReason),
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well => f.write_str("ended with 0"),
            Self::With(code) => write!(f, "ended with {code}"),
            Self::Killed(signal) => write!(f, "was ended by signal {signal}"),
            Self::Late(after) => write!(
                f,
                "was not done within {} and was killed",
                span(after.as_secs_f64())
            ),
            Self::Stopped(_) => f.write_str("was ended, because a signal came"),
        }
    }
}

/// Why a command cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// No such file, in the place named or on the path.
    #[error("cannot be run: {0} does not exist")]
    Missing(String),
    /// A folder, or a file that may not be executed.
    #[error("cannot be run: {} is not executable", .0.display())]
    NotExecutable(PathBuf),
    /// The system refuses it.
    #[error("cannot be run: {0}")]
    Refused(io::Error),
}

/// The file that a command's first word means: a path from `folder` on, or a name to be looked for.
///
/// # Errors
/// There is none that can be executed.
pub fn program(word: &str, folder: &Path) -> Result<PathBuf, Unfit> {
    if word.contains('/') {
        return executable(folder.join(word));
    }
    let path = path();
    let mut unfit = None;
    for place in env::split_paths(&path).filter(|place| place.is_absolute()) {
        match executable(place.join(word)) {
            Ok(file) => return Ok(file),
            Err(Unfit::Missing(_)) => {}
            Err(other) => unfit = unfit.or(Some(other)),
        }
    }
    Err(unfit.unwrap_or_else(|| Unfit::Missing(format!("{word} on the PATH"))))
}

fn executable(file: PathBuf) -> Result<PathBuf, Unfit> {
    match fs::metadata(&file) {
        Err(_) => Err(Unfit::Missing(file.display().to_string())),
        Ok(found) if found.is_file() && access(&file, Access::EXEC_OK).is_ok() => Ok(file),
        Ok(_) => Err(Unfit::NotExecutable(file)),
    }
}

fn path() -> OsString {
    env::var_os("PATH")
        .filter(|path| !path.is_empty())
        .unwrap_or_else(|| PATH.into())
}

/// A command under way.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
    lines: Receiver<String>,
}

impl Started {
    /// Starts it in a process group of its own, with no input, and with this context in an environment without
    /// secrets.
    pub(super) fn new(
        arguments: &[String],
        folder: &Path,
        context: &[(&'static str, String)],
    ) -> Result<Self, Unfit> {
        let (word, arguments) = arguments
            .split_first()
            .ok_or_else(|| Unfit::Missing(String::new()))?;
        let (reader, writer) = io::pipe().map_err(Unfit::Refused)?;
        let inherited = INHERITED
            .into_iter()
            .filter_map(|name| Some((name, env::var_os(name)?)));
        let mut command = Command::new(program(word, folder)?);
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .envs(inherited)
            .env("PATH", path())
            .envs(context.iter().map(|(name, value)| (name, value)))
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(writer.try_clone().map_err(Unfit::Refused)?)
            .stderr(writer);
        let child = command.spawn().map_err(Unfit::Refused)?;
        let (sender, lines) = bounded(LINES_WAITING);
        // It ends with the last process that holds the other end.
        thread::Builder::new()
            .name("hook".to_owned())
            .spawn(move || listen(reader, &sender))
            .map_err(Unfit::Refused)?;
        Ok(Self { child, lines })
    }

    /// Says line by line what it says, and waits for its end, or ends it.
    pub(super) fn wait(
        mut self,
        (deadline, timeout): (Instant, Duration),
        turn: Duration,
        stop: &dyn Fn() -> Option<StopReason>,
        say: &dyn Fn(&str),
    ) -> Ended {
        let mut said = Said { bytes: 0, say };
        loop {
            match self.lines.recv_timeout(turn) {
                Ok(line) => said.line(&line),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => thread::sleep(turn),
            }
            let ended = match self.child.try_wait() {
                Ok(Some(status)) => of_status(status),
                Ok(None) | Err(_) => {
                    match (stop(), deadline.checked_duration_since(Instant::now())) {
                        (Some(reason), _) => self.end(Ended::Stopped(reason)),
                        (None, None) => self.end(Ended::Late(timeout)),
                        (None, Some(_)) => continue,
                    }
                }
            };
            let last = Instant::now() + LAST_WORDS;
            while let Ok(line) = self.lines.recv_deadline(last) {
                said.line(&line);
            }
            return ended;
        }
    }

    /// Kills the whole group.
    fn end(&mut self, ended: Ended) -> Ended {
        let group = Pid::from_child(&self.child);
        if let Err(error) = kill_process_group(group, Signal::KILL) {
            tracing::warn!(%error, "hook.kill");
        }
        // It is dead, and leaves no zombie.
        drop(self.child.wait());
        ended
    }
}

fn of_status(status: ExitStatus) -> Ended {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ended::Well,
        (Some(code), _) => Ended::With(code),
        (None, signal) => Ended::Killed(signal.unwrap_or_default()),
    }
}

/// What was said so far.
struct Said<'s> {
    bytes: usize,
    say: &'s dyn Fn(&str),
}

impl Said<'_> {
    fn line(&mut self, line: &str) {
        let before = self.bytes;
        self.bytes = before.saturating_add(line.len() + 1);
        if self.bytes <= MOST_BYTES {
            (self.say)(line);
        } else if before <= MOST_BYTES {
            (self.say)(&format!(
                "(what it says after {} KiB is not shown)",
                MOST_BYTES >> 10
            ));
        }
    }
}

/// Takes everything a command says, so that it never waits to be heard; what is not a character to show is a `?`.
fn listen(mut output: PipeReader, lines: &Sender<String>) {
    let (mut buffer, mut line) = ([0; 4096], Vec::new());
    // It ends when nobody can say anything any more, or nobody listens.
    while let Ok(read @ 1..) = output.read(&mut buffer) {
        for byte in &buffer[..read] {
            if *byte != b'\n' {
                line.push(*byte);
                if line.len() < LINE_BYTES {
                    continue;
                }
            }
            if lines.send(shown(&mem::take(&mut line))).is_err() {
                return;
            }
        }
    }
    if !line.is_empty() {
        // Nobody may listen any more.
        drop(lines.send(shown(&line)));
    }
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let shown = |c: char| if c.is_control() && c != '\t' { '?' } else { c };
    text.trim_end_matches('\r').chars().map(shown).collect()
}
