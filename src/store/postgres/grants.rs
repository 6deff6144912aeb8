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
            "SELECT CAST(current_user AS text), CAST(current_schema() AS text),
                 coalesce(has_schema_privilege(CAST(current_schema() AS text), 'CREATE'), false)",
            &[],
        )?
        .ok_or_else(|| damaged("no role"))?;
    let (role, schema, may): (String, Option<String>, bool) =
        (row.get(0)?, row.get(1)?, row.get(2)?);
    let schema = schema.unwrap_or_else(|| "public".to_owned());
    if may {
        return Ok(());
    }
    Err(StoreError::Denied {
        place: place.to_owned(),
        what: format!("create tables in the schema {schema}"),
        grant: format!("GRANT USAGE, CREATE ON SCHEMA {schema} TO {role};"),
        role,
    })
}

/// That the role owns the tables: it builds indexes and keys on them.
pub(super) fn may_write(database: &Database, place: &str) -> Result<(), StoreError> {
    let row = database
        .row(
            ACTION,
            "SELECT CAST(current_user AS text), CAST(pg_get_userbyid(relowner) AS text),
                 pg_has_role(relowner, 'USAGE')
             FROM pg_class WHERE oid = to_regclass('pin')",
            &[],
        )?
        .ok_or_else(|| damaged("no table pin"))?;
    let (role, owner, may): (String, String, bool) = (row.get(0)?, row.get(1)?, row.get(2)?);
    if may {
        return Ok(());
    }
    Err(StoreError::Denied {
        place: place.to_owned(),
        what: format!("write to the tables, which belong to {owner}"),
        grant: format!("GRANT {owner} TO {role};"),
        role,
    })
}
