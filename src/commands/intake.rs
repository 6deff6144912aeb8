//! `intake`: requests of the counters enter the queue.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{
    Context, activate::grounds, actor::actor, failure::Failure, outlet::is_standard_output,
};
use crate::{
    engine::{self, result_file::ResultFile},
    exit::Exit,
    source::requests::{RequestFile, RequestFormat},
    store::activation::ActivationStore,
    ui,
};

/// What the file holds, for `--help`.
const COLUMNS: &str = "\
The file is CSV in UTF-8 with a header, separated by ; or , (as the header is), columns in any order. The last line
ends with a line feed like every other: one that does not is perhaps cut off, and the file is refused. Or it is JSON
Lines (*.jsonl, *.ndjson), an object a line with the columns as keys and texts as values; null and a key that is
absent are empty, halves_delivered may be a number and documents a list:

  request_id            unique for ever: letters, digits and ._:/-, at most 64; never a fiscal code
  accepted_at           2013-11-04T10:15, in activation.time_zone unless it has an offset (+01:00 or Z)
  office                who took it; one of the file activation.offices, where there is one, else it may be empty
  channel               how it came (SED, WEB, TEL, UFF); may be empty
  fiscal_code           the holder's
  surname, given_name   given_name empty only for numeric codes
  birth_date            2013-11-04; may be empty
  profile               code of the profile catalogue
  entity                where the profile has one
  level                 ordinary (ORD) or dispositive (DISP)
  credential            the hash of the new PIN, never the PIN
  credential_scheme     SHA256, SHA1, MD5 (hexadecimal); PBKDF2, BCRYPT, ARGON2ID ($ form)
  credential_salt       where it is kept apart
  halves_delivered      0, 1 or 2
  documents             codes of the documents presented, separated by spaces or |
  email, phone, guardian_fiscal_code
                        may be empty

Columns that may be absent: office, channel, birth_date, entity, credential_salt, email, phone,
guardian_fiscal_code. The column or key version may be there too, and is 1.

Each request is accepted or refused with its reason, and stays so: the same file again changes nothing, and
a request to be mended comes under a new id. An accepted request takes effect by `pinferry activate` when the
run is finished, its hour has come and both halves are delivered. That hour is activation.hour of the day that lies
activation.delay_working_days working days of its office after the day of acceptance: no Saturday or Sunday, no
public holiday, and not the office's patron day. A request accepted later for the same
person, profile and entity takes the place of an earlier one. One for which the holder's PIN was revoked
under the lock, at the same time or later, fails as `revoked`: a new request is to be made.

The answers stand in a file beside requests.csv, requests.result.csv (requests.result.jsonl beside JSON Lines;
--result FILE names another), mode 0600: line, request_id, kind, state, known, not_before and reason, nothing of the
person. The same file handed in again rewrites it with the states as they are then. A file that stands there and is
no file of answers is left alone, and nothing is taken.

Exit code: 0 all accepted, 3 some refused, 2 the file cannot be used or the answers have no place (nothing was taken),
1 failed; where the requests are taken but not answered the message says so, and the same command answers them.";

/// Take a file of requests accepted at the counters into the queue
#[derive(Debug, Args)]
#[command(after_long_help = COLUMNS)]
pub(super) struct Intake {
    /// The requests, as CSV or JSON Lines; `-` reads standard input
    file: PathBuf,
    /// What the file is, whatever its name says
    #[arg(long, value_name = "FORMAT")]
    input_format: Option<InputFormat>,
    /// The file of answers; beside requests.csv it is requests.result.csv, beside standard input none
    #[arg(long, value_name = "FILE")]
    result: Option<PathBuf>,
}

/// How requests may be written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum InputFormat {
    /// CSV with a header
    Csv,
    /// JSON Lines, an object a line
    Jsonl,
}

impl Intake {
    pub(super) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let settings = context.settings(Vec::new())?;
        let grounds = grounds(&settings);
        let mut store = ActivationStore::open(&settings.target)?;
        let requests = RequestFile::read(&self.file, self.format())?;
        if self.result.as_deref().is_some_and(is_standard_output) {
            let error = "the file of answers cannot be standard output";
            let hint = "leave --result out: with --format json standard output has the answers";
            return Err(Failure::new(Exit::Usage, error, Some(hint.to_owned())));
        }
        let result = self.result.or_else(|| ResultFile::beside(&self.file));
        let result = result.as_deref().map(ResultFile::prepare).transpose()?;
        let intake = engine::intake::intake(&mut store, &requests, &grounds, &actor())?;
        // Who reads the answers here shall have them even if the file could not be written.
        let written = result.as_ref().map(|file| file.write(&intake)).transpose();
        ui::activation::show_intake(&context.terminal, &intake)?;
        written?;
        if let Some(file) = &result {
            let line = format!("the answers stand in {}", file.path().display());
            context.terminal.say(&line);
        }
        if intake.refused > 0 {
            context
                .terminal
                .next("tell the people; a mended request comes under a new request_id");
        }
        Ok(intake.exit())
    }

    fn format(&self) -> RequestFormat {
        match self.input_format {
            Some(InputFormat::Csv) => RequestFormat::Csv,
            Some(InputFormat::Jsonl) => RequestFormat::JsonLines,
            None => RequestFormat::by_file_name(&self.file),
        }
    }
}
