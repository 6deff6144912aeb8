//! A target that its process was building when it was killed: the next one clears up, and only after the dead.

use std::fs::{self, File};

use rustix::fs::{FlockOperation, flock};

use crate::{RUN, finish, scenario::Scenario};

/// The folders in which targets are built.
fn drafts(scenario: &Scenario) -> Vec<String> {
    let entries = fs::read_dir(scenario.path(".")).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let names = names.map(|name| name.into_string().expect("a name"));
    names
        .filter(|name| name.starts_with(".pinferry-new-"))
        .collect()
}

#[test]
fn what_is_left_of_a_target_that_was_being_built_is_cleared_by_the_next_run() {
    for step in ["target.drafted", "target.created"] {
        let scenario = Scenario::new();
        assert!(scenario.killed_at(RUN, step), "{step}");
        assert_eq!(drafts(&scenario).len(), 1, "{step}");
        let is_there = scenario.path("multiprofile.db").exists();
        assert_eq!(is_there, step == "target.created");
        assert!(scenario.killed_at(RUN, "run.create"), "{step}");
        assert_eq!(drafts(&scenario), <[String; 0]>::default(), "{step}");
        scenario.expect(RUN, &[3]);
        finish(&scenario);
    }
}

#[test]
fn what_another_process_is_building_beside_it_is_left_alone() {
    let scenario = Scenario::new();
    let name = ".pinferry-new-living";
    fs::create_dir(scenario.path(name)).expect("a folder");
    fs::write(scenario.path(name).join("target.db"), "half of it").expect("a file");
    let living = File::open(scenario.path(name)).expect("a folder");
    flock(&living, FlockOperation::LockExclusive).expect("a lock");
    scenario.expect(RUN, &[3]);
    assert_eq!(drafts(&scenario), [name]);
    assert!(scenario.path(name).join("target.db").exists());
    drop(living);
    scenario.expect(RUN, &[3]);
    assert_eq!(drafts(&scenario), <[String; 0]>::default());
}

#[test]
fn what_somebody_else_gave_such_a_name_is_left_alone() {
    let scenario = Scenario::new();
    fs::create_dir(scenario.path("theirs")).expect("a folder");
    fs::write(scenario.path("theirs/file"), "theirs").expect("a file");
    fs::write(scenario.path(".pinferry-new-file"), "theirs").expect("a file");
    let link = scenario.path(".pinferry-new-link");
    std::os::unix::fs::symlink("theirs", link).expect("a link");
    scenario.expect(RUN, &[3]);
    assert_eq!(drafts(&scenario).len(), 2);
    assert!(scenario.path("theirs/file").exists());
}
