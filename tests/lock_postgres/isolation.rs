//! Roles and databases that begin transactions in which nothing is taken for a new PIN.

use pinferry::{config::settings::LockMode, source::lock};

use crate::{
    server::{Database, Server},
    support::{COLUMNS, Legacy},
};

const SET: &str = "SET default_transaction_isolation =";

/// What is warned of, and what to do about it.
fn warnings(legacy: &Legacy) -> String {
    let status = lock::status(&legacy.source, &legacy.lock).expect("a status");
    let words = (status.warnings.iter()).map(|one| format!("{} {}", one.what, one.next));
    words.collect::<Vec<_>>().join("\n")
}

/// A legacy that diverts, and a role of its application, which may name the id of a new PIN.
fn with_role() -> (Legacy, String) {
    let legacy = Legacy::diverting();
    let role = format!("app_{}", legacy.database.name);
    legacy.assert_passes(&format!(
        "CREATE ROLE {role} LOGIN; GRANT INSERT (id) ON pin_legacy TO {role}; GRANT UPDATE ON pin_legacy TO {role}"
    ));
    (legacy, role)
}

#[test]
fn a_role_whose_transactions_see_no_later_state_is_warned_of_before_the_lock_and_under_it() {
    let (mut legacy, role) = with_role();
    let base = legacy.database.name.clone();
    assert_eq!(warnings(&legacy), "");
    for (set, level) in [
        (
            format!("ALTER ROLE {role} {SET} 'serializable'"),
            "SERIALIZABLE",
        ),
        (
            format!("ALTER ROLE {role} IN DATABASE {base} {SET} 'REPEATABLE READ'"),
            "REPEATABLE READ",
        ),
    ] {
        legacy.assert_passes(&set);
        for application in [None, Some(role.clone())] {
            legacy.lock.application_role = application;
            let found = warnings(&legacy);
            let words = format!("the role {role} begins transactions in {level}");
            assert!(found.contains(&words), "{found}");
            let next = format!("ALTER ROLE \"{role}\" IN DATABASE \"{base}\" {SET}");
            assert!(found.contains(&next), "{found}");
            assert_eq!(found.lines().count(), 1, "{found}");
        }
    }
    legacy.lock.application_role = None;
    let found = warnings(&legacy);
    let mut locked = legacy.engage();
    assert_eq!(warnings(&legacy), found);
    let advice = found.split('`').nth(1).expect("a statement");
    legacy.assert_passes(advice);
    assert_eq!(warnings(&legacy), "");
    legacy.assert_passes(&format!("ALTER ROLE {role} IN DATABASE {base} RESET ALL"));
    assert!(warnings(&legacy).contains("SERIALIZABLE"));
    locked.seal().expect("sealed");
    assert_eq!(warnings(&legacy), "");
    legacy.assert_passes(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_database_whose_transactions_see_no_later_state_is_warned_of_unless_the_role_of_the_application_says_otherwise()
 {
    let (mut legacy, role) = with_role();
    let base = legacy.database.name.clone();
    legacy.assert_passes(&format!("ALTER DATABASE {base} {SET} 'repeatable read'"));
    let found = warnings(&legacy);
    assert!(
        found.contains("everybody begins transactions in REPEATABLE READ"),
        "{found}"
    );
    let next = format!("ALTER DATABASE \"{base}\" {SET} 'read committed'");
    assert!(found.contains(&next), "{found}");
    legacy.lock.application_role = Some(role.clone());
    assert_eq!(warnings(&legacy), found);
    legacy.assert_passes(&format!("ALTER ROLE {role} {SET} 'read committed'"));
    assert_eq!(warnings(&legacy), "");
    legacy.lock.application_role = None;
    assert_eq!(warnings(&legacy), found);
    legacy.assert_passes(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn roles_that_add_no_pins_and_locks_that_queue_none_are_warned_of_nothing() {
    let (mut legacy, role) = with_role();
    legacy.assert_passes(&format!("ALTER ROLE {role} {SET} 'serializable'"));
    legacy.lock.mode = LockMode::Refuse;
    assert_eq!(warnings(&legacy), "");
    legacy.lock.mode = LockMode::Divert;
    legacy.assert_passes(&format!("REVOKE INSERT (id) ON pin_legacy FROM {role}"));
    assert_eq!(warnings(&legacy), "");
    legacy.assert_passes(&format!("GRANT INSERT ON pin_legacy TO {role}"));
    assert!(warnings(&legacy).contains(&role));
    legacy.assert_passes(&format!("ALTER ROLE {role} NOLOGIN"));
    assert_eq!(warnings(&legacy), "");
    legacy.assert_passes(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_server_whose_transactions_see_no_later_state_is_warned_of() {
    let server: &'static Server = Box::leak(Box::new(Server::private()));
    let mut legacy = Legacy::in_database(Database::on(server, ""));
    legacy.assert_passes(&format!(
        "CREATE TABLE pin_legacy (id text PRIMARY KEY, {COLUMNS})"
    ));
    legacy.lock.mode = LockMode::Divert;
    assert_eq!(warnings(&legacy), "");
    legacy.assert_passes(&format!("ALTER SYSTEM {SET} 'serializable'"));
    server.stop("fast");
    server.restart();
    let found = warnings(&legacy);
    assert!(
        found.contains("everybody begins transactions in SERIALIZABLE"),
        "{found}"
    );
}
