//! The report of a dry run, or of a run, as one page of HTML that needs no network, and its tables as CSV.

mod duration;
mod flow;
mod language;
mod moved;
mod remedy;
mod tables;
mod words;

use std::collections::BTreeMap;

use askama::Template;
use jiff::{Timestamp, civil::Date};

use self::{
    duration::{Duration, Verdict},
    flow::{Flow, Place, Source, Way},
    language::Text,
    remedy::Remedy,
    words::{Words, grant_status, pin_status},
};
pub use self::{language::Language, tables::tables};
use super::{
    comparison::{by_line, changes, other_counts},
    table::grouped,
};
use crate::{
    domain::{
        catalogue::Catalogue,
        forecast::{Forecast, Stage},
        status::GrantStatus,
        survey::{Examples, OfficeSurvey, Survey},
    },
    engine::report::{Compared, FoundRun, Report, SourceReport},
    store::RunPhase,
};

/// Of more sources or reasons the smallest are shown as one in the picture.
const PICTURED_MAX: usize = 7;
/// Offices shown; the table beside the page has all.
const OFFICES_SHOWN: usize = 50;
/// The smallest share that is written out.
const SHARE_MIN: f64 = 0.0001;

/// What a page is about.
#[derive(Clone, Copy, Debug)]
pub enum Of<'a> {
    /// A dry run, and how long a run will take.
    DryRun(&'a Forecast),
    /// A run, and how many seconds its stages took.
    Run(&'a BTreeMap<Stage, f64>),
}

/// What a page shows.
pub struct Shown<'a> {
    /// What was counted.
    pub report: &'a Report,
    /// What was seen beside.
    pub survey: &'a Survey,
    /// What changed since an earlier dry run.
    pub compared: Option<&'a Compared>,
    /// The run that stands in the target, of a dry run.
    pub found_run: Option<&'a FoundRun>,
    /// What is reported.
    pub of: Of<'a>,
    /// Names of the profiles.
    pub catalogue: &'a Catalogue,
    /// The date of judgement.
    pub as_of: Date,
    /// When the page is written.
    pub written: Timestamp,
    /// The largest share of records in quarantine that a run accepts.
    pub max_quarantine_ratio: f64,
}

#[derive(Template)]
#[template(path = "report/page.html")]
struct Page<'a> {
    language: &'static str,
    words: Words,
    title: String,
    about: &'static str,
    ready: bool,
    verdict: String,
    expected: Option<Verdict>,
    duration: Duration,
    as_of: String,
    written: String,
    digest: String,
    tiles: Vec<Tile>,
    picture: String,
    sources: Vec<SourceLine<'a>>,
    persons: Vec<Bar>,
    since: Option<Since>,
    problems: [ProblemTable<'a>; 2],
    grant_columns: Vec<&'static str>,
    profiles: Vec<ProfileLine<'a>>,
    offices: Vec<OfficeLine<'a>>,
}

/// A number as people read it, and as it sorts.
struct Number {
    value: i64,
    shown: String,
}

struct Tile {
    number: Number,
    label: &'static str,
    detail: String,
}

/// What changed since an earlier dry run.
struct Since {
    as_of: String,
    lines: Vec<SinceLine>,
    counts: Vec<String>,
    moved: Vec<String>,
}

struct SinceLine {
    label: &'static str,
    records: Number,
    named: Vec<String>,
}

struct SourceLine<'a> {
    name: &'a str,
    records: Number,
    migrated: Number,
    quarantined: Number,
    share: String,
    share_value: f64,
    fingerprint: String,
}

/// A bar of so much of the longest, in hundredths.
struct Bar {
    label: String,
    number: Number,
    width: i64,
}

/// Reasons for quarantine, or findings.
struct ProblemTable<'a> {
    id: &'static str,
    title: &'static str,
    explanation: &'static str,
    none: &'static str,
    name: &'static str,
    counted: &'static str,
    problems: Vec<Problem<'a>>,
}

