//! The invariants of the target that are asked as SQL: each counts its breaches and shows the first.

use super::{ReadBack, error::ReadBackError};
use crate::store::database::{Database, values};

/// When an invariant must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// At any time.
    Always,
    /// Until cut-over.
    BeforeCutOver,
    /// From cut-over on.
    AfterCutOver,
}

/// An invariant. The statement yields one text per breach, which names no person. What the engines spell
/// differently stands in braces.
#[derive(Clone, Copy, Debug)]
pub struct Invariant {
    /// Stable name.
    pub name: &'static str,
    /// What must hold, in words.
    pub says: &'static str,
    /// When.
    pub holds: Holds,
    sql: &'static str,
}

/// A broken invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// How many rows break it.
    pub count: u64,
    /// The first few of them.
    pub examples: Vec<String>,
}

macro_rules! invariants {
    ($($name:literal $holds:ident $says:literal: $sql:literal,)+) => {
        /// All of them. `?1`, where it stands, is the run. What concerns the rows of people is checked as they are read.
        pub const INVARIANTS: &[Invariant] = &[$(
            Invariant { name: $name, says: $says, holds: Holds::$holds, sql: $sql },
        )+];
    };
}

invariants! {
    "one_run_under_way" Always "at most one run is under way":
        "SELECT 'run ' || run_id FROM run WHERE phase NOT IN ('finished', 'aborted')
             AND (SELECT count(*) FROM run WHERE phase NOT IN ('finished', 'aborted')) > 1",
    "run_dates" Always "the run's dates and times are well formed and in order":
        "SELECT 'run ' || run_id FROM run WHERE run_id = ?1 AND ({no date:as_of}
             OR {days:created_at} IS NULL OR {days:created_at} > {days:now} + 1
             OR {days:cut_over_at} < {days:created_at}
             OR {days:finished_at} < {days:created_at}
             OR (cut_over_at IS NOT NULL AND {days:cut_over_at} IS NULL)
             OR (finished_at IS NOT NULL AND {days:finished_at} IS NULL))",
    "run_created_as_logged" Always "the run was created when its first event says":
        "SELECT 'run ' || run.run_id FROM run WHERE run.run_id = ?1 AND NOT EXISTS (
             SELECT 1 FROM run_event WHERE run_event.run_id = run.run_id AND event = 'run.created'
                 AND abs({days:at} - {days:run.created_at}) * 86400.0 < 60.0)",
    "run_not_cut_over" BeforeCutOver "a run before cut-over has neither a final digest nor an end":
        "SELECT 'run ' || run_id FROM run WHERE run_id = ?1
             AND (cut_over_at IS NOT NULL OR finished_at IS NOT NULL OR digest IS NOT NULL)",
    "run_cut_over" AfterCutOver "a run after cut-over has its final digest and the time of cut-over":
        "SELECT 'run ' || run_id FROM run WHERE run_id = ?1 AND (cut_over_at IS NULL OR digest IS NULL
             OR (phase = 'finished') <> (finished_at IS NOT NULL))",
    "target_fresh" Always "a fresh target holds the rows of one run":
        "SELECT 'run ' || run_id FROM run WHERE run_id = ?1 AND target_fresh <> (NOT EXISTS (
             SELECT 1 FROM run AS earlier WHERE earlier.run_id < ?1 AND earlier.phase <> 'aborted'))",
    "model_is_legacy" BeforeCutOver "the legacy model is the valid one until cut-over":
        "SELECT 'model_state' WHERE NOT EXISTS (SELECT 1 FROM run AS earlier WHERE earlier.run_id < ?1
                 AND earlier.phase IN ('cut_over', 'finished'))
             AND EXISTS (SELECT 1 FROM model_state WHERE model <> 'legacy')
         UNION ALL
         SELECT 'model_state' WHERE EXISTS (SELECT 1 FROM model_state WHERE run_id = ?1)",
    "model_is_multiprofile" AfterCutOver "the multi-profile model is the valid one after cut-over":
        "SELECT 'model_state' WHERE NOT EXISTS (SELECT 1 FROM model_state
             WHERE model = 'multiprofile' AND run_id IS NOT NULL AND {days:changed_at} IS NOT NULL)",
    "model_state_single" Always "there is one row that says which model is valid":
        "SELECT 'model_state' WHERE (SELECT count(*) FROM model_state) <> 1",
    "partitions_done" Always "a partition is done or not":
        "SELECT 'partition ' || partition_no FROM run_partition WHERE run_id = ?1 AND NOT done",
    "logs_whole" Always "no row was taken off the end of a chained log":
        "SELECT log FROM {lengths} WHERE length <> CASE log
             WHEN 'run_event' THEN (SELECT coalesce(max(event_id), 0) FROM run_event)
             WHEN 'audit_event' THEN (SELECT coalesce(max(audit_id), 0) FROM audit_event)
             ELSE length END
         UNION ALL SELECT 'run_event' WHERE NOT EXISTS (SELECT 1 FROM {lengths} WHERE log = 'run_event')
         UNION ALL SELECT 'audit_event' WHERE EXISTS (SELECT 1 FROM audit_event)
             AND NOT EXISTS (SELECT 1 FROM {lengths} WHERE log = 'audit_event')",
    "model_state_time" Always "the model changed at a time":
        "SELECT 'model_state' FROM model_state WHERE ({days:changed_at} IS NULL
             OR {days:changed_at} > {days:now} + 1)",
    "catalogue_of_a_run" Always "the catalogue belongs to a run":
        "SELECT 'profile ' || profile FROM profile WHERE run_id NOT IN (SELECT run_id FROM run)",
    "services_opened" Always "every service is opened by a profile":
        "SELECT 'service ' || service FROM service WHERE service NOT IN (
             SELECT service FROM profile_service)",
    "catalogue_known" Always "services belong to profiles and services that exist":
        "SELECT 'profile_service ' || profile FROM profile_service WHERE (profile NOT IN (SELECT profile FROM profile)
                 OR service NOT IN (SELECT service FROM service))",
    "foreign_run" Always "state rows belong to a run that exists":
        "SELECT 'run_source' FROM run_source WHERE run_id NOT IN (SELECT run_id FROM run)
         UNION ALL SELECT 'run_code' FROM run_code WHERE run_id NOT IN (SELECT run_id FROM run)
         UNION ALL SELECT 'run_partition' FROM run_partition WHERE run_id NOT IN (SELECT run_id FROM run)
         UNION ALL SELECT 'run_step' FROM run_step WHERE run_id NOT IN (SELECT run_id FROM run)
         UNION ALL SELECT 'run_event' FROM run_event WHERE run_id NOT IN (SELECT run_id FROM run)
         UNION ALL SELECT 'runner_lease' FROM runner_lease WHERE run_id NOT IN (SELECT run_id FROM run)
         UNION ALL SELECT 'runner_heartbeat' FROM runner_heartbeat WHERE run_id NOT IN (SELECT run_id FROM run)",
    "codes_lead_to_people" Always "codes that a later run found lead to people who stand":
        "SELECT 'run ' || run_id FROM run_code WHERE NOT EXISTS (
             SELECT 1 FROM fiscal_code WHERE fiscal_code.fiscal_code = run_code.leads_to)
         UNION ALL SELECT 'run ' || run_id FROM run_code WHERE known AND NOT EXISTS (
             SELECT 1 FROM fiscal_code WHERE fiscal_code.fiscal_code = run_code.fiscal_code)",
    "lease" Always "lease and heartbeat belong together":
        "SELECT 'run ' || runner_lease.run_id FROM runner_lease WHERE run_id = ?1 AND epoch < 1
         UNION ALL
         SELECT 'run ' || beat.run_id FROM runner_heartbeat AS beat
             LEFT JOIN runner_lease AS lease ON lease.run_id = beat.run_id
             WHERE beat.run_id = ?1 AND (lease.epoch IS NULL OR beat.epoch > lease.epoch OR beat.holder = ''
                 OR {days:beat.beat_at} IS NULL OR {days:beat.expires_at} IS NULL
                 OR {days:beat.beat_at} > {days:now} + 1)",
    "steps_timed" Always "steps were done after the run began":
        "SELECT 'step ' || step FROM run_step JOIN run USING (run_id) WHERE run_id = ?1
             AND ({days:done_at} IS NULL OR {days:done_at} > {days:now} + 1
                 OR {days:done_at} < {days:created_at})",
    "phase_as_logged" Always "the run is in the phase its last event says":
        "SELECT 'run ' || run.run_id FROM run WHERE run_id = ?1 AND run.phase <> coalesce((
             SELECT {to} FROM run_event WHERE run_event.run_id = run.run_id
                 AND event = 'run.phase' ORDER BY event_id DESC LIMIT 1), 'created')",
    "nothing_activated_early" BeforeCutOver "no delayed activation took effect before cut-over":
        "SELECT 'request ' || activation_id FROM delayed_activation WHERE (state IN ('done', 'failed') OR pin_id IS NOT NULL OR done_at IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM run AS earlier WHERE earlier.phase IN ('cut_over', 'finished'))",
    "activations_sound" Always "delayed activations have a profile, a level, times and a reason that fit":
        "SELECT 'request ' || activation_id FROM delayed_activation WHERE state IN ('accepted', 'done') AND (attempts < 0
                 OR (profile NOT IN (SELECT profile FROM profile) OR level NOT IN ('ordinary', 'dispositive') OR surname = '')
                     AND kind IN ('new_pin', 'further_profile', 'replacement')
                 OR (profile <> '' AND profile NOT IN (SELECT profile FROM profile) OR level <> '')
                     AND kind IN ('revocation', 'suspension')
                 OR length(fiscal_code) NOT IN (11, 16)
                 OR {days:accepted_at} IS NULL OR {days:not_before} IS NULL
                 OR {days:accepted_at} > {days:now} + 1)",
    "activated_pins" Always "a PIN issued by a delayed activation belongs to one":
        "SELECT 'request ' || activation_id FROM delayed_activation WHERE pin_id IS NOT NULL AND NOT EXISTS (
             SELECT 1 FROM pin WHERE pin.pin_id = delayed_activation.pin_id)",
}

