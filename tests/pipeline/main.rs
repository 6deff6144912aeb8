//! From sources to a sorted stream of cases, and the dry run.

mod legacy;
mod order;

use std::{fs, path::Path};

use legacy::{ALL_MEMORY, NO_MEMORY, Row, SOME_MEMORY, code, extracted, rules, run, source};
use pinferry::{
    config::settings::SourceSettings,
    domain::{quarantine::Reason, tally::Tally},
    engine::{
        cases::Case,
        cursor::Cursor,
        error::RunError,
        extract::ExtractError,
        judge::{CaseSink, Crew, End, Work, judge},
        partition::{Boundary, Partition},
        plan::{Beside, plan},
        progress::Unwatched,
        stop::{StopFlag, StopReason},
    },
    exit::Exit,
};
use proptest::prelude::*;

/// Rows with people, omocodia siblings, bad codes, repeated ids, and rows that are no rows.
fn some_rows(most: usize) -> impl Strategy<Value = Vec<Row>> {
    let id = prop_oneof![
        8 => (0..2000_usize).prop_map(|n| format!("ID{n:06}")),
        2 => (0..20_usize).prop_map(|n| format!("DOUBLE{n}")),
        1 => (0..5_usize).prop_map(|n| format!(" D{n} ")),
        // Longer than what a key holds of an id.
        1 => (0..5_usize).prop_map(|n| format!("AN-ID-THAT-NO-KEY-CAN-HOLD-{n}")),
        1 => Just(String::new()),
    ];
    let code = prop_oneof![
        8 => (0..60_usize).prop_map(code),
        1 => (0..3_usize).prop_map(|n| format!("BAD{n}")),
    ];
    let whole =
        (id, code, 0..3_usize).prop_map(|(id, code, n)| Row::new(&id, &code, &"x".repeat(n * 40)));
    let row = prop_oneof![
        30 => whole,
        1 => (0..3_usize).prop_map(|n| Row::Short(format!("short;{n}"))),
    ];
    prop::collection::vec(row, 0..most)
}

fn two_sources(folder: &Path, first: &[Row], second: &[Row]) -> [SourceSettings; 2] {
    [
        source(folder, "inps", first),
        source(folder, "casse", second),
    ]
}