struct Problem<'a> {
    name: &'static str,
    count: Number,
    share: String,
    meaning: &'static str,
    mend: &'static str,
    examples: Vec<(&'a str, &'a str)>,
}

struct ProfileLine<'a> {
    code: &'a str,
    name: &'a str,
    records: Number,
    grants: Vec<Number>,
}

struct OfficeLine<'a> {
    code: &'a str,
    records: Number,
    quarantined: Number,
    findings: Number,
    share: String,
    share_value: f64,
}

impl Number {
    fn of(value: i64) -> Self {
        Self {
            value,
            shown: grouped(value),
        }
    }
}

/// The page in this language.
#[must_use]
pub fn page(shown: &Shown<'_>, language: Language) -> String {
    let words = Words::of(language);
    let Shown { report, survey, .. } = shown;
    let (ready, verdict) = verdict(shown, &words, language);
    let quarantine_examples = &survey.quarantine_examples;
    let quarantine = report.quarantine.iter().map(|(reason, count)| {
        let examples = quarantine_examples.get(reason);
        let remedy = remedy::of_reason(*reason);
        let all = report.totals.records;
        problem(reason.as_str(), *count, all, remedy, examples, language)
    });
    let findings = report.findings.iter().map(|(kind, count)| {
        let examples = survey.finding_examples.get(kind);
        let remedy = remedy::of_finding(*kind);
        let all = report.totals.persons;
        problem(kind.as_str(), *count, all, remedy, examples, language)
    });
    Page {
        language: language.as_str(),
        ready,
        verdict,
        expected: match (shown.of, shown.found_run) {
            (Of::DryRun(forecast), None) => Some(Verdict::of(forecast, ready, language)),
            (Of::DryRun(_), Some(_)) | (Of::Run(_), _) => None,
        },
        duration: match shown.of {
            Of::DryRun(forecast) => Duration::expected(forecast, language),
            Of::Run(took) => Duration::taken(took, language),
        },
        title: title(shown, &words, language),
        about: match shown.of {
            Of::DryRun(_) => words.nothing_changed,
            Of::Run(_) => words.as_it_stands,
        },
        as_of: shown.as_of.to_string(),
        written: shown.written.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        digest: report.digest.to_string(),
        tiles: tiles(report, &words, language),
        picture: picture(report, &words, language).picture(words.flow),
        sources: (report.sources.iter())
            .map(|(name, source)| source_line(name, source, language))
            .collect(),
        persons: persons(survey),
        since: shown
            .compared
            .map(|compared| since(compared, &words, language)),
        problems: [
            ProblemTable {
                id: "quarantine",
                title: words.quarantine,
                explanation: words.quarantine_text,
                none: words.no_quarantine,
                name: words.reason,
                counted: words.records,
                problems: worst_first(quarantine.collect()),
            },
            ProblemTable {
                id: "findings",
                title: words.findings,
                explanation: words.findings_text,
                none: words.no_findings,
                name: words.finding,
                counted: words.people,
                problems: worst_first(findings.collect()),
            },
        ],
        grant_columns: (GrantStatus::ALL.iter())
            .map(|status| grant_status(*status).in_(language))
            .collect(),
        profiles: profiles(shown, language),
        offices: offices(survey, &words, language),
        words,
    }
    .render()
    .expect("a template writes to memory")
}

/// What is reported, and of which run.
fn title(shown: &Shown<'_>, words: &Words, language: Language) -> String {
    match (shown.report.run_id, language) {
        (None, _) => words.title.to_owned(),
        (Some(run), Language::English) => format!("PIN migration: run {run}"),
        (Some(run), Language::Italian) => format!("Migrazione dei PIN: esecuzione {run}"),
    }
}

