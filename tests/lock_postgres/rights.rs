//! Rights that others were given beforehand on whatever is made.

use crate::support::{Legacy, insert};

/// Every right that somebody but the owner has on what the lock keeps, as `what: whose right`.
const RIGHTS: &str = "
SELECT concat(what, ': ', coalesce(nullif(acl.grantee, 0)::regrole::text, 'PUBLIC'), ' ', acl.privilege_type)
  FROM (SELECT c.relname, c.relacl, c.relowner FROM pg_class c WHERE c.relnamespace = 'pinferry_lock'::regnamespace
        UNION ALL
        SELECT p.proname, coalesce(p.proacl, acldefault('f', p.proowner)), p.proowner FROM pg_proc p
         WHERE p.pronamespace = 'pinferry_lock'::regnamespace
        UNION ALL
        SELECT n.nspname, n.nspacl, n.nspowner FROM pg_namespace n WHERE n.nspname = 'pinferry_lock')
       AS kept (what, acls, owner),
       aclexplode(kept.acls) AS acl
 WHERE acl.grantee <> kept.owner ORDER BY 1";

#[test]
fn default_privileges_give_nobody_a_right_on_what_the_lock_keeps() {
    let legacy = Legacy::diverting();
    let role = format!("app_{}", legacy.database.name);
    let defaults = |whom: &str| {
        format!(
            "ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {whom}; ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO {whom};
             ALTER DEFAULT PRIVILEGES GRANT ALL ON FUNCTIONS TO {whom}; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO {whom};"
        )
    };
    legacy.assert_passes(&format!(
        "CREATE ROLE {role}; {}{}",
        defaults(&role),
        defaults("PUBLIC")
    ));
    let mut locked = legacy.engage();
    assert_eq!(legacy.database.text(RIGHTS), "");
    legacy.assert_passes(&insert("INSERT", "9", "A"));
    legacy.assert_passes("UPDATE pin_legacy SET stato = 'R' WHERE id = '1'");
    locked.seal().expect("sealed");
    assert_eq!(legacy.database.text(RIGHTS), "");
    legacy.assert_passes(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_role_that_reports_keeps_the_reading_it_was_given_in_the_schema_of_the_lock_and_gets_no_more() {
    let legacy = Legacy::diverting();
    let role = format!("rep_{}", legacy.database.name);
    legacy.assert_passes(&format!(
        "CREATE ROLE {role}; CREATE SCHEMA pinferry_lock; GRANT USAGE ON SCHEMA pinferry_lock TO {role};
         ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO {role};
         ALTER DEFAULT PRIVILEGES IN SCHEMA pinferry_lock GRANT SELECT ON TABLES TO {role};
         ALTER DEFAULT PRIVILEGES IN SCHEMA pinferry_lock GRANT SELECT ON SEQUENCES TO {role}"
    ));
    legacy.engage();
    let rights = legacy.database.text(RIGHTS);
    for kept in ["control", "capture_inps", "divert_inps", "refused_inps"] {
        assert!(
            rights.contains(&format!("{kept}: {role} SELECT")),
            "{rights}"
        );
    }
    let mut others = rights.lines().filter(|line| !line.ends_with(" SELECT"));
    assert_eq!(
        others.next(),
        Some(format!("pinferry_lock: {role} USAGE").as_str())
    );
    assert_eq!(others.next(), None, "{rights}");
    legacy.assert_passes(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}
