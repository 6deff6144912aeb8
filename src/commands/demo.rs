//! `demo`: the whole job on the sample data, by the very code of the other commands.

use std::path::{Path, PathBuf};

use clap::{Args, Parser};
use serde::Serialize;
use serde_json::{Value, json};

use super::{Command, CommandLine, Context, failure::Failure};
use crate::{
    exit::Exit,
    sample::{self, AtTheCounter},
    ui::terminal::Format,
};

/// Lay the sample data out in a fresh folder and do the whole job there
///
/// Two sources, one of them a SQLite legacy that is really locked meanwhile; nothing outside the folder is
/// touched. Ends with 0 when every step ended as it should.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The folder, which must not hold a demo already; out/demo, or out/demo-2 and so on, when not given
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// A scene: what is told, what is typed, and how it should end.
struct Scene {
    told: &'static str,
    typed: &'static [&'static str],
    ends: Exit,
}

const fn scene(told: &'static str, typed: &'static [&'static str], ends: Exit) -> Scene {
    Scene { told, typed, ends }
}

const BEFORE: [Scene; 4] = [
    scene(
        "Before the window: would anything fail in it?",
        &["doctor"],
        Exit::Done,
    ),
    scene(
        "The dry run reads and judges everything and writes nothing. Records that no rule may migrate end in \
         quarantine, so it ends with exit code 3. What it found is saved, to be carried out and nothing else.",
        &["plan", "--save", "plan.json"],
        Exit::DoneWithQuarantine,
    ),
    scene(
        "The window opens. The run locks the counters' database, loads, indexes and verifies; --hold stops it \
         before the point of no return, with exit code 5.",
        &["run", "--plan", "plan.json", "--hold"],
        Exit::Stopped,
    ),
    scene(
        "The process has ended, the lock has not: it belongs to the run.",
        &["status"],
        Exit::Done,
    ),
];

const AFTER: [Scene; 9] = [
    scene(
        "The same command goes on from there: it judges the person whose PIN was revoked again, verifies, cuts \
         over, and seals the legacy.",
        &["run"],
        Exit::DoneWithQuarantine,
    ),
    scene(
        "The person's other PIN has taken the place of the revoked one.",
        &["explain", "sportello:used-2"],
        Exit::Done,
    ),
    scene(
        "Requests of the counters, accepted while nobody could manage PINs; exit code 3, for some are refused.",
        &["intake", "intake.csv"],
        Exit::DoneWithQuarantine,
    ),
    scene(
        "What is due takes effect, once, however often this is typed.",
        &["activate"],
        Exit::Done,
    ),
    scene(
        "Requests of every kind, and receipts. A stolen PIN is revoked at once; what was accepted before that for \
         the same person fails, hence exit code 3.",
        &["intake", "intake-night.csv"],
        Exit::DoneWithQuarantine,
    ),
    scene(
        "Of the others one waits: the post brought half of its PIN back.",
        &["activate"],
        Exit::Done,
    ),
    scene(
        "Verification afterwards tells apart what went wrong from what life has changed.",
        &["verify"],
        Exit::Done,
    ),
    scene(
        "Who was left out, and why.",
        &["quarantine", "list"],
        Exit::Done,
    ),
    scene("And where things stand.", &["status"], Exit::Done),
];

impl Demo {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let folder = self.dir.unwrap_or_else(fresh);
        sample::lay_out(&folder)?;
        let say = |line: &str| context.terminal.say(line);
        say(&format!(
            "The sample data are laid out in {}; every command below can be typed there.",
            folder.display()
        ));
        let outer = &context.terminal;
        let inner = &context.within(&folder, outer.collecting());
        let mut shown = play(&BEFORE, &folder, inner)?;
        say("\nAt a counter somebody asks for a PIN:");
        match sample::at_the_counter(&folder, AtTheCounter::NewPin) {
            Ok(()) => return Err(unexpected("the locked database took a new PIN")),
            Err(words) => say(&format!("  refused: {words}")),
        }
        say("At another a PIN is reported stolen. That must not wait:");
        sample::at_the_counter(&folder, AtTheCounter::Revocation)
            .map_err(|words| unexpected(&format!("a revocation was refused: {words}")))?;
        say("  revoked; the lock let it pass and kept it");
        shown.extend(play(&AFTER, &folder, inner)?);
        say(&format!(
            "\nThat was the whole job. Look around in {}.",
            folder.display()
        ));
        if outer.format() == Format::Json {
            outer.json(&json!({"folder": folder, "scenes": shown}))?;
        }
        Ok(Exit::Done)
    }
}

/// What a scene showed a program.
#[derive(Serialize)]
struct Shown {
    typed: String,
    exit_code: u8,
    document: Option<Value>,
}

/// Does what each scene types, and sees that it ends as it should.
fn play(scenes: &[Scene], folder: &Path, context: &Context) -> Result<Vec<Shown>, Failure> {
    let mut shown = Vec::new();
    for scene in scenes {
        let typed = scene.typed.join(" ");
        let terminal = &context.terminal;
        terminal.say(&format!("\n{}\n$ pinferry {typed}", scene.told));
        let words = scene.typed.iter().map(|word| {
            // A file of the scene lies in the folder, wherever the demo was started.
            match Path::new(word).extension() {
                Some(_) => folder.join(word).into_os_string(),
                None => word.into(),
            }
        });
        let line = CommandLine::try_parse_from([program()].into_iter().chain(words))
            .map_err(|error| unexpected(&error.to_string()))?;
        let ended = match line.command {
            Command::Demo(_) => return Err(unexpected("a demo does not contain itself")),
            command => command.run(context)?,
        };
        terminal.say(&format!("(exit code {})", ended.code()));
        if ended != scene.ends {
            let expected = scene.ends.code();
            return Err(unexpected(&format!(
                "`pinferry {typed}` ended with {} instead of {expected}",
                ended.code()
            )));
        }
        shown.push(Shown {
            typed: format!("pinferry {typed}"),
            exit_code: ended.code(),
            document: terminal.collected().pop(),
        });
    }
    Ok(shown)
}

fn program() -> std::ffi::OsString {
    "pinferry".into()
}

fn unexpected(what: &str) -> Failure {
    let error = format!("the demo did not go as it should: {what}");
    Failure::new(Exit::Failed, error, None)
}

/// The first folder of this name that does not exist.
fn fresh() -> PathBuf {
    const MOST: u32 = 10_000;
    let numbered = (2..MOST).map(|number| PathBuf::from(format!("out/demo-{number}")));
    std::iter::once(PathBuf::from("out/demo"))
        .chain(numbered)
        .find(|folder| !folder.exists())
        .unwrap_or_else(|| PathBuf::from("out/demo"))
}