/// Where a run stands, in a sentence.
fn standing(report: &Report, language: Language) -> (bool, String) {
    let totals = &report.totals;
    let (quarantined, records) = (grouped(totals.quarantined), grouped(totals.records));
    let migrated = grouped(totals.records - totals.quarantined);
    let share = share(totals.quarantined, totals.records, language);
    let is_finished = report.phase == RunPhase::Finished.as_str();
    let phase = &report.phase;
    let said = match (is_finished, language) {
        (true, Language::English) => format!(
            "Done. {migrated} of {records} records are migrated; {quarantined} ({share}) came into quarantine."
        ),
        (true, Language::Italian) => format!(
            "Conclusa. {migrated} record su {records} sono stati migrati; {quarantined} ({share}) sono finiti in quarantena."
        ),
        (false, Language::English) => format!(
            "Not finished ({phase}). {records} records are committed, {quarantined} ({share}) of them in quarantine."
        ),
        (false, Language::Italian) => format!(
            "Non conclusa ({phase}). {records} record sono registrati, di cui {quarantined} ({share}) in quarantena."
        ),
    };
    (is_finished, said)
}

/// What stands in the target already, in a sentence.
fn found(run: &FoundRun, language: Language) -> (bool, String) {
    let FoundRun { run_id, phase, .. } = run;
    let said = match (run.is_finished, language) {
        (true, Language::English) => format!("Already migrated by run {run_id}."),
        (true, Language::Italian) => format!("Già migrata dall'esecuzione {run_id}."),
        (false, Language::English) => format!("Run {run_id} is under way ({phase})."),
        (false, Language::Italian) => format!("L'esecuzione {run_id} è in corso ({phase})."),
    };
    (run.is_finished, said)
}

/// Whether the run can be made as it is, and why not, in a sentence.
fn verdict(shown: &Shown<'_>, words: &Words, language: Language) -> (bool, String) {
    let totals = &shown.report.totals;
    if let Of::Run(_) = shown.of {
        return standing(shown.report, language);
    }
    if let Some(run) = shown.found_run {
        return found(run, language);
    }
    if totals.records == 0 {
        return (false, words.nothing.to_owned());
    }
    let (quarantined, records) = (grouped(totals.quarantined), grouped(totals.records));
    let share = share(totals.quarantined, totals.records, language);
    let accepted = percent(shown.max_quarantine_ratio, language);
    let is_too_much = shown.report.quarantine_ratio() > shown.max_quarantine_ratio;
    let said = match (is_too_much, totals.quarantined, language) {
        (true, _, Language::English) => format!(
            "{quarantined} of {records} records ({share}) would be quarantined, more than the {accepted} a run accepts"
        ),
        (true, _, Language::Italian) => format!(
            "{quarantined} record su {records} ({share}) andrebbero in quarantena, più del {accepted} ammesso"
        ),
        (false, 0, Language::English) => format!("All {records} records can be migrated"),
        (false, 0, Language::Italian) => {
            format!("Tutti i {records} record possono essere migrati")
        }
        (false, _, Language::English) => format!(
            "{quarantined} of {records} records ({share}) would stay in quarantine; a run accepts up to {accepted}"
        ),
        (false, _, Language::Italian) => format!(
            "{quarantined} record su {records} ({share}) resterebbero in quarantena; se ne ammette fino al {accepted}"
        ),
    };
    let begin = if is_too_much {
        words.not_ready
    } else {
        words.ready
    };
    (!is_too_much, format!("{begin} {said}."))
}

