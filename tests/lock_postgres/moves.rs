//! Tables whose rows move between partitions when what the lock lets through changes.

use pinferry::{
    config::settings::LockMode,
    source::lock::{self, Foreseen},
};

use crate::support::{COLUMNS, Legacy, fingerprint, row};

/// The four PINs in a table that is partitioned like this.
fn parted(by: &str, partitions: &str) -> Legacy {
    let legacy = Legacy::made_by(&format!(
        "CREATE TABLE pin_legacy (id text, {COLUMNS}) PARTITION BY {by}; {partitions}"
    ));
    for (id, status) in [(1, "A"), (2, "S"), (3, "R"), (4, "P")] {
        legacy.run(&row(id, status)).expect("a row of the legacy");
    }
    legacy
}

fn by_status() -> Legacy {
    parted(
        "LIST (stato)",
        "CREATE TABLE pin_vivi PARTITION OF pin_legacy FOR VALUES IN ('A', 'S', 'P');
         CREATE TABLE pin_cessati PARTITION OF pin_legacy DEFAULT",
    )
}

fn warnings(legacy: &Legacy) -> String {
    let status = lock::status(&legacy.source, &legacy.lock).expect("a status");
    for warning in &status.warnings {
        let line = status.line();
        assert!(line.contains(&warning.what), "{line}");
    }
    let words = status.warnings.iter().map(|warning| warning.what.as_str());
    words.collect::<Vec<_>>().join("; ")
}

#[test]
fn a_revocation_that_would_move_a_row_to_another_partition_is_refused_whole_and_one_that_stays_is_captured()
 {
    let legacy = by_status();
    let engaged = fingerprint(&legacy);
    let locked = legacy.engage();
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'C' WHERE id = '2'");
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'A' WHERE id = '3'");
    legacy.assert_refused(
        "MERGE INTO pin_legacy t USING (SELECT 1) AS n ON t.id = '1'
                           WHEN MATCHED THEN UPDATE SET stato = 'R'",
    );
    assert_eq!(locked.captures(9).expect("captures").len(), 0);
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'S' WHERE id = '1'");
    assert_eq!(locked.captures(9).expect("captures").len(), 1);
    assert_eq!(fingerprint(&legacy), engaged);
}

#[test]
fn a_table_that_is_partitioned_by_status_is_warned_of_before_the_lock_and_under_it() {
    let words = "public.pin_legacy is partitioned by stato";
    let deep = "CREATE TABLE pin_tutti PARTITION OF pin_legacy DEFAULT PARTITION BY LIST (stato);
                CREATE TABLE pin_tutti_0 PARTITION OF pin_tutti DEFAULT";
    let whole = "CREATE TABLE pin_0 PARTITION OF pin_legacy DEFAULT";
    let by = |by: &str, partitions: &str| parted(by, partitions);
    let in_key = by_status();
    in_key.assert_passes("ALTER TABLE pin_legacy ADD PRIMARY KEY (id, stato)");
    for legacy in [
        by_status(),
        in_key,
        by("LIST ((upper(stato) = 'R'))", whole),
        by("RANGE (id)", deep),
    ] {
        let found = warnings(&legacy);
        assert!(found.contains(words), "{found}");
        assert!(
            found.contains("no revocation and no suspension passes"),
            "{found}"
        );
        legacy.engage();
        assert_eq!(warnings(&legacy), found);
    }
    for legacy in [
        by("LIST (id)", whole),
        by("LIST (sede)", whole),
        Legacy::new(),
    ] {
        assert_eq!(warnings(&legacy), "");
    }
}

#[test]
fn a_table_that_is_partitioned_by_what_a_login_changes_is_warned_of_too() {
    let legacy = parted(
        "LIST (gettone)",
        "CREATE TABLE pin_1 PARTITION OF pin_legacy FOR VALUES IN ('g1');
         CREATE TABLE pin_0 PARTITION OF pin_legacy DEFAULT",
    );
    let found = warnings(&legacy);
    assert!(found.contains("is partitioned by gettone"), "{found}");
    assert!(found.contains("not even by a login"), "{found}");
    legacy.engage();
    legacy.assert_refused("UPDATE pin_legacy SET gettone = 'g2' WHERE id = '1'");
    legacy.assert_passes("UPDATE pin_legacy SET gettone = 'g3' WHERE id = '2'");
}

#[test]
fn the_test_of_a_lock_finds_that_a_revocation_would_not_pass_and_a_diverting_lock_is_not_engaged() {
    let mut legacy = by_status();
    let report = lock::test(&legacy.source, &legacy.lock).expect("a test");
    let report = report.expect("something to test");
    let failures = report.failures().join("; ");
    assert!(
        failures.contains("status from active to revoked"),
        "{failures}"
    );
    assert!(
        !failures.contains("status from active to suspended"),
        "{failures}"
    );
    let Foreseen::Tested(foreseen) = lock::foresee(&legacy.source, &legacy.lock).expect("a look")
    else {
        panic!("it can be tried");
    };
    assert_eq!(foreseen.failures(), report.failures());
    legacy.lock.mode = LockMode::Divert;
    let before = legacy.dump();
    let refused = legacy
        .engage_as(&crate::support::run_one())
        .expect_err("a failed test");
    assert!(refused.to_string().contains("test"), "{refused}");
    assert_eq!(legacy.dump(), before);
}
