//! Whoever begins transactions that go on seeing an older state of the table: none of their new PINs is queued.

use sqlx::{Arguments as _, Row, postgres::PgArguments};

use crate::{
    postgres::{PostgresError, Session},
    source::lock::{LockWarning, Place},
};

use super::{shape::TableShape, sql};

const DOING: &str = "reading how transactions begin";

/// What the server, the database and every role that may add PINs begin transactions in, where it is not READ COMMITTED.
/// A role of its own setting in this database comes before its setting everywhere, and any setting of a role before
/// those for everybody, whose row has no role. What a role of pinferry's own is told to do hides what the server says.
const STRICT: &str = "
WITH setting (base, role, level) AS (
    SELECT s.setdatabase, s.setrole, pg_catalog.lower(pg_catalog.split_part(c.text, '=', 2))
      FROM pg_catalog.pg_db_role_setting s
     CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (text)
     WHERE pg_catalog.starts_with(c.text, 'default_transaction_isolation=')
       AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d
                                  WHERE d.datname = pg_catalog.current_database()))
), everybody (level) AS (
    SELECT coalesce((SELECT s.level FROM setting s WHERE s.role = 0 ORDER BY s.base DESC LIMIT 1),
                    (SELECT g.reset_val FROM pg_catalog.pg_settings g
                      WHERE g.name = 'default_transaction_isolation'
                        AND g.source IN ('default', 'environment variable', 'configuration file', 'command line')),
                    'read committed')
), own (name, may_connect, level) AS (
    SELECT r.rolname, r.rolcanlogin,
           (SELECT s.level FROM setting s WHERE s.role = r.oid ORDER BY s.base DESC LIMIT 1)
      FROM pg_catalog.pg_roles r
     WHERE r.rolname = $2
        OR r.rolcanlogin AND pg_catalog.has_any_column_privilege(r.oid, $1::bigint::oid, 'INSERT')
)
SELECT NULL::text, e.level, pg_catalog.current_database()::text
  FROM everybody e
 WHERE e.level IN ('repeatable read', 'serializable')
   AND NOT EXISTS (SELECT 1 FROM own o
                    WHERE o.name = $2 AND o.may_connect AND o.level NOT IN ('repeatable read', 'serializable'))
UNION ALL
(SELECT o.name::text, o.level, pg_catalog.current_database()::text
   FROM own o WHERE o.level IN ('repeatable read', 'serializable') ORDER BY o.name = $2 DESC, o.name LIMIT 10)";

/// Whose new PINs a lock refuses although it queues those of others.
pub(super) fn refused(
    session: &mut Session,
    place: &Place,
    shape: &TableShape,
) -> Result<Vec<LockWarning>, PostgresError> {
    let mut arguments = PgArguments::default();
    (arguments.add(shape.root().oid)).expect("a number is an argument");
    (arguments.add(place.lock.application_role.as_deref())).expect("a text is an argument");
    let rows = session.rows(DOING, STRICT, arguments)?;
    let warning = |row: &sqlx::postgres::PgRow| {
        let (role, level, database): (Option<String>, String, String) =
            (row.get(0), row.get(1), row.get(2));
        let (who, whose, statement) = match role {
            None => (
                "everybody".to_owned(),
                "unless a role or a session says otherwise",
                format!("ALTER DATABASE {}", sql::name(&database)),
            ),
            Some(role) => (
                format!("the role {role}"),
                "unless a session says otherwise",
                format!(
                    "ALTER ROLE {} IN DATABASE {}",
                    sql::name(&role),
                    sql::name(&database)
                ),
            ),
        };
        LockWarning {
            what: format!(
                "{who} begins transactions in {}, {whose}, and new PINs that are written in one are refused, not queued",
                level.to_uppercase()
            ),
            next: format!(
                "`{statement} SET default_transaction_isolation = 'read committed'`, which new sessions follow"
            ),
        }
    };
    Ok(rows.iter().map(warning).collect())
}