fn tally(sources: &[SourceSettings], folder: &Path, memory: u64, workers: usize) -> Tally {
    let outcome = plan(
        sources,
        &rules(sources),
        &[],
        &run(&folder.join("work"), memory, workers),
        Beside::default(),
        (&Unwatched, &StopFlag::default()),
    );
    outcome.expect("a plan").tally
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_is_the_same_for_any_memory_and_number_of_partitions(
        first in some_rows(600), second in some_rows(200), partitions in 1..9_usize,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let sources = two_sources(folder.path(), &first, &second);
        let rules = rules(&sources);
        let expected = order::expected(&sources, &rules);
        for memory in [NO_MEMORY, SOME_MEMORY, ALL_MEMORY] {
            for workers in [1, 3] {
                let run = run(&folder.path().join("work"), memory, workers);
                let extracted = extracted(&sources, &run).expect("extracted");
                prop_assert_eq!(extracted.records() as usize, first.len() + second.len());
                prop_assert_eq!(&order::whole(&extracted, partitions, &rules), &expected);
            }
        }
    }

    #[test]
    fn a_resume_at_any_cursor_gives_exactly_the_rest(
        rows in some_rows(150), partitions in 1..4_usize, memory in prop::sample::select(vec![NO_MEMORY, ALL_MEMORY]),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let sources = [source(folder.path(), "inps", &rows)];
        let rules = rules(&sources);
        let run = run(&folder.path().join("work"), memory, 1);
        let before = extracted(&sources, &run).expect("extracted");
        let boundaries: Vec<_> = before.boundaries(partitions).iter().map(|one| one.to_bytes()).collect();
        // The resumed process extracts again, with other memory, and is given the boundaries of the first.
        let boundaries: Vec<Boundary> = (boundaries.iter())
            .map(|bytes| Boundary::try_from(&bytes[..]).expect("a boundary"))
            .collect();
        let again = legacy::run(&folder.path().join("work"), SOME_MEMORY, 2);
        let after = extracted(&sources, &again).expect("extracted");
        let first = before.split(&boundaries, &rules).expect("partitions");
        let resumed = after.split(&boundaries, &rules).expect("partitions");
        for (first, resumed) in first.iter().zip(&resumed) {
            let all = order::partition(&before, first, None, &rules);
            for (at, (_, cursor)) in all.iter().enumerate() {
                let stored = Cursor::try_from(cursor.as_bytes()).expect("a cursor");
                let rest = order::partition(&after, resumed, Some(&stored), &rules);
                prop_assert_eq!(&rest, &all[at + 1..]);
            }
            prop_assert!(all.is_sorted_by_key(|(_, cursor)| cursor.clone()));
        }
    }

    #[test]
    fn the_order_of_reading_does_not_matter(rows in some_rows(400), seed in 0..1000_usize) {
        // Nameless records are named after their place in the file, which is their order of reading.
        let named: Vec<Row> = (rows.into_iter())
            .filter(|row| matches!(row, Row::Whole { id, .. } if !id.trim().is_empty()))
            .collect();
        let mut shuffled = named.clone();
        shuffled.sort_by_key(|row| {
            let text = format!("{row:?}{seed}");
            xxhash_rust::xxh3::xxh3_64(text.as_bytes())
        });
        let folder = tempfile::tempdir().expect("a folder");
        let sources = [source(folder.path(), "inps", &named)];
        let rules = rules(&sources);
        let run = run(&folder.path().join("work"), NO_MEMORY, 2);
        let before = order::whole(&extracted(&sources, &run).expect("extracted"), 4, &rules);
        let tally_before = tally(&sources, folder.path(), NO_MEMORY, 2);
        source(folder.path(), "inps", &shuffled);
        let after = order::whole(&extracted(&sources, &run).expect("extracted"), 4, &rules);
        prop_assert_eq!(before, after);
        prop_assert_eq!(tally_before, tally(&sources, folder.path(), ALL_MEMORY, 1));
    }

    #[test]
    fn a_plan_is_the_same_for_any_memory_and_workers_and_counts_every_record(
        first in some_rows(500), second in some_rows(100),
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let sources = two_sources(folder.path(), &first, &second);
        let reference = tally(&sources, folder.path(), ALL_MEMORY, 1);
        prop_assert_eq!(reference.records() as usize, first.len() + second.len());
        for (memory, workers) in [(NO_MEMORY, 1), (NO_MEMORY, 4), (SOME_MEMORY, 2)] {
            prop_assert_eq!(&tally(&sources, folder.path(), memory, workers), &reference);
        }
    }
}

fn reasons(tally: &Tally) -> Vec<(Reason, i64)> {
    let source = &tally.sources["inps"];
    source
        .quarantine
        .iter()
        .map(|(reason, count)| (*reason, *count))
        .collect()
}

#[test]
fn of_a_thousand_identical_rows_one_goes_on_and_the_others_are_numbered() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = vec![Row::new("SAME", &code(3), "a@example.it"); 1000];
    let sources = [source(folder.path(), "inps", &rows)];
    for memory in [NO_MEMORY, ALL_MEMORY] {
        let tally = tally(&sources, folder.path(), memory, 2);
        assert_eq!(tally.persons, 1);
        assert_eq!(reasons(&tally), [(Reason::DuplicateId, 999)]);
        let run = run(&folder.path().join("work"), memory, 2);
        let extracted = extracted(&sources, &run).expect("extracted");
        let all = order::whole(&extracted, 4, &rules(&sources));
        let copies = all.iter().map(|case| case.duplicate);
        assert!(copies.eq([None].into_iter().chain((1..1000).map(Some))));
    }
}

#[test]
fn when_all_rows_have_one_id_and_differ_none_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<Row> = (0..1000)
        .map(|n| Row::new("SAME", &code(n % 50), &format!("{n}@example.it")))
        .collect();
    let sources = [source(folder.path(), "inps", &rows)];
    for memory in [NO_MEMORY, SOME_MEMORY, ALL_MEMORY] {
        let tally = tally(&sources, folder.path(), memory, 2);
        assert_eq!(tally.persons, 0);
        assert_eq!(reasons(&tally), [(Reason::DuplicateId, 1000)]);
    }
}

