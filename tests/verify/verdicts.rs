//! What a dry run says of every record is what becomes of it.

use std::{
    fs,
    path::{Path, PathBuf},
};

use pinferry::{
    engine::{
        plan::{Beside, plan},
        progress::Unwatched,
        stop::StopFlag,
        verdicts::VerdictSheet,
        verify::{MismatchCode, VerifyError},
    },
    exit::Exit,
};

use crate::{
    engine::{Engine, on_both_engines},
    fixture::{Place, migrated},
};

on_both_engines! {
    verdicts_are_the_same_however_they_came_about_and_come_true
    a_record_that_ended_otherwise_is_found_and_one_nobody_spoke_of
    what_is_no_file_of_verdicts_is_refused_with_its_line
}

/// What a dry run of the same sources says, written to a file of this name.
fn said(place: &Place, name: &str, workers: usize) -> PathBuf {
    let file = place.folder().join(name);
    let mut run = place.settings.run.clone();
    run.workers = workers;
    let sheet = VerdictSheet::new(&file, &run.work_dir).unwrap();
    let beside = Beside {
        survey: false,
        watch: false,
        earlier: None,
        live: None,
        verdicts: Some(&sheet),
    };
    let watched = (&Unwatched as _, &StopFlag::default());
    plan(
        &place.settings.sources,
        &place.rules,
        &[],
        &run,
        beside,
        watched,
    )
    .unwrap();
    sheet.save().unwrap();
    file
}

fn verdicts_are_the_same_however_they_came_about_and_come_true(engine: Engine) {
    let place = migrated(engine);
    let one = said(&place, "one.csv", 1);
    let text = fs::read_to_string(&one).unwrap();
    let three = said(&place, "three.csv", 3);
    assert_eq!(fs::read_to_string(three).unwrap(), text);
    let packed = said(&place, "packed.csv.gz", 2);
    assert!(fs::read(&packed).unwrap().starts_with(&[0x1f, 0x8b]));
    let plain = place.verify().unwrap();
    let records = plain.found.records();
    assert_eq!(text.lines().count(), usize::try_from(records).unwrap() + 1);
    for file in [one, packed] {
        let found = place.verify_against(Some(&file)).unwrap();
        assert!(found.passed(), "{:#?}", found.mismatches);
        assert_eq!(i64::try_from(found.verdicts), Ok(records));
    }
    for word in [
        ";survivor;",
        ";retired;",
        ";history;",
        ";quarantined;",
        ";duplicate_id;",
        "omocodia_pair",
    ] {
        assert!(text.contains(word), "{word}");
    }
    assert_eq!(said(&place, "one.csv", 2), place.folder().join("one.csv"));
}

/// The examples of verdicts that did not come true.
fn missed(place: &Place, file: &Path) -> Vec<(String, Vec<String>)> {
    let found = place.verify_against(Some(file)).unwrap();
    let missed = found.mismatches.into_iter();
    missed
        .filter(|one| one.code == MismatchCode::Verdict)
        .map(|one| (one.what, one.examples))
        .collect()
}

fn a_record_that_ended_otherwise_is_found_and_one_nobody_spoke_of(engine: Engine) {
    let place = migrated(engine);
    let file = said(&place, "said.csv", 2);
    let text = fs::read_to_string(&file).unwrap();
    let line_with = |word: &str| text.lines().find(|line| line.contains(word)).unwrap();
    let name = |line: &str| line.splitn(3, ';').take(2).collect::<Vec<_>>().join(":");
    for (from, to) in [
        (";survivor;", ";retired;"),
        (";retired;", ";history;"),
        (";quarantined;duplicate_id;", ";quarantined;id_missing;"),
        (";quarantined;date_invalid;", ";survivor;;"),
    ] {
        let line = line_with(from);
        fs::write(&file, text.replace(line, &line.replace(from, to))).unwrap();
        let missed = missed(&place, &file);
        assert_eq!(missed.len(), 1, "{from}: {missed:?}");
        assert!(missed[0].0.contains("otherwise"), "{missed:?}");
        assert_eq!(missed[0].1, [name(line)], "{from}");
    }
    let line = line_with(";survivor;");
    let twice = format!("{text}{line}\n");
    for changed in [text.replace(&format!("{line}\n"), ""), twice] {
        fs::write(&file, changed).unwrap();
        let missed = missed(&place, &file);
        assert!(missed[0].0.contains("said nothing of"), "{missed:?}");
    }
    fs::write(&file, &text).unwrap();
    assert_eq!(missed(&place, &file), []);
}

fn what_is_no_file_of_verdicts_is_refused_with_its_line(engine: Engine) {
    let place = migrated(engine);
    let file = said(&place, "said.csv", 2);
    let text = fs::read_to_string(&file).unwrap();
    let second = text.lines().nth(1).unwrap();
    let source = second.split(';').next().unwrap();
    for (spoilt, line, says) in [
        (text.replacen(";verdict;", ";opinion;", 1), 1, "header"),
        (
            text.replacen(second, &format!("{second};more"), 1),
            2,
            "columns",
        ),
        (
            text.replacen(&format!("\n{source};"), "\nnobody;", 1),
            2,
            "source",
        ),
        (text.replacen(";survivor;", ";saved;", 1), 0, "verdict"),
        (text.replacen(";0;", ";none;", 1), 2, "copy"),
    ] {
        fs::write(&file, spoilt).unwrap();
        let error = place.verify_against(Some(&file)).unwrap_err();
        let VerifyError::Verdicts(error) = &error else {
            panic!("{error}");
        };
        let text = error.to_string();
        assert!(text.contains(says), "{text}");
        assert!(
            line == 0 || text.contains(&format!("line {line}:")),
            "{text}"
        );
        assert_eq!(error.exit(), Exit::Usage);
    }
    let work_dir = &place.settings.run.work_dir;
    fs::write(&file, "somebody's own").unwrap();
    assert!(
        VerdictSheet::new(&file, work_dir).is_err(),
        "it is left alone"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "somebody's own");
}
