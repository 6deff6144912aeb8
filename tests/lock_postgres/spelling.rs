//! A legacy whose encoding lacks characters of what a lock is to say.

use pinferry::{
    exit::Exit,
    source::lock::{self, LockError, Lockability, Owner},
};

use crate::{
    server::Database,
    support::{COLUMNS, Legacy, insert, request, run_one},
};

const OPTIONS: &str = "TEMPLATE template0 ENCODING LATIN1 LOCALE_PROVIDER libc LOCALE 'C'";

/// A legacy in LATIN1, which has no euro sign.
fn legacy() -> Legacy {
    let legacy = Legacy::in_database(Database::with(OPTIONS));
    legacy.assert_passes(&format!(
        "CREATE TABLE pin_legacy (id text PRIMARY KEY, {COLUMNS})"
    ));
    legacy
}

fn spelling(error: &LockError) -> String {
    assert!(matches!(error, LockError::Spelling { .. }), "{error:?}");
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.hint().is_some());
    error.to_string()
}

#[test]
fn a_reason_or_a_name_that_the_encoding_of_the_legacy_cannot_spell_is_refused_naming_both() {
    let legacy = legacy();
    let before = legacy.dump();
    let mut asked = request(&run_one());
    asked.reason = "costa 3 \u{20ac}".to_owned();
    let error = lock::engage(&legacy.source, &legacy.lock, &asked).expect_err("refused");
    let words = spelling(&error);
    assert!(
        words.starts_with("the reason of a lock") && words.contains("LATIN1"),
        "{words}"
    );
    let owner = Owner::Administrator("\u{141}ucja".to_owned());
    let words = spelling(&legacy.engage_as(&owner).expect_err("refused"));
    assert!(words.starts_with("the name of a lock's owner"), "{words}");
    assert!(legacy.dump() == before);
    let mut asked = request(&run_one());
    let reason = "perch\u{e9} \u{e8} cos\u{ec}";
    asked.reason = reason.to_owned();
    let engaged = lock::engage(&legacy.source, &legacy.lock, &asked).expect("LATIN1 has these");
    assert!(matches!(engaged, Lockability::Locked(_)));
    legacy.assert_refused_with(&insert("INSERT", "9", "A"), reason);
    let broken = lock::break_open(&legacy.source, &legacy.lock, "Anna", "3 \u{20ac}");
    let words = spelling(&broken.expect_err("refused"));
    assert!(
        words.starts_with("the reason for breaking a lock"),
        "{words}"
    );
    legacy.assert_refused_with(&insert("INSERT", "9", "A"), reason);
}
