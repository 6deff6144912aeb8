//! What a request does to a person: rights never grow beyond it, and nothing else is touched.

use crate::world::{LAURA, MARIO, World, line};

const DAY: &str = "2013-11-04T10:00";

fn access(world: &World, code: &str) -> String {
    world.one(&format!(
        "SELECT coalesce(group_concat(profile || ' ' || level, ', '), '') FROM
         (SELECT * FROM effective_access WHERE fiscal_code = '{code}' ORDER BY profile)"
    ))
}

#[test]
fn a_person_nobody_knows_is_entered_with_pin_and_grant_above_every_reserved_id() {
    let world = World::finished();
    world.intake(&[line("R1", DAY, LAURA, "CDL", "DISP")]);
    assert_eq!(world.activate().activated, 1);
    assert_eq!(access(&world, LAURA), "CDL dispositive");
    assert_eq!(
        world.one(
            "SELECT source || ' ' || legacy_id || ' ' || disposition || ' ' || legacy_profile || ' '
                 || legacy_status || ' ' || issued_on FROM pin"
        ),
        "activation R1 survivor CDL active 2013-11-04"
    );
    assert_eq!(
        world.one("SELECT min(pin_id, person_id) > 5000 FROM pin"),
        "1"
    );
    assert_eq!(
        world.one("SELECT julianday(expires_on) - julianday('now', 'start of day') BETWEEN 88 AND 92 FROM pin"),
        "1",
        "an intermediary's PIN lasts 90 days"
    );
}

#[test]
fn a_new_pin_takes_the_place_of_the_present_one_and_rights_are_the_lower_of_both() {
    for status in ["active", "suspended", "pending"] {
        let world = World::finished();
        world.migrate_mario(status, 1);
        world.intake(&[line("R1", DAY, MARIO, "CDL", "ORD")]);
        assert_eq!(world.activate().activated, 1);
        let old = "SELECT old.status || ' ' || old.disposition || ' ' || new.legacy_id
            FROM pin old JOIN pin new ON new.pin_id = old.superseded_by WHERE old.legacy_id = 'L1'";
        assert_eq!(world.one(old), "retired survivor R1", "{status}");
        let expected = if status == "active" {
            "CDL ordinary, CIT ordinary"
        } else {
            "CDL ordinary"
        };
        assert_eq!(access(&world, MARIO), expected, "{status}");
        assert_eq!(
            world.one("SELECT evidence || ' ' || level FROM profile_grant WHERE profile = 'CDL'"),
            "activation:R1 ordinary",
            "an ended grant begins anew, at the level of the request"
        );
        assert_eq!(
            world.one("SELECT evidence || ' ' || level || ' ' || status FROM profile_grant WHERE profile = 'CIT'"),
            format!("legacy:inps:L1 dispositive {status}"),
            "no other grant is touched"
        );
    }
}

#[test]
fn an_active_grant_is_never_lowered_and_raised_only_to_what_was_asked() {
    for (held, asked, expected) in [
        ("dispositive", "ORD", "dispositive legacy:inps:L1"),
        ("ordinary", "ORD", "ordinary legacy:inps:L1"),
        ("ordinary", "DISP", "dispositive activation:R1"),
    ] {
        let world = World::finished();
        world.migrate_mario("active", 2);
        world.execute(&format!(
            "UPDATE profile_grant SET level = '{held}' WHERE profile = 'CIT'"
        ));
        world.intake(&[line("R1", DAY, MARIO, "CIT", asked)]);
        assert_eq!(world.activate().activated, 1);
        let grant =
            world.one("SELECT level || ' ' || evidence FROM profile_grant WHERE profile = 'CIT'");
        assert_eq!(grant, expected, "{held} {asked}");
    }
}

#[test]
fn a_person_who_disagrees_is_left_alone() {
    let world = World::finished();
    world.migrate_mario("active", 2);
    world.execute("UPDATE person SET given_name = 'MARIA'");
    world.intake(&[line("R1", DAY, MARIO, "CDL", "DISP")]);
    let drained = world.activate();
    assert_eq!(drained.activated, 0);
    assert_eq!(drained.failed[0].reason, "identity_conflict");
    assert_eq!(drained.exit().code(), 3);
    assert_eq!(
        world.one("SELECT state || ' ' || reason FROM delayed_activation"),
        "failed identity_conflict"
    );
    assert_eq!(world.one("SELECT count(*) FROM pin"), "1");
    assert_eq!(world.one("SELECT count(*) FROM digest_ledger"), "0");
    assert_eq!(access(&world, MARIO), "CIT dispositive");
}

#[test]
fn a_request_whose_second_half_came_late_does_not_undo_a_later_one() {
    let world = World::finished();
    world.intake(&[
        line("EARLY", "2013-11-04T10:00", MARIO, "CIT", "DISP"),
        line("LATER", "2013-11-05T10:00", MARIO, "CDL", "ORD"),
    ]);
    world.execute("UPDATE delayed_activation SET halves_delivered = 1 WHERE request_id = 'EARLY'");
    let drained = world.activate();
    assert_eq!((drained.activated, drained.waiting.for_halves), (1, 1));
    world.execute("UPDATE delayed_activation SET halves_delivered = 2");
    assert_eq!(world.activate().activated, 1);
    assert_eq!(
        world.one("SELECT legacy_id FROM pin WHERE status = 'active'"),
        "LATER"
    );
    assert_eq!(access(&world, MARIO), "CDL ordinary, CIT ordinary");
}

#[test]
fn a_delivered_pending_pin_becomes_active_with_its_own_grants_only() {
    let world = World::finished();
    world.migrate_mario("pending", 2);
    // Another pending PIN, for another profile, was retired before its second half came.
    world.execute(
        "UPDATE profile_grant SET status = 'pending' WHERE profile = 'CDL';
         INSERT INTO pin VALUES (11, 10, 'retired', 'retired', 'dispositive', 'x', 'SHA256', NULL, 1,
             '2012-01-01', NULL, NULL, NULL, NULL, 'inps', 'L0', 'CDL', '', 'pending', 10, 1);",
    );
    assert_eq!(access(&world, MARIO), "");
    assert_eq!(world.activate().pending_activated, 1);
    assert_eq!(access(&world, MARIO), "CIT dispositive");
    assert_eq!(world.activate().pending_activated, 0);
    assert_eq!(world.one("SELECT count(*) FROM digest_ledger"), "1");
}

#[test]
fn a_pending_pin_waits_for_its_second_half() {
    let world = World::finished();
    world.migrate_mario("pending", 1);
    assert_eq!(world.activate().pending_activated, 0);
    assert_eq!(world.one("SELECT status FROM pin"), "pending");
}