#[test]
fn when_all_rows_are_bad_each_is_a_case_of_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<Row> = (0..1500)
        .map(|n| match n % 3 {
            0 => Row::Short(format!("too;few;{n}")),
            1 => Row::new(&format!("ID{n}"), "NOCODE", ""),
            _ => Row::new("", &code(n), ""),
        })
        .collect();
    let sources = [source(folder.path(), "inps", &rows)];
    let expected = order::expected(&sources, &rules(&sources));
    for memory in [NO_MEMORY, ALL_MEMORY] {
        let tally = tally(&sources, folder.path(), memory, 2);
        let counts = [
            Reason::RowMalformed,
            Reason::IdMissing,
            Reason::FiscalCodeInvalid,
        ];
        assert_eq!(reasons(&tally), counts.map(|reason| (reason, 500)));
        let run = run(&folder.path().join("work"), memory, 2);
        let extracted = extracted(&sources, &run).expect("extracted");
        assert_eq!(order::whole(&extracted, 3, &rules(&sources)), expected);
    }
}

#[test]
fn sources_without_records_give_no_cases() {
    let folder = tempfile::tempdir().expect("a folder");
    let sources = two_sources(folder.path(), &[], &[]);
    assert_eq!(
        tally(&sources, folder.path(), NO_MEMORY, 2),
        Tally::default()
    );
    assert!(
        !folder.path().join("work").exists(),
        "nothing was to be spilled"
    );
}

#[test]
fn boundaries_cut_people_and_the_records_of_nobody_into_about_equal_parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut rows: Vec<Row> = (0..1000)
        .map(|n| Row::new(&format!("P{n:05}"), &code(n), "someone@example.it"))
        .collect();
    rows.extend((0..1000).map(|n| Row::new(&format!("{:05}", n * 7), "NOCODE", "")));
    let sources = [source(folder.path(), "inps", &rows)];
    for memory in [NO_MEMORY, SOME_MEMORY] {
        let run = run(&folder.path().join("work"), memory, 2);
        let extracted = extracted(&sources, &run).expect("extracted");
        let boundaries = extracted.boundaries(4);
        let partitions = extracted
            .split(&boundaries, &rules(&sources))
            .expect("partitions");
        assert_eq!(partitions.len(), 4);
        for partition in &partitions {
            assert!((200..1000).contains(&partition.records), "{partition:?}");
        }
    }
}

#[test]
fn a_boundary_among_records_with_equal_keys_loses_none_of_them() {
    let folder = tempfile::tempdir().expect("a folder");
    // Nobody's records have no more of their id in the key than its first five bytes.
    let rows: Vec<Row> = (0..4000)
        .map(|n| Row::new(&format!("SAME{}-{n}", n % 3), "NOCODE", ""))
        .collect();
    let sources = [source(folder.path(), "inps", &rows)];
    let rules = rules(&sources);
    let expected = order::expected(&sources, &rules);
    for memory in [NO_MEMORY, SOME_MEMORY] {
        let run = run(&folder.path().join("work"), memory, 2);
        let extracted = extracted(&sources, &run).expect("extracted");
        assert_eq!(extracted.boundaries(9).len(), 2, "where the keys change");
        assert_eq!(order::whole(&extracted, 9, &rules), expected);
    }
}

#[test]
fn spill_files_have_no_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<Row> = (0..2000)
        .map(|n| Row::new(&format!("P{n}"), &code(n), ""))
        .collect();
    let sources = [source(folder.path(), "inps", &rows)];
    let work = folder.path().join("a/new/folder");
    let extracted = extracted(&sources, &run(&work, NO_MEMORY, 2)).expect("extracted");
    assert_eq!(fs::read_dir(&work).expect("the folder was made").count(), 0);
    assert_eq!(extracted.records(), 2000);
}

#[test]
fn a_work_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<Row> = (0..2000)
        .map(|n| Row::new(&format!("P{n}"), &code(n), ""))
        .collect();
    let sources = [source(folder.path(), "inps", &rows)];
    let file = folder.path().join("a_file");
    fs::write(&file, "").expect("a file");
    let work = file.join("work");
    let error = extracted(&sources, &run(&work, NO_MEMORY, 2))
        .err()
        .expect("an error");
    assert_eq!(
        error.to_string(),
        format!("the work folder {} cannot be used", work.display())
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.starts_with("set run.work_dir"))
    );
    assert_eq!(error.exit(), Exit::Failed);
}