fn tiles(report: &Report, words: &Words, language: Language) -> Vec<Tile> {
    let totals = &report.totals;
    let by_status = |counts: &mut dyn Iterator<Item = (Text, i64)>| {
        let parts = counts.map(|(status, n)| format!("{} {}", grouped(n), status.in_(language)));
        parts.collect::<Vec<_>>().join(", ")
    };
    let pins = &mut totals
        .pins
        .iter()
        .map(|(status, n)| (pin_status(*status), *n));
    let grants = &mut (totals.grants.iter()).map(|(status, n)| (grant_status(*status), *n));
    let tile = |number, label, detail| Tile {
        number: Number::of(number),
        label,
        detail,
    };
    vec![
        tile(totals.records, words.records, String::new()),
        tile(totals.persons, words.persons, String::new()),
        tile(totals.pins.values().sum(), words.pins, by_status(pins)),
        tile(
            totals.grants.values().sum(),
            words.grants,
            by_status(grants),
        ),
        tile(totals.delegations, words.delegations, String::new()),
        tile(
            totals.quarantined,
            words.quarantined,
            share(totals.quarantined, totals.records, language),
        ),
    ]
}

fn picture(report: &Report, words: &Words, language: Language) -> Flow {
    let place = |label: &str, records, way| Place {
        label: label.to_owned(),
        records,
        shown: grouped(records),
        way,
    };
    let mut sources: Vec<_> = report.sources.iter().collect();
    sources.sort_by_key(|(_, source)| -source.records);
    let rest = sources.split_off(sources.len().min(PICTURED_MAX));
    let source = |label: &str, of: &[&SourceReport]| {
        let records = of.iter().map(|source| source.records).sum();
        let quarantined = of.iter().map(|source| quarantined(source)).sum();
        Source {
            place: place(label, records, Way::Source),
            migrated: records - quarantined,
            quarantined,
        }
    };
    let mut pictured: Vec<_> = (sources.iter())
        .map(|(name, one)| source(name, &[one]))
        .collect();
    if !rest.is_empty() {
        let rest: Vec<_> = rest.into_iter().map(|(_, source)| source).collect();
        pictured.push(source(words.other, &rest));
    }
    let totals = &report.totals;
    let pins = totals.pins.iter().map(|(status, n)| {
        let label = format!("{} {}", words.pins, pin_status(*status).in_(language));
        place(&label, *n, Way::Migrated)
    });
    let mut reasons: Vec<_> = report.quarantine.iter().collect();
    reasons.sort_by_key(|(_, count)| -**count);
    let rest = reasons.split_off(reasons.len().min(PICTURED_MAX));
    let reasons =
        (reasons.into_iter()).map(|(reason, n)| place(reason.as_str(), *n, Way::Quarantined));
    let mut ends: Vec<_> = pins.chain(reasons).collect();
    if !rest.is_empty() {
        let rest = rest.into_iter().map(|(_, count)| count).sum();
        ends.push(place(words.other, rest, Way::Quarantined));
    }
    Flow {
        sources: pictured,
        migrated: place(
            words.migrated,
            totals.records - totals.quarantined,
            Way::Migrated,
        ),
        quarantined: place(words.quarantined, totals.quarantined, Way::Quarantined),
        ends,
    }
}

fn since(compared: &Compared, words: &Words, language: Language) -> Since {
    let line = |label, records, named| SinceLine {
        label,
        records: Number::of(records),
        named,
    };
    let labels = [words.mended, words.gone, words.added, words.otherwise];
    let changes = labels.into_iter().zip(changes(&compared.records));
    let mut lines: Vec<_> = changes
        .map(|(label, change)| line(label, change.records as i64, change.named))
        .collect();
    let unchanged = i64::try_from(compared.records.unchanged).unwrap_or(i64::MAX);
    lines.push(line(words.unchanged, unchanged, Vec::new()));
    let nameless = by_line(&compared.records);
    if !nameless.named.is_empty() {
        lines.push(line(words.by_line, nameless.records as i64, nameless.named));
    }
    let moved = compared.moved.iter();
    Since {
        as_of: compared.as_of.to_string(),
        lines,
        counts: (other_counts(compared))
            .map(|count| moved::count(count, language))
            .collect(),
        moved: moved
            .map(|drift| moved::sentence(drift, language))
            .collect(),
    }
}

