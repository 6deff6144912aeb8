//! Rights on what a deed makes: nobody's but the owner's.
//!
//! `ALTER DEFAULT PRIVILEGES` gives others rights on whatever a role makes, so that an application could write
//! captures and diverted PINs of its own. What was given within the lock's own schema was meant: a role that reports
//! may read.

use sqlx::{Row, postgres::PgArguments};

use crate::postgres::{PostgresError, Session};

/// The statements that take from others what they were given on what this transaction made.
const WITHDRAWAL: &str = "
WITH ours AS (
    SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'pinferry_lock'
), made (kind, thing, owner, acl, xmin, defaults) AS (
    SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
           pg_catalog.format('%I.%I', 'pinferry_lock', c.relname), c.relowner, c.relacl, c.xmin,
           CASE c.relkind WHEN 'S' THEN 'S' ELSE 'r' END
      FROM pg_catalog.pg_class c JOIN ours ON c.relnamespace = ours.oid
    UNION ALL
    SELECT 'FUNCTION', pg_catalog.format('%I.%I()', 'pinferry_lock', p.proname), p.proowner, p.proacl, p.xmin, NULL
      FROM pg_catalog.pg_proc p JOIN ours ON p.pronamespace = ours.oid
    UNION ALL
    SELECT 'SCHEMA', n.nspname::text, n.nspowner, n.nspacl, n.xmin, NULL
      FROM pg_catalog.pg_namespace n JOIN ours ON n.oid = ours.oid
), given AS (
    SELECT DISTINCT made.kind, made.thing, made.owner, made.defaults, acl.grantee
      FROM made CROSS JOIN LATERAL pg_catalog.aclexplode(made.acl) AS acl
     WHERE made.xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid AND acl.grantee <> made.owner
)
SELECT pg_catalog.format('REVOKE ALL ON %s %s FROM %s;', g.kind, g.thing, w.whom)
       || CASE WHEN EXISTS (
              SELECT 1
                FROM pg_catalog.pg_default_acl d
                JOIN ours ON d.defaclnamespace = ours.oid
               CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS meant
               WHERE d.defaclrole = g.owner AND d.defaclobjtype::text = g.defaults
                 AND meant.grantee = g.grantee AND meant.grantee <> 0 AND meant.privilege_type = 'SELECT')
          THEN pg_catalog.format('GRANT SELECT ON %s %s TO %s;', g.kind, g.thing, w.whom) ELSE '' END
  FROM given g
 CROSS JOIN LATERAL (SELECT CASE g.grantee WHEN 0 THEN 'PUBLIC'
                            ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)::text) END) AS w (whom)";

/// Takes from others what they were given on what this transaction made.
pub(super) fn withdraw(session: &mut Session, doing: &'static str) -> Result<(), PostgresError> {
    let rows = session.rows(doing, WITHDRAWAL, PgArguments::default())?;
    let statements: String = rows.iter().map(|row| row.get::<String, _>(0)).collect();
    if statements.is_empty() {
        return Ok(());
    }
    session.batch(doing, &statements)
}
