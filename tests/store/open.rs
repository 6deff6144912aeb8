use std::{fs, os::unix::fs::PermissionsExt as _};

use pinferry::{
    config::settings::TargetSettings,
    exit::Exit,
    store::{Intent, StoreError, Target},
};
use rusqlite::Connection;

use crate::support::Place;

#[test]
fn a_missing_target_is_created_complete_and_private_with_its_folder() {
    let place = Place::new();
    drop(place.open());
    let mode = fs::metadata(&place.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(place.count("model_state"), 1);
    let names: Vec<_> = fs::read_dir(place.path.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["target.db"]);
    // A second opening finds it as it is.
    drop(Target::open(&place.settings(), Intent::MustExist).unwrap());
}

#[test]
fn a_missing_target_that_must_exist_is_refused_and_not_created() {
    let place = Place::new();
    let error = Target::open(&place.settings(), Intent::MustExist).unwrap_err();
    assert!(matches!(error, StoreError::Missing { .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Usage);
    assert!(!place.path.parent().unwrap().exists());
}

#[test]
fn a_newer_schema_is_refused_with_both_versions() {
    let place = Place::new();
    drop(place.open());
    place
        .raw()
        .execute_batch(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (999, 'future', 1, x'00', 0)",
        )
        .unwrap();
    let error = Target::open(&place.settings(), Intent::CreateIfMissing).unwrap_err();
    assert!(
        matches!(error, StoreError::Newer { found: 999, .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("version 999"), "{error}");
    assert!(error.hint().unwrap().contains("newer pinferry"));
}

#[test]
fn a_database_of_somebody_else_is_refused_and_left_alone() {
    let place = Place::new();
    fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    place
        .raw()
        .execute_batch("CREATE TABLE invoices (id INTEGER)")
        .unwrap();
    let before = fs::read(&place.path).unwrap();
    let error = Target::open(&place.settings(), Intent::CreateIfMissing).unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error:?}");
    assert!(error.to_string().contains("the table invoices"), "{error}");
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

#[test]
fn what_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    let text = "id;codice_fiscale\n".repeat(100);
    fs::write(&place.path, &text).unwrap();
    let error = Target::open(&place.settings(), Intent::CreateIfMissing).unwrap_err();
    assert!(
        matches!(error, StoreError::NotADatabase { .. }),
        "{error:?}"
    );
    assert_eq!(fs::read_to_string(&place.path).unwrap(), text);
}

#[test]
fn a_folder_is_no_target() {
    let place = Place::new();
    fs::create_dir_all(&place.path).unwrap();
    let error = Target::open(&place.settings(), Intent::CreateIfMissing).unwrap_err();
    assert!(matches!(error, StoreError::NotAFile { .. }), "{error:?}");
}

#[test]
fn a_target_whose_folder_cannot_be_made_is_refused_by_name() {
    let place = Place::new();
    fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    fs::write(&place.path, "").unwrap();
    // The parent is a file, which no permission of the superuser overrides.
    let below = place.path.join("sub").join("target.db");
    let error = Target::open(
        &TargetSettings::Sqlite(below.clone()),
        Intent::CreateIfMissing,
    )
    .unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
    assert!(error.to_string().contains("sub"), "{error}");
}

#[test]
fn an_empty_file_becomes_a_target() {
    let place = Place::new();
    fs::create_dir_all(place.path.parent().unwrap()).unwrap();
    fs::write(&place.path, "").unwrap();
    drop(place.open());
    assert_eq!(place.count("model_state"), 1);
}

#[test]
fn many_openings_at_once_make_one_target() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| drop(place.open()));
        }
    });
    assert_eq!(
        place.count("_sqlx_migrations"),
        place.count("_sqlx_migrations WHERE success")
    );
    assert_eq!(place.count("model_state"), 1);
    let integrity: String = Connection::open(&place.path)
        .unwrap()
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(integrity, "ok");
}
