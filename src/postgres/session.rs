//! One connection.

use std::{fmt, ops::ControlFlow, str::FromStr, time::Duration};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Error,
    postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow},
};

use super::{
    CopyIn, Limits, PostgresError, Trouble,
    bridge::{Bridge, Late},
    certificates, copy_out, setup,
};
use crate::config::postgres::PostgresSettings;

/// How long a goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// One connection to a PostgreSQL server, used from one thread at a time. Every wait has a limit; after one that
/// was exceeded, or a copy that was not finished, the connection is given up, and whatever is asked of the
/// session then fails as lost.
pub struct Session {
    place: String,
    limits: Limits,
    bridge: Bridge,
    /// `None` once it was given up.
    connection: Option<PgConnection>,
    /// That it is of no more use.
    abandoned: bool,
}

impl Session {
    /// Connects; the server lists the session as `pinferry PURPOSE`.
    ///
    /// # Errors
    /// The server cannot be reached, is not who it should be, lets nobody in, has no such database, or is too old.
    pub fn connect(
        settings: &PostgresSettings,
        purpose: &str,
        limits: &Limits,
    ) -> Result<Self, PostgresError> {
        const DOING: &str = "connecting";
        let place = settings.shown();
        let failed = |error: Error| {
            let trouble = Trouble::while_connecting(&error);
            PostgresError::new(place, DOING, trouble, error)
        };
        certificates::check(settings)
            .map_err(|unfit| PostgresError::unfit_file(place, DOING, unfit))?;
        let options = PgConnectOptions::from_str(settings.secret_url())
            .map_err(failed)?
            .application_name(&format!("pinferry {purpose}"))
            .disable_statement_logging();
        let bridge = Bridge::new().map_err(|error| failed(Error::Io(error)))?;
        let connected = bridge.wait(limits.connect, async {
            let mut connection = PgConnection::connect_with(&options).await?;
            let version = connection.server_version_num();
            if version.is_none_or(|version| version >= setup::OLDEST_VERSION) {
                sqlx::raw_sql(AssertSqlSafe(setup::statements(limits)))
                    .execute(&mut connection)
                    .await?;
            }
            Ok((connection, version))
        });
        match connected {
            Ok(Ok((_, Some(version)))) if version < setup::OLDEST_VERSION => {
                Err(PostgresError::too_old(place, DOING, version))
            }
            Ok(Ok((connection, _))) => Ok(Self {
                place: place.to_owned(),
                limits: *limits,
                bridge,
                connection: Some(connection),
                abandoned: false,
            }),
            Ok(Err(error)) => Err(failed(error)),
            Err(Late) => Err(PostgresError::late(
                place,
                DOING,
                Trouble::Unreachable,
                limits.connect,
            )),
        }
    }

    /// The database as messages may show it.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Runs statements that take no arguments, as one message; `doing` is for the error.
    ///
    /// # Errors
    /// The server refuses one of them, or the connection is lost.
    pub fn batch(&mut self, doing: &'static str, sql: &str) -> Result<(), PostgresError> {
        let (connection, bridge, limit) = self.ready(doing)?;
        let statements = sqlx::raw_sql(AssertSqlSafe(sql));
        let answer = bridge.wait(limit, statements.execute(connection));
        self.settled(doing, limit, answer).map(drop)
    }

    /// Waits from now on as long as these limits say, here and at the server.
    ///
    /// # Errors
    /// The connection is lost.
    pub fn limit(&mut self, doing: &'static str, limits: &Limits) -> Result<(), PostgresError> {
        self.batch(doing, &setup::limits(limits))?;
        self.limits = *limits;
        Ok(())
    }

    /// Runs one statement; how many rows it changed.
    ///
    /// # Errors
    /// The server refuses it, or the connection is lost.
    pub fn execute(
        &mut self,
        doing: &'static str,
        sql: &str,
        arguments: PgArguments,
    ) -> Result<u64, PostgresError> {
        let (connection, bridge, limit) = self.ready(doing)?;
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let answer = bridge.wait(limit, query.execute(connection));
        let done = self.settled(doing, limit, answer)?;
        Ok(done.rows_affected())
    }

