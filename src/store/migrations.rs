//! The versions of the target's tables, as files of `migrations`.
//!
//! They are named here one by one: sqlx's `migrate!` would list the folder, but brings a second SQLite and a second
//! PostgreSQL driver into every build, for the compiler's side of it.

use std::sync::LazyLock;

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

macro_rules! versions {
    ($folder:literal: $($version:literal $name:literal),+) => {
        LazyLock::new(|| {
            Migrator::with_migrations(vec![$(version(
                $version,
                $name,
                include_str!(concat!("../../migrations/", $folder, "/000", $version, "_", $name, ".sql")),
            )),+])
        })
    };
}

pub(super) static POSTGRES: LazyLock<Migrator> =
    versions!("postgres": 1 "model", 2 "later_source", 3 "counter", 4 "control");

pub(super) static SQLITE: LazyLock<Migrator> =
    versions!("sqlite": 1 "model", 2 "later_source", 3 "counter", 4 "control");

/// The version of the tables that this program writes, the same in either engine.
#[must_use]
pub fn tables_version() -> i64 {
    newest(&SQLITE)
}

/// The newest version this program knows.
pub(super) fn newest(migrator: &Migrator) -> i64 {
    migrator
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

fn version(version: i64, name: &str, sql: &'static str) -> Migration {
    let description = name.replace('_', " ").into();
    Migration::new(
        version,
        description,
        MigrationType::Simple,
        sql.into_sql_str(),
        false,
    )
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{POSTGRES, SQLITE};

    #[test]
    #[expect(clippy::expect_used, reason = "a test stops at the first surprise")]
    fn every_file_of_the_folder_is_a_version() {
        for (engine, migrator) in [("postgres", &*POSTGRES), ("sqlite", &*SQLITE)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("migrations")
                .join(engine);
            let files = fs::read_dir(folder).expect("the folder");
            let names = files.map(|file| file.expect("a file").file_name());
            let mut versions: Vec<_> = names
                .filter_map(|name| {
                    let name = name.into_string().expect("a plain name");
                    let version = name.split_once('_')?.0.parse::<i64>().ok()?;
                    Some((version, name))
                })
                .collect();
            versions.sort();
            let listed = migrator.iter().map(|migration| {
                let name = migration.description.replace(' ', "_");
                (
                    migration.version,
                    format!("{:04}_{name}.sql", migration.version),
                )
            });
            assert_eq!(versions, listed.collect::<Vec<_>>());
        }
    }
}
