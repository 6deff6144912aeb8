//! What goes on during the lock.

use pinferry::domain::status::LegacyStatus;

use crate::support::{Legacy, TABLES, insert};

#[test]
fn logins_and_columns_that_are_not_mapped_go_on_uncaptured() {
    for (_, id, tail) in TABLES {
        let legacy = Legacy::with(id, tail);
        legacy.engage();
        legacy.assert_passes("UPDATE pin_legacy SET ultimo_accesso = '2013-11-03' WHERE id = 1");
        legacy.assert_passes("UPDATE pin_legacy SET nota = 'x'");
        legacy.assert_passes("UPDATE OR REPLACE pin_legacy SET nota = 'y', gettone = 'z'");
        assert_eq!(legacy.text("SELECT nota FROM pin_legacy WHERE id = 1"), "y");
        assert_eq!(legacy.captured(), 0);
    }
}

#[test]
fn codes_are_compared_as_the_judge_reads_them_and_several_may_mean_one_status() {
    let mut legacy = Legacy::new();
    legacy.source.rules.status_codes = [
        ("ATT", LegacyStatus::Active),
        ("1", LegacyStatus::Active),
        ("SOSP", LegacyStatus::Suspended),
        ("REV", LegacyStatus::Revoked),
        ("ANN'", LegacyStatus::Revoked),
    ]
    .map(|(code, status)| (code.to_owned(), status))
    .into();
    legacy.assert_passes("UPDATE pin_legacy SET stato = ' att' || char(160) WHERE id = '1'");
    legacy.assert_passes("UPDATE pin_legacy SET stato = 1 WHERE id = '2'");
    legacy.engage();
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'ATT' WHERE id = '1'");
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'ATT' WHERE id = '2'");
    legacy.assert_refused("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'sosp ' WHERE id = '1'");
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'ann''' WHERE id = '1'");
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'REV' WHERE id = '2'");
    assert_eq!(legacy.captured(), 3);
}

#[test]
fn a_tightening_under_or_replace_or_ignore_is_captured_all_the_same() {
    for verb in ["UPDATE OR REPLACE", "UPDATE OR IGNORE", "UPDATE OR FAIL"] {
        let legacy = Legacy::new();
        legacy.engage();
        legacy.assert_passes(&format!("{verb} pin_legacy SET stato = 'S' WHERE id = '1'"));
        legacy.assert_passes(&format!("{verb} pin_legacy SET stato = 'R' WHERE id = '1'"));
        assert_eq!(legacy.captured(), 2);
    }
}

#[test]
fn the_applications_own_triggers_may_tighten_but_not_smuggle() {
    let legacy = Legacy::new();
    legacy.assert_passes(
        "CREATE TRIGGER storico AFTER UPDATE OF nota ON pin_legacy WHEN NEW.nota = 'revoca' BEGIN
           UPDATE pin_legacy SET stato = 'R' WHERE id = NEW.id; END;
         CREATE TRIGGER furbo AFTER UPDATE OF nota ON pin_legacy WHEN NEW.nota = 'promuovi' BEGIN
           UPDATE pin_legacy SET tipo_pin = 'DISP' WHERE id = NEW.id; END;
         CREATE TRIGGER presto BEFORE UPDATE OF nota ON pin_legacy WHEN NEW.nota = 'presto' BEGIN
           UPDATE pin_legacy SET tipo_pin = 'DISP' WHERE id = NEW.id; END;
         CREATE TRIGGER zitto AFTER INSERT ON pin_legacy BEGIN SELECT RAISE(IGNORE); END",
    );
    legacy.engage();
    legacy.assert_passes("UPDATE pin_legacy SET nota = 'revoca' WHERE id = '1'");
    assert_eq!(
        legacy.text("SELECT stato FROM pin_legacy WHERE id = '1'"),
        "R"
    );
    assert_eq!(legacy.captured(), 1);
    legacy.assert_refused("UPDATE pin_legacy SET nota = 'promuovi' WHERE id = '1'");
    legacy.assert_refused("UPDATE pin_legacy SET nota = 'presto' WHERE id = '1'");
    legacy.assert_refused(&insert("INSERT", "9", "A"));
}