fn source_line<'a>(name: &'a str, source: &SourceReport, language: Language) -> SourceLine<'a> {
    let quarantined = quarantined(source);
    SourceLine {
        name,
        records: Number::of(source.records),
        migrated: Number::of(source.records - quarantined),
        quarantined: Number::of(quarantined),
        share: share(quarantined, source.records, language),
        share_value: ratio(quarantined, source.records),
        fingerprint: (source.fingerprint).map_or_else(String::new, |digest| digest.to_string()),
    }
}

fn persons(survey: &Survey) -> Vec<Bar> {
    let longest = survey.persons_by_pins.values().max().copied().unwrap_or(0);
    let bar = |(pins, persons): (&u32, &i64)| Bar {
        label: pins.to_string(),
        number: Number::of(*persons),
        width: (persons * 100 / longest.max(1)).max(1),
    };
    survey.persons_by_pins.iter().map(bar).collect()
}

fn problem<'a>(
    name: &'static str,
    count: i64,
    all: i64,
    remedy: Remedy,
    examples: Option<&'a Examples>,
    language: Language,
) -> Problem<'a> {
    let examples = examples.into_iter().flatten();
    Problem {
        name,
        count: Number::of(count),
        share: share(count, all, language),
        meaning: remedy.meaning.in_(language),
        mend: remedy.mend.in_(language),
        examples: examples
            .map(|(name, why)| (name.as_str(), why.as_str()))
            .collect(),
    }
}

fn worst_first(mut problems: Vec<Problem<'_>>) -> Vec<Problem<'_>> {
    problems.sort_by_key(|problem| -problem.count.value);
    problems
}

fn profiles<'a>(shown: &Shown<'a>, language: Language) -> Vec<ProfileLine<'a>> {
    let lines = shown.survey.profiles.iter().map(|(code, counts)| {
        let mut profiles = shown.catalogue.profiles().iter();
        let known = profiles.find(|profile| profile.code == *code);
        let of = |status| Number::of(counts.grants.get(status).copied().unwrap_or(0));
        ProfileLine {
            code,
            name: known.map_or("", |profile| match language {
                Language::English => &profile.name,
                Language::Italian => profile.italian_name(),
            }),
            records: Number::of(counts.records),
            grants: GrantStatus::ALL.iter().map(of).collect(),
        }
    });
    lines.collect()
}

fn offices<'a>(survey: &'a Survey, words: &Words, language: Language) -> Vec<OfficeLine<'a>> {
    let mut offices: Vec<_> = (survey.offices.iter())
        .filter(|(_, office)| office.quarantined + office.findings > 0)
        .collect();
    offices.sort_by_key(|(_, office)| -(office.quarantined + office.findings));
    offices.truncate(OFFICES_SHOWN);
    let line = |(code, office): (&'a String, &OfficeSurvey)| {
        let OfficeSurvey {
            records,
            quarantined,
            findings,
        } = *office;
        OfficeLine {
            code: match code.as_str() {
                "" => words.no_office,
                "*" => words.other_offices,
                code => code,
            },
            records: Number::of(records),
            quarantined: Number::of(quarantined),
            findings: Number::of(findings),
            share: share(quarantined, records, language),
            share_value: ratio(quarantined, records),
        }
    };
    offices.into_iter().map(line).collect()
}

fn quarantined(source: &SourceReport) -> i64 {
    source.quarantine.values().sum()
}

/// A part of all, in per cent; too little to be seen is not nothing.
fn share(part: i64, all: i64, language: Language) -> String {
    let ratio = ratio(part, all);
    if part > 0 && ratio < SHARE_MIN {
        return format!("< {}", percent(SHARE_MIN, language));
    }
    percent(ratio, language)
}

fn ratio(part: i64, all: i64) -> f64 {
    part as f64 / all.max(1) as f64
}

fn percent(ratio: f64, language: Language) -> String {
    let english = format!("{:.2} %", ratio * 100.0);
    match language {
        Language::English => english,
        Language::Italian => english.replace('.', ","),
    }
}
