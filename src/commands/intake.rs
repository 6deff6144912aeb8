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
The file is CSV in UTF-8 with a header, separated by ; or , (as the header is), columns in any order; a line sep=; \
or sep=, may stand before it. The last line ends with a line feed like every other: one that does not is perhaps cut \
off, and the file is refused. Or it is JSON Lines (*.jsonl, *.ndjson), an object a line with the columns as keys and \
texts as values; null and a key that is absent are empty, halves_delivered may be a number and documents a list:

  request_id            unique for ever: letters, digits and ._:/-, at most
                        64; never a fiscal code
  kind                  new_pin (also where it is empty), further_profile,
                        replacement, revocation, suspension, or receipt: what
                        became of a half of a PIN that was sent
  accepted_at           2013-11-04T10:15, in activation.time_zone unless it
                        has an offset (+01:00 or Z)
  office                who took it; one of the file activation.offices, where
                        there is one, else it may be empty
  competent_office      the office competent for the holder, where that is
                        another
  channel               how it came (SED, UFF, WEB, TEL); may be empty
  fiscal_code           the holder's
  surname, given_name   given_name empty only for numeric codes; both may be
                        where rights are taken away
  birth_date            2013-11-04; may be empty where the code cannot be a
                        minor's
  profile               code of the profile catalogue; empty in a revocation
                        or suspension of everything
  entity                where the profile has one
  level                 ordinary (ORD) or dispositive (DISP); empty: what the
                        channel gives; with no channel the office answers for
                        it
  documents             codes of the documents presented, separated by spaces
                        or |
  requester             self (also where it is empty), guardian (also where it
                        is empty and guardian_fiscal_code is not), proxy,
                        relative
  mandate               the reference of a proxy's mandate
  guardian_fiscal_code, email, phone

A line is refused, too_long, that holds more than 64 characters in office, competent_office, profile or phone, 255 \
in surname, given_name, entity, mandate, email or of_request, 512 in credential_salt or of_pin, 1024 in credential \
or documents, 40 elsewhere; and, encoding_invalid, one that holds a control character. Of a refused line little is \
kept: request, kind, time and reason, code and profile where they are some, names without digits, and the office, \
unless it is longer than 6 characters, holds a digit, is not in the file of offices, and the line lacks its hash: it \
may be a PIN.

Of a new PIN or a replacement:
  credential            the hash of the new PIN, never the PIN
  credential_scheme     SHA256, SHA1, MD5 (hexadecimal); PBKDF2, BCRYPT,
                        ARGON2ID ($ form)
  credential_salt       where it is kept apart
  halves_delivered      0, 1 (the first) or 2

Of a receipt:
  of_request, of_pin    the request whose PIN it is about, or the migrated or
                        diverted PIN as source:id (of a request that is
                        activation:REQUEST)
  half, outcome, way    first or second; delivered, refused or returned;
                        letter, email, text or empty

Every column but request_id and accepted_at may be absent, where nothing needs it. The column or key version may be \
there too, and is 1.

new_pin gives a PIN with a profile; it takes the place of the PIN the person has. further_profile adds a profile to \
it, never above the PIN's level. replacement puts a PIN in the place of the present one, with its rights, never \
above its level, and suspended where that was; it waits for no earlier new PIN that is still on its way. All three need the documents of the profile. Counters (SED, UFF) give \
dispositive PINs, WEB ordinary ones and needs an e-mail address that is no certified mailbox (PEC), TEL ordinary \
ones and needs a telephone number. For a minor, or somebody who has a guardian, the guardian asks, with the document \
GUARDIAN_DECLARATION; a proxy needs a mandate and is refused where activation.proxies says so, a relative without \
one is always. A request accepted more than activation.accepted_within_days days ago, or in the future, is refused.

Each request is accepted or refused with its reason, and stays so: the same file again changes nothing, and a \
request to be mended comes under a new id. An accepted request takes effect by `pinferry activate` when the run is \
finished, its hour has come and both halves are delivered. That hour is activation.hour of the day that lies \
activation.delay_working_days working days of its office after the day of acceptance: no Saturday or Sunday, no \
public holiday, and not the office's patron day. A new PIN accepted later for the same person, profile and entity \
takes the place of an earlier request, any other request that of an earlier one of its kind; one that names somebody \
else takes none, and when a request fails by itself, what gave its place to it comes back.

