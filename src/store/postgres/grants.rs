//! What the runner's role needs at the target.

use crate::store::{
    StoreError,
    database::{Database, damaged},
};

const ACTION: &str = "read what the role may do";

/// That the role may create tables.
pub(super) fn may_create(database: &Database, place: &str) -> Result<(), StoreError> {
    let row = database
        .row(
            ACTION,
            "SELECT CAST(current_user AS text), quote_ident(current_user), quote_ident(current_schema()),
                 coalesce(has_schema_privilege(CAST(current_schema() AS text), 'CREATE'), false)",
            &[],
        )?
        .ok_or_else(|| damaged("no role"))?;
    let (role, quoted, schema, may): (String, String, Option<String>, bool) =
        (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    if may {
        return Ok(());
    }
    let (what, grant) = match schema {
        Some(schema) => (
            format!("create tables in the schema {schema}"),
            format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {quoted};"),
        ),
        None => without_schema(database, &quoted)?,
    };
    Err(StoreError::Denied {
        place: place.to_owned(),
        role,
        what,
        grant,
    })
}

/// What is wanting where the search path leads nowhere: use of the first schema that is there, or else a schema.
fn without_schema(database: &Database, role: &str) -> Result<(String, String), StoreError> {
    let named = database.rows(
        ACTION,
        // Names as the server reads them: in quotes as they stand, without quotes in small letters.
        "SELECT quote_ident(meant), meant IN (SELECT CAST(nspname AS text) FROM pg_namespace)
         FROM (SELECT position, CASE WHEN part = '\"$user\"' OR part = '$user' THEN CAST(current_user AS text)
                     WHEN part LIKE '\"%' THEN replace(substr(part, 2, length(part) - 2), '\"\"', '\"')
                     ELSE lower(part) END AS meant,
                 part IN ('\"$user\"', '$user') AS own
             FROM (SELECT btrim(part) AS part, position
                 FROM unnest(string_to_array(current_setting('search_path'), ',')) WITH ORDINALITY AS parts (part, position)
             ) AS trimmed) AS path
         WHERE meant NOT IN ('', '\"\"') ORDER BY own, position",
        &[],
    )?;
    let mut wanting: Option<String> = None;
    for row in named {
        let (schema, is_there): (String, bool) = (row.get(0)?, row.get(1)?);
        if is_there {
            return Ok((
                format!("use the schema {schema}"),
                format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role};"),
            ));
        }
        wanting.get_or_insert(schema);
    }
    let what = "create tables: no schema of its search_path exists".to_owned();
    Ok(match wanting {
        Some(schema) => (
            what,
            format!("CREATE SCHEMA {schema} AUTHORIZATION {role};"),
        ),
        None => (
            what,
            format!(
                "CREATE SCHEMA pinferry AUTHORIZATION {role}; ALTER ROLE {role} SET search_path = pinferry;"
            ),
        ),
    })
}

/// That the role owns the tables: it builds indexes and keys on them.
pub(super) fn may_write(database: &Database, place: &str) -> Result<(), StoreError> {
    let row = database.row(
        ACTION,
        "SELECT CAST(current_user AS text), quote_ident(current_user), quote_ident(pg_get_userbyid(relowner))
         FROM pg_class
         WHERE oid IN (to_regclass('model_state'), to_regclass('pin'), to_regclass('_sqlx_migrations'))
             AND NOT pg_has_role(relowner, 'USAGE')
         ORDER BY relname LIMIT 1",
        &[],
    )?;
    let Some(row) = row else {
        return Ok(());
    };
    let (role, quoted, owner): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Err(StoreError::Denied {
        place: place.to_owned(),
        what: format!("write to the tables, which belong to {owner}"),
        grant: format!("GRANT {owner} TO {quoted};"),
        role,
    })
}

/// That the role may read what version the tables have.
pub(super) fn may_read(database: &Database, place: &str) -> Result<(), StoreError> {
    let row = database.row(
        ACTION,
        "SELECT CAST(current_user AS text), quote_ident(current_user), quote_ident(nspname)
         FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
         WHERE pg_class.oid = to_regclass('_sqlx_migrations') AND NOT has_table_privilege(pg_class.oid, 'SELECT')",
        &[],
    )?;
    let Some(row) = row else {
        return Ok(());
    };
    let (role, quoted, schema): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Err(StoreError::Denied {
        place: place.to_owned(),
        what: format!("read the tables in the schema {schema}"),
        grant: format!("GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {quoted};"),
        role,
    })
}