/// How many examples are shown.
const EXAMPLES: usize = 5;

/// Asks one invariant.
///
/// # Errors
/// When the database cannot answer.
pub fn ask(target: &ReadBack, invariant: &Invariant, run_id: i64) -> Result<Breach, ReadBackError> {
    let asked = spelt(&target.database, invariant.sql);
    let sql = format!(
        "WITH breach (example) AS ({asked})
         SELECT example, (SELECT count(*) FROM breach) FROM breach LIMIT {EXAMPLES}"
    );
    let run = values![run_id];
    let about_the_run = asked.contains("?1");
    let rows = target.database.rows(
        "check an invariant",
        &sql,
        if about_the_run { run } else { &[] },
    )?;
    let mut breach = Breach {
        count: 0,
        examples: Vec::with_capacity(rows.len()),
    };
    for row in &rows {
        breach.examples.push(row.get(0)?);
        breach.count = row.get(1)?;
    }
    Ok(breach)
}

/// The statement in the engine's words: `{days:c}` is the time in a column as a number of days, NULL where it is
/// none; `{no date:c}` is true where a column holds no date; `{to}` is the phase an event leads to; `{lengths}`
/// holds how many rows a log was given.
fn spelt(database: &Database, sql: &str) -> String {
    let mut pieces = sql.split('{');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (word, rest) = piece.split_once('}').unwrap_or((piece, ""));
        out += &match word.split_once(':') {
            Some(("days", column)) => days(database, column),
            Some(("no date", column)) => no_date(database, column),
            Some(_) | None if word == "to" => database.json_text("detail", "to"),
            Some(_) | None => lengths(database).to_owned(),
        };
        out += rest;
    }
    out
}

