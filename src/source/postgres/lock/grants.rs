//! The script that gives every role what it needs at a legacy, and no more.

use crate::{
    config::settings::SourceLocation,
    source::{
        lock::{Place, Roles},
        postgres::relation,
    },
};

use super::{names, sql};

/// See [`crate::source::lock::grants`].
pub(in crate::source) fn script(place: &Place, roles: &Roles) -> String {
    let (shown, read, locked) = match &place.source.location {
        SourceLocation::Postgres {
            database,
            table,
            lock_tables,
        } => (database.shown(), table, lock_tables),
        SourceLocation::Csv { .. } | SourceLocation::Sqlite { .. } => return String::new(),
    };
    let runner = &roles.runner;
    let mut script = format!(
        "-- source {}: in {shown}, as a superuser\n-- {runner} reads, and owns through a role, because only an owner can make guards that always fire\n",
        place.name()
    );
    for table in std::iter::once(read).chain(locked) {
        script.push_str(&of_table(table, roles, table == read));
    }
    let (schema, runner) = (sql::name(names::SCHEMA), sql::name(runner));
    script.push_str(&format!(
        "CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {runner};\nREVOKE ALL ON SCHEMA {schema} FROM PUBLIC;\n"
    ));
    if let Some(application) = &roles.application {
        script.push_str(&format!(
            "-- {application} keeps what it has, but can neither see nor remove the lock\nREVOKE ALL ON SCHEMA {schema} FROM {};\n",
            sql::name(application)
        ));
    }
    if let Some(activation) = &roles.activation {
        script.push_str(&format!("-- {activation} needs nothing here\n"));
    }
    if let Some(reports) = &roles.reports {
        let name = sql::name(reports);
        script.push_str(&format!(
            "-- {reports} plans and looks at the lock\nGRANT USAGE ON SCHEMA {schema} TO {name};\n"
        ));
        for kind in ["TABLES", "SEQUENCES"] {
            script.push_str(&format!(
                "GRANT SELECT ON ALL {kind} IN SCHEMA {schema} TO {name};
ALTER DEFAULT PRIVILEGES FOR ROLE {runner} IN SCHEMA {schema} GRANT SELECT ON {kind} TO {name};\n"
            ));
        }
    }
    script
}

/// The owner is asked for where the script runs. A superuser's table would make a superuser of the runner.
fn of_table(table: &str, roles: &Roles, is_read: bool) -> String {
    let (schema, name) = relation::parts(table);
    let spelled = |schema: &str, name: &str| match schema {
        "" => sql::text(&sql::name(name)),
        schema => sql::text(&format!("{}.{}", sql::name(schema), sql::name(name))),
    };
    let exact = spelled(&schema, &name);
    let folded = spelled(&schema.to_lowercase(), &name.to_lowercase());
    let mut statements = vec![("GRANT %3$I TO %4$I", Some(&roles.runner))];
    for role in [
        Some(&roles.runner),
        roles.reports.as_ref().filter(|_| is_read),
    ] {
        statements.push(("GRANT USAGE ON SCHEMA %1$I TO %4$I", role));
        statements.push(("GRANT SELECT ON %2$s TO %4$I", role));
    }
    statements.push((
        "REVOKE TRIGGER, TRUNCATE, REFERENCES ON %2$s FROM %4$I",
        roles.application.as_ref(),
    ));
    let executed: String = (statements.iter())
        .filter_map(|(statement, role)| Some((statement, (*role)?)))
        .map(|(statement, role)| {
            let (statement, role) = (sql::text(statement), sql::text(role));
            format!("  EXECUTE pg_catalog.format({statement}, place, legacy, owner, {role});\n")
        })
        .collect();
    format!(
        "DO $pinferry$
DECLARE
  legacy pg_catalog.regclass := coalesce(pg_catalog.to_regclass({exact}), pg_catalog.to_regclass({folded}));
  place name;
  owner name;
  super boolean;
BEGIN
  SELECT n.nspname, r.rolname, r.rolsuper INTO STRICT place, owner, super
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
   WHERE c.oid = legacy;
  IF super THEN
    RAISE EXCEPTION '% belongs to the superuser %: give it an owner of its own with ALTER TABLE … OWNER TO first', legacy, owner;
  END IF;
{executed}END $pinferry$;\n"
    )
}