A revocation ends a profile, or PIN and all profiles; a suspension suspends a profile, or PIN and all profiles; a \
PIN issued later opens only what it was issued for. Both need no documents and wait for no day: `intake` lets them \
take effect at once, or, before the first run is finished, with the first `pinferry activate`. Until then revoke in \
the offices' application as well, which the lock lets pass. While a later source is merged they take effect at once \
of people who stand, and at its cut-over of what it brings. A request accepted before a revocation or suspension of \
the same person (a name need not be told, and must be right if it is), or at the same minute, fails as `revoked` or \
`suspended`, however it came in; what was accepted later stays. A replacement fails for one of PIN and all profiles \
only: it comes with the profiles that are left. A local time that comes twice, in the night in October, is the first \
for requests and the second for revocations. No age is against a revocation, and a time up to two hours in the \
future is taken as now. One of somebody whom the model does not know waits, `holder_unknown`, for a later source or \
for what leaves quarantine.

A receipt counts a half as delivered: of a request at once, of a migrated pending PIN with the next `pinferry \
activate`, which makes the PIN active, or the profile that waited for it, when both halves are there. The same half \
twice is one. A half that was refused or returned leaves the PIN as it is. One of a PIN all of which was delivered \
counts nothing, already_delivered, nor does one of a PIN out of use, pin_revoked or pin_ceased; one of a request \
that brings no PIN fails: request_refused, request_failed, no_pin. One of a request that has not come yet waits for \
it, request_unknown. One of a PIN in a source that no run has migrated waits for that source, pin_unknown. A receipt with a time in \
the future is refused, and nothing is kept of it.

The answers stand in a file beside requests.csv, requests.result.csv (requests.result.jsonl beside JSON Lines; \
--result FILE names another), mode 0600: line, request_id, kind, state, known, not_before and reason, nothing of the \
person. The same file handed in again rewrites it with the states as they are then. A file that stands there and is \
no file of answers is left alone, and nothing is taken.

Exit code: 0 all accepted, 3 some refused or failed, or a revocation or suspension that could not take effect at \
once (before cut-over none can), 2 the file cannot be used or the answers have no place (nothing was taken), 1 \
failed; where the requests are taken but not answered the message says so, and the same command answers them; where \
a revocation or suspension fails that is taken, the message says so too, the answers are written, and `pinferry \
activate` tries again.";

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
        let (intake, unsettled) =
            match engine::intake::intake(&mut store, &requests, &grounds, &actor()) {
                Ok(intake) => (intake, None),
                Err(error) => match error.taken().cloned() {
                    Some(intake) => (intake, Some(error)),
                    None => return Err(error.into()),
                },
            };
        // Who reads the answers here shall have them even if the file could not be written.
        let written = result.as_ref().map(|file| file.write(&intake)).transpose();
        ui::activation::show_intake(&context.terminal, &intake)?;
        written?;
        if let Some(file) = &result {
            let line = format!("the answers stand in {}", file.path().display());
            context.terminal.say(&line);
        }
        if let Some(error) = unsettled {
            return Err(error.into());
        }
        if intake.late > 0 {
            let line = format!(
                "{} revocations or suspensions wait until a run is cut over; until then revoke in the offices' \
                 application too, which the lock lets pass",
                intake.late
            );
            context.terminal.say(&line);
        }
        if let Some(run_id) = intake.unfinished_run.filter(|_| intake.held_up > 0) {
            let line = format!(
                "{} revocations or suspensions wait until run {run_id}, which is cut over, is finished",
                intake.held_up
            );
            context.terminal.say(&line);
            context
                .terminal
                .next("`pinferry run` finishes it, then `pinferry activate`");
        } else if intake.held_up > 0 {
            let line = format!(
                "{} revocations or suspensions did not take effect yet: nobody in the model has the code, another \
                 process has the person, or the database refuses them",
                intake.held_up
            );
            context.terminal.say(&line);
            context.terminal.next("pinferry activate");
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