#[test]
fn one_person_with_more_records_than_memory_allows_is_an_error_that_does_not_say_who() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<Row> = (0..2000)
        .map(|n| Row::new(&format!("P{n}"), &code(4), ""))
        .collect();
    let sources = [source(folder.path(), "inps", &rows)];
    let error = plan(
        &sources,
        &rules(&sources),
        &[],
        &run(&folder.path().join("work"), NO_MEMORY, 2),
        Beside::default(),
        (&Unwatched, &StopFlag::default()),
    );
    let error = error.expect_err("too many");
    assert!(
        matches!(error, RunError::Extract(ExtractError::CaseTooLarge { .. })),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("of source \"inps\"") && !text.contains(&code(4)),
        "{text}"
    );
    assert_eq!(tally(&sources, folder.path(), ALL_MEMORY, 2).persons, 1);
}

#[test]
fn a_source_that_cannot_be_read_ends_the_extraction_with_its_own_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<Row> = (0..2000)
        .map(|n| Row::new(&format!("P{n}"), &code(n), ""))
        .collect();
    let [first, mut second] = two_sources(folder.path(), &rows, &rows);
    second.records = Some(3);
    let run = run(&folder.path().join("work"), NO_MEMORY, 2);
    let error = extracted(&[first, second], &run).err().expect("an error");
    assert!(matches!(error, ExtractError::Source(_)), "{error}");
}

#[test]
fn a_request_to_stop_ends_the_extraction() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<Row> = (0..9000)
        .map(|n| Row::new(&format!("P{n}"), &code(n), ""))
        .collect();
    let sources = [source(folder.path(), "inps", &rows)];
    let stop = StopFlag::default();
    stop.request(StopReason::Terminated);
    let error = plan(
        &sources,
        &rules(&sources),
        &[],
        &run(&folder.path().join("work"), ALL_MEMORY, 2),
        Beside::default(),
        (&Unwatched, &stop),
    );
    assert_eq!(error.expect_err("stopped").exit(), Exit::Terminated);
}

/// Asks to stop, or fails, after some cases; remembers how it ended.
struct Interrupting<'a> {
    cases_left: u32,
    stop: Option<&'a StopFlag>,
    ended: &'a std::sync::Mutex<Vec<End>>,
}

impl CaseSink for Interrupting<'_> {
    type Error = ExtractError;

    fn case(&mut self, _case: &Case<'_>) -> Result<(), ExtractError> {
        self.cases_left = self.cases_left.saturating_sub(1);
        match (self.cases_left, self.stop) {
            (0, Some(stop)) => stop.request(StopReason::Interrupted),
            (0, None) => return Err(ExtractError::TooManyRecords),
            (_, _) => {}
        }
        Ok(())
    }

    fn end(&mut self, end: End) -> Result<(), ExtractError> {
        self.ended.lock().expect("no panic").push(end);
        Ok(())
    }
}

fn interrupted(stop: Option<&StopFlag>) -> (ExtractError, Vec<End>) {
    let folder = tempfile::tempdir().expect("a folder");
    let rows: Vec<Row> = (0..4000)
        .map(|n| Row::new(&format!("P{n}"), &code(n), ""))
        .collect();
    let sources = [source(folder.path(), "inps", &rows)];
    let run = run(&folder.path().join("work"), ALL_MEMORY, 2);
    let extracted = extracted(&sources, &run).expect("extracted");
    let partitions = extracted.split(&extracted.boundaries(2), &rules(&sources));
    let work = partitions
        .expect("partitions")
        .into_iter()
        .map(|partition| Work {
            partition,
            after: None,
        });
    let ended = std::sync::Mutex::default();
    let fallback = StopFlag::default();
    let crew = Crew {
        workers: 2,
        progress: &Unwatched,
        stop: stop.unwrap_or(&fallback),
    };
    let judged = judge(&extracted, work.collect(), crew, |_: &Partition| {
        Ok(Interrupting {
            cases_left: 5,
            stop,
            ended: &ended,
        })
    });
    let error = judged.err().expect("an end before the end");
    (error, ended.into_inner().expect("no panic"))
}

#[test]
fn a_request_to_stop_lets_the_sinks_settle() {
    let (error, ended) = interrupted(Some(&StopFlag::default()));
    assert!(matches!(
        error,
        ExtractError::Stopped(StopReason::Interrupted)
    ));
    assert!(
        ended.contains(&End::Stopped(StopReason::Interrupted)),
        "{ended:?}"
    );
}

#[test]
fn a_sink_that_fails_ends_the_work_and_is_not_asked_to_settle() {
    let (error, ended) = interrupted(None);
    assert!(matches!(error, ExtractError::TooManyRecords));
    assert_eq!(ended, []);
}
