//! Bringing tables to a version.

use std::{panic, str::FromStr, thread, time::Duration};

use sqlx::{
    ConnectOptions, Connection, Error,
    migrate::{MigrateError, Migrator},
    postgres::PgConnectOptions,
};
use tokio::{runtime::Builder, time};

use super::{PostgresError, Trouble};
use crate::config::postgres::PostgresSettings;

const DOING: &str = "bringing the tables to this version";

/// How long it may take, waiting for another process that does the same included.
const LIMIT: Duration = Duration::from_secs(120);

/// Brings the tables to the newest version of these migrations, each in one transaction, over a connection of
/// its own. Of several processes that try, one does it.
///
/// # Errors
/// The server cannot be reached or refuses one of them, or other migrations were done before.
pub fn migrate(settings: &PostgresSettings, migrator: &Migrator) -> Result<(), PostgresError> {
    let failed = |error: Error| {
        let trouble = Trouble::while_connecting(&error);
        PostgresError::new(settings.shown(), DOING, trouble, error)
    };
    let options = PgConnectOptions::from_str(settings.secret_url())
        .map_err(failed)?
        .application_name("pinferry schema")
        .disable_statement_logging();
    // A thread of its own, because the caller may stand inside another runtime.
    let done = thread::scope(|scope| {
        let migrating = scope.spawn(|| -> Result<(), MigrateError> {
            Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(Error::Io)?
                .block_on(async {
                    let work = async {
                        let mut connection = options.connect().await?;
                        migrator.run(&mut connection).await?;
                        connection.close().await?;
                        Ok(())
                    };
                    let late = || Error::Io(std::io::ErrorKind::TimedOut.into());
                    time::timeout(LIMIT, work).await.map_err(|_| late())?
                })
        });
        let done = migrating.join();
        done.unwrap_or_else(|panic| panic::resume_unwind(panic))
    });
    done.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => failed(error),
        other => failed(Error::Configuration(Box::new(other))),
    })
}