fn days(database: &Database, column: &str) -> String {
    match (database, column) {
        (Database::Sqlite(_), "now") => "julianday('now')".to_owned(),
        (Database::Sqlite(_), column) => format!("julianday({column})"),
        (Database::Postgres(_), "now") => {
            "(extract(epoch FROM clock_timestamp()) / 86400)".to_owned()
        }
        // Infinity is a time to the server, and so is a year that no ISO text spells.
        (Database::Postgres(_), column) => format!(
            "(CASE WHEN {column} >= '0001-01-01' AND {column} < '10000-01-01'
                 THEN extract(epoch FROM {column}) / 86400 END)"
        ),
    }
}

fn no_date(database: &Database, column: &str) -> String {
    match database {
        Database::Sqlite(_) => format!("date({column}) IS NOT {column}"),
        Database::Postgres(_) => {
            format!("coalesce({column} NOT BETWEEN '0001-01-01' AND '9999-12-31', true)")
        }
    }
}

/// SQLite counts what it gave numbers to; sequences of PostgreSQL forget nothing that is rolled back, so that the
/// store counts there.
fn lengths(database: &Database) -> &'static str {
    match database {
        Database::Sqlite(_) => {
            "(SELECT name AS log, seq AS length FROM sqlite_sequence) AS lengths"
        }
        Database::Postgres(_) => "log_length",
    }
}
