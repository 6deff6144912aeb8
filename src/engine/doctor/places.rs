//! Sources, target and the other files.

use std::{fs, path::Path};

use rustix::fs::{Access, access};

use super::{super::hooks::program, Check, Verdict};
use crate::{
    config::settings::{
        LoadSettings, LockSettings, Settings, SourceLocation, SourceSettings, TargetSettings,
    },
    exit::Exit,
    source::{
        self,
        lock::{Foreseen, LockState},
    },
    store::{Reach, ServerLoad, TargetStanding, reach, server_load, standing},
};

/// Can the source be read, has it all its columns, may it be locked?
pub(super) fn source(settings: &SourceSettings, lock: &LockSettings) -> Vec<Check> {
    let subject = format!("source {}", settings.rules.name);
    let mut checks = match source::check(settings) {
        Err(mistakes) => mistakes
            .into_iter()
            .map(|mistake| Check::fail(&subject, chain(&mistake), mistake.hint(), mistake.exit()))
            .collect(),
        Ok(found) if found.warnings.is_empty() => {
            let (columns, unmapped) = (found.columns.len(), found.unmapped.len());
            let text = format!("readable, {columns} columns, {unmapped} of them not mapped");
            vec![Check::ok(&subject, text)]
        }
        Ok(found) => found
            .warnings
            .into_iter()
            .map(|warning| Check::warn(&subject, warning, "look at the source before the window"))
            .collect(),
    };
    if checks.iter().any(|check| check.verdict == Verdict::Failure) {
        return checks;
    }
    let subject = format!("{subject}, lock");
    match &settings.location {
        SourceLocation::Csv { .. } => {}
        SourceLocation::Sqlite { path, .. } => {
            checks.push(
                writable(&subject, path).unwrap_or_else(|| lockable(&subject, settings, lock)),
            );
        }
        SourceLocation::Postgres { .. } => {
            checks.extend(beside(&subject, settings, lock));
            checks.push(lockable(&subject, settings, lock));
        }
    }
    checks
}

/// Locking writes guards into the legacy database, into its file where it is one.
fn writable(subject: &str, path: &Path) -> Option<Check> {
    let folder = path.parent().unwrap_or(path);
    let may_write = |place| access(place, Access::WRITE_OK).is_ok();
    if may_write(path) && may_write(folder) {
        return None;
    }
    let next = "give the account that runs pinferry the right to write the file and its folder";
    let found = format!(
        "{} may not be written, so it cannot be locked",
        path.display()
    );
    let next = Some(next.to_owned());
    Some(Check::fail(subject, found, next, Exit::Failed))
}

/// Whoever holds a lock already is in the way, and one that does not hold is worse.
fn lockable(subject: &str, settings: &SourceSettings, lock: &LockSettings) -> Check {
    match source::lock::status(settings, lock) {
        Ok(status) if status.is_held() && status.is_damaged() => {
            let next = match status.state {
                LockState::Sealed => {
                    "find out who did that: what is written to the legacy since is in no model"
                }
                LockState::Open | LockState::Engaged | LockState::Broken => {
                    "find out who did that: PINs may have changed unseen; `pinferry status` says what to type"
                }
            };
            Check::fail(subject, status.line(), Some(next.to_owned()), Exit::Failed)
        }
        Ok(status) if status.is_held() => Check::warn(
            subject,
            status.line(),
            "`pinferry status` says whose it is and what goes on",
        ),
        Ok(_) => foreseen(subject, settings, lock),
        Err(error) => Check::fail(subject, chain(&error), error.hint(), error.exit()),
    }
}

/// What a lock would refuse that should pass, and what of an earlier lock could not be removed because somebody was
/// reading.
fn beside(subject: &str, settings: &SourceSettings, lock: &LockSettings) -> Vec<Check> {
    let Ok(status) = source::lock::status(settings, lock) else {
        return Vec::new();
    };
    let remains = (!status.remains.is_empty()).then(|| {
        let found = format!(
            "an earlier lock left {}; they refuse nothing",
            status.remains.join(", ")
        );
        Check::warn(subject, found, "`pinferry lock release` removes them")
    });
    let warned = (status.warnings.into_iter())
        .map(|warning| Check::warn(subject, warning.what, warning.next));
    warned.chain(remains).collect()
}

/// What `lock engage` and `lock test` would refuse in the window.
fn foreseen(subject: &str, settings: &SourceSettings, lock: &LockSettings) -> Check {
    const REALLY: &str = "`pinferry lock test` tries it on the database itself and undoes it";
    match source::lock::foresee(settings, lock) {
        Ok(Foreseen::Tested(report)) if report.passed() => {
            let tries = report.tries.len();
            Check::ok(
                subject,
                format!("open, may be locked; {tries} tries went as they should, each undone"),
            )
        }
        Ok(Foreseen::Tested(report)) => {
            let (failures, tries) = (report.failures(), report.tries.len());
            let found = format!(
                "the lock would not hold: {} of {tries} tries failed, such as {}",
                failures.len(),
                failures.first().map_or("none", String::as_str)
            );
            let next = format!("see what triggers of the application do to this table; {REALLY}");
            Check::fail(subject, found, Some(next), Exit::Failed)
        }
        Ok(Foreseen::Unknown(why)) => {
            let found = format!("may be locked; whether the lock holds was not tried, for {why}");
            Check::warn(subject, found, REALLY)
        }
        Ok(Foreseen::Nothing | Foreseen::Held) => Check::ok(subject, "may be locked"),
        Err(error) => Check::fail(subject, chain(&error), error.hint(), error.exit()),
    }
}