    /// Runs one query; all of its rows, which are to be few.
    ///
    /// # Errors
    /// The server refuses it, or the connection is lost.
    pub fn rows(
        &mut self,
        doing: &'static str,
        sql: &str,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, PostgresError> {
        let (connection, bridge, limit) = self.ready(doing)?;
        let query = sqlx::query_with(AssertSqlSafe(sql), arguments);
        let answer = bridge.wait(limit, query.fetch_all(connection));
        self.settled(doing, limit, answer)
    }

    /// Runs a `COPY … TO STDOUT` and gives what it yields in chunks, which are cleared before they are filled
    /// again and may be taken away. After `Break` the connection is given up: there is no other way to stop
    /// the server.
    ///
    /// # Errors
    /// The server refuses it, or the connection is lost.
    pub fn copy_out(
        &mut self,
        doing: &'static str,
        sql: &str,
        each: &mut dyn FnMut(&mut Vec<u8>) -> ControlFlow<()>,
    ) -> Result<(), PostgresError> {
        self.ready(doing)?;
        let silence = self.limits.silence;
        let connection = self.connection.as_mut().expect("it is ready");
        let copied = copy_out::run(&self.bridge, connection, sql, silence, each);
        if self.settled(doing, silence, copied)?.is_break() {
            self.abandoned = true;
        }
        Ok(())
    }

    /// Begins a `COPY … FROM STDIN`.
    ///
    /// # Errors
    /// The server refuses it, or the connection is lost.
    pub fn copy_in(&mut self, doing: &'static str, sql: &str) -> Result<CopyIn<'_>, PostgresError> {
        let silence = self.limits.silence;
        self.ready(doing)?;
        let answer = self.limits.answer();
        let (place, bridge) = (self.place.as_str(), &self.bridge);
        let connection = self.connection.as_mut().expect("it is ready");
        let begun = bridge.wait(answer, connection.copy_in_raw(sql));
        let copy = settled(place, doing, answer, begun, &mut self.abandoned)?;
        Ok(CopyIn {
            doing,
            place,
            silence,
            bridge,
            copy: Some(copy),
            abandoned: &mut self.abandoned,
        })
    }

    /// Whether the connection stands, as far as is known.
    #[must_use]
    pub const fn is_standing(&self) -> bool {
        self.connection.is_some() && !self.abandoned
    }

    /// What asking takes: the connection, what drives it, and how long to wait for an answer.
    fn ready(
        &mut self,
        doing: &'static str,
    ) -> Result<(&mut PgConnection, &Bridge, Duration), PostgresError> {
        if self.abandoned {
            self.connection = None;
        }
        match &mut self.connection {
            Some(connection) => Ok((connection, &self.bridge, self.limits.answer())),
            None => Err(PostgresError::given_up(&self.place, doing)),
        }
    }

    fn settled<T>(
        &mut self,
        doing: &'static str,
        limit: Duration,
        answer: Result<Result<T, Error>, Late>,
    ) -> Result<T, PostgresError> {
        settled(&self.place, doing, limit, answer, &mut self.abandoned)
    }
}

/// An answer, or why there is none; a connection that is lost is abandoned.
pub(super) fn settled<T>(
    place: &str,
    doing: &'static str,
    limit: Duration,
    answer: Result<Result<T, Error>, Late>,
    abandoned: &mut bool,
) -> Result<T, PostgresError> {
    let error = match answer {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => {
            let trouble = Trouble::of(&error);
            PostgresError::new(place, doing, trouble, error)
        }
        Err(Late) => PostgresError::late(place, doing, Trouble::Lost, limit),
    };
    *abandoned |= error.trouble() == Trouble::Lost;
    Err(error)
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Session").field(&self.place).finish()
    }
}

/// Says goodbye, so that the server ends the session at once and does not complain in its log.
impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take()
            && !self.abandoned
        {
            // A server that is gone misses nothing.
            drop(self.bridge.wait(GOODBYE, connection.close()));
        }
    }
}
