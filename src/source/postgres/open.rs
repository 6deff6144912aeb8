//! One instant of a legacy database, without touching it.

use sqlx::{
    Row,
    postgres::{PgArguments, PgRow},
};

use super::PostgresTable;
use crate::{
    config::settings::Encoding,
    postgres::{Limits, PostgresError, Session},
    source::{SourceError, SourceMistake},
};

/// A session in the transaction that everything is read in.
pub(super) struct Snapshot {
    pub(super) session: Session,
    /// The role it reads as.
    pub(super) role: String,
    pub(super) server_encoding: String,
}

impl Snapshot {
    /// Connects and begins the transaction. Its instant is that of the first query.
    pub(super) fn begin(table: &PostgresTable<'_>) -> Result<Self, SourceError> {
        let mistaken = |error| unusable(table, vec![SourceMistake::Postgres(error)]);
        let mut session =
            Session::connect(table.database, "reading", &Limits::READING).map_err(mistaken)?;
        session
            .batch(
                "beginning to read",
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            )
            .map_err(SourceError::Postgres)?;
        let found = session
            .rows(
                "asking for the role and the encoding",
                "SELECT current_user::text, pg_catalog.current_setting('server_encoding')",
                PgArguments::default(),
            )
            .map_err(SourceError::Postgres)?;
        let row = found.first();
        Ok(Self {
            role: row.map_or_else(String::new, |row| row.get(0)),
            server_encoding: row.map_or_else(String::new, |row| row.get(1)),
            session,
        })
    }

    /// Rows of a small query.
    pub(super) fn rows(
        &mut self,
        doing: &'static str,
        sql: &str,
        arguments: PgArguments,
    ) -> Result<Vec<PgRow>, SourceError> {
        self.session
            .rows(doing, sql, arguments)
            .map_err(SourceError::Postgres)
    }

    /// How text will arrive that `statement` asks for. What the server cannot convert to UTF-8 would end the
    /// reading, so where pinferry knows the encoding itself, bytes are taken as they are. A name that is not
    /// ASCII must be converted on its way in, and only the server can do that.
    pub(super) fn encoding_for(&mut self, statement: &str) -> Result<Encoding, SourceError> {
        let encoding = match self.server_encoding.as_str() {
            "SQL_ASCII" => Encoding::Utf8,
            "WIN1252" if statement.is_ascii() => Encoding::Windows1252,
            "LATIN9" if statement.is_ascii() => Encoding::Iso8859_15,
            _ => return Ok(Encoding::Utf8),
        };
        self.session
            .batch("choosing the encoding", "SET client_encoding = 'SQL_ASCII'")
            .map_err(SourceError::Postgres)?;
        Ok(encoding)
    }
}

/// The configuration does not fit the table.
pub(super) fn unusable(table: &PostgresTable<'_>, mistakes: Vec<SourceMistake>) -> SourceError {
    SourceError::Unusable {
        name: table.settings.rules.name.clone(),
        mistakes,
    }
}

/// A refusal before the first record is the configuration's matter, or a right that is wanting.
pub(super) fn refused(table: &PostgresTable<'_>, error: PostgresError) -> SourceError {
    unusable(table, vec![SourceMistake::Postgres(error)])
}

/// A name as SQL takes it literally.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