/// A column that no source has is a misspelt one.
pub(super) fn allowed_columns(settings: &Settings) -> Check {
    const SUBJECT: &str = "lock.allow_columns";
    let known: Vec<String> = settings
        .sources
        .iter()
        .filter_map(|one| source::check(one).ok())
        .flat_map(|found| found.columns)
        .collect();
    let unknown: Vec<&str> = settings
        .lock
        .allow_columns
        .iter()
        .filter(|column| !known.iter().any(|name| name.eq_ignore_ascii_case(column)))
        .map(String::as_str)
        .collect();
    if unknown.is_empty() || known.is_empty() {
        Check::ok(SUBJECT, settings.lock.allow_columns.join(", "))
    } else {
        Check::warn(
            SUBJECT,
            format!("no source has {}", unknown.join(", ")),
            "correct lock.allow_columns, or logins may be refused during the lock",
        )
    }
}

/// What stands where the target is to be?
pub(super) fn target(settings: &TargetSettings) -> Check {
    const SUBJECT: &str = "target";
    let place = match settings {
        TargetSettings::Sqlite(path) => path.display().to_string(),
        TargetSettings::Postgres(place) => place.shown().to_owned(),
    };
    match standing(settings) {
        Ok(TargetStanding::Absent) => Check::ok(SUBJECT, format!("{} will be created", place)),
        Ok(TargetStanding::Empty) => Check::ok(SUBJECT, format!("{} is empty", place)),
        Ok(TargetStanding::Current) => {
            Check::ok(SUBJECT, format!("{} has this version's tables", place))
        }
        Ok(TargetStanding::Older) => Check::warn(
            SUBJECT,
            format!("{} has an older version's tables", place),
            "pinferry migrate-schema",
        ),
        Err(error) if error.is_of_rights() => match reach(settings) {
            Ok(Reach::Queue) => Check::warn(
                SUBJECT,
                format!(
                    "{place}: the role may hand requests in, activate them and write the offices' lists, and not run"
                ),
                "pinferry grants prints what each role needs",
            ),
            Ok(Reach::Look) => Check::warn(
                SUBJECT,
                format!(
                    "{place}: the role may look, and neither run, hand requests in nor write the offices' lists"
                ),
                "pinferry grants prints what each role needs",
            ),
            Err(_) => Check::fail(SUBJECT, chain(&error), error.hint(), error.exit()),
        },
        Err(error) => Check::fail(SUBJECT, chain(&error), error.hint(), error.exit()),
    }
}

/// Whether the administrator's own query says how busy the target's server is.
pub(super) fn load(settings: &Settings) -> Option<Check> {
    const SUBJECT: &str = "run.load_query";
    let LoadSettings { query, limit } = settings.run.load.as_ref()?;
    Some(match server_load(&settings.target, query) {
        Ok(Some(ServerLoad::Is(load))) if load <= *limit => {
            Check::ok(SUBJECT, format!("gives {load}, run.load_limit is {limit}"))
        }
        Ok(Some(ServerLoad::Is(load))) => Check::warn(
            SUBJECT,
            format!("gives {load}, run.load_limit is {limit}: a run would wait now"),
            "see what keeps the server busy, or raise run.load_limit",
        ),
        Ok(Some(ServerLoad::NoAnswer)) => Check::warn(
            SUBJECT,
            "is not answered in time: a run would wait now",
            "ask something that is answered at once",
        ),
        Ok(None) => return None,
        Err(error) => Check::fail(SUBJECT, chain(&error), error.hint(), error.exit()),
    })
}

/// Whether the commands to be run are there.
pub(super) fn hooks(settings: &Settings) -> impl Iterator<Item = Check> {
    settings.hooks.commands.iter().map(|(hook, words)| {
        let subject = format!("hooks.{hook}");
        let word = words.first().map_or("", String::as_str);
        match program(word, settings.folder()) {
            Ok(file) => Check::ok(&subject, format!("runs {}", file.display())),
            Err(unfit) => {
                let next =
                    format!("correct hooks.{hook}, or make the file executable for this account");
                Check::fail(&subject, unfit.to_string(), Some(next), Exit::Usage)
            }
        }
    })
}

/// Known PINs can only be looked up when they can be read.
pub(super) fn canary(settings: &Settings) -> Option<Check> {
    const SUBJECT: &str = "verify.canary";
    let path = settings.canary.as_ref()?;
    Some(match fs::File::open(path) {
        Ok(_) => Check::ok(SUBJECT, format!("{} can be read", path.display())),
        Err(error) => Check::fail(
            SUBJECT,
            format!("{} cannot be read: {error}", path.display()),
            Some("correct verify.canary".to_owned()),
            Exit::Usage,
        ),
    })
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    for _ in 0..16 {
        let Some(error) = cause else { break };
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
