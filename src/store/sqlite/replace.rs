//! People judged again because the legacy changed under the lock.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{connection::NOW, leased_tx::LeasedTx, run::json, target::Target};
use crate::{
    domain::{fiscal_code::FiscalCode, tally::Tally},
    failpoint,
    store::{ChunkRows, StoreError},
};

/// The ids of a person in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingPerson {
    /// The person's.
    pub person_id: i64,
    /// Its PINs, by id.
    pub pins: Vec<StandingPin>,
}

/// A PIN in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingPin {
    /// Its id.
    pub pin_id: i64,
    /// Its source.
    pub source: String,
    /// Its id there.
    pub legacy_id: String,
}

/// What takes the place of what.
#[derive(Clone, Copy, Debug)]
pub struct Replacement<'a> {
    /// Current codes of the people to take out, with all that hangs on them.
    pub codes: &'a [FiscalCode],
    /// Records (source, legacy_id) whose quarantine rows are taken out.
    pub records: &'a [(&'a str, &'a str)],
    /// What comes in.
    pub rows: &'a ChunkRows,
    /// What accounts for it.
    pub account: Account<'a>,
    /// Counts and digests of what comes in less those of what is taken out.
    pub difference: &'a Tally,
}

/// Where a difference is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Account<'a> {
    /// In the tally of a partition, before cut-over.
    Partition(u32),
    /// In the ledger, after cut-over, for this cause.
    Ledger(&'a str),
}

const ACTION: &str = "replace a person";

impl Target {
    /// The ids of the person with this current code, if there is one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn standing(&self, code: FiscalCode) -> Result<Option<StandingPerson>, StoreError> {
        let failed = StoreError::sqlite;
        let action = "look a person up";
        let Some(person_id) = person_of(&self.connection, code).map_err(failed(action))? else {
            return Ok(None);
        };
        let pins = self
            .connection
            .prepare_cached(
                "SELECT pin_id, source, legacy_id FROM pin WHERE person_id = ?1 ORDER BY pin_id",
            )
            .and_then(|mut statement| {
                statement
                    .query_map([person_id], |row| {
                        Ok(StandingPin {
                            pin_id: row.get(0)?,
                            source: row.get(1)?,
                            legacy_id: row.get(2)?,
                        })
                    })?
                    .collect::<rusqlite::Result<_>>()
            })
            .map_err(failed(action))?;
        Ok(Some(StandingPerson { person_id, pins }))
    }
}

impl LeasedTx<'_> {
    /// Takes people out of the target and puts others, or the same judged again, in their place.
    ///
    /// # Errors
    ///
    /// When the database refuses a row or fails; the transaction must then be dropped.
    pub fn replace_people(&self, replacement: &Replacement<'_>) -> Result<(), StoreError> {
        failpoint::reached("replace.rows");
        for code in replacement.codes {
            self.take_out(*code)?;
        }
        for &(source, legacy_id) in replacement.records {
            self.take_out_record(source, legacy_id)?;
        }
        self.insert(replacement.rows)?;
        match replacement.account {
            Account::Partition(no) => self.add_tally(no, replacement.difference),
            Account::Ledger(cause) => self.enter_in_ledger(cause, replacement.difference),
        }
    }

    fn enter_in_ledger(&self, cause: &str, difference: &Tally) -> Result<(), StoreError> {
        self.connection
            .execute(
                &format!("INSERT INTO digest_ledger (at, cause, tally) VALUES ({NOW}, ?1, ?2)"),
                params![cause, json(difference)?],
            )
            .map_err(StoreError::sqlite("write the ledger"))?;
        Ok(())
    }

    fn take_out(&self, code: FiscalCode) -> Result<(), StoreError> {
        let failed = StoreError::sqlite;
        let Some(person_id) = person_of(self.connection, code).map_err(failed(ACTION))? else {
            return Ok(());
        };
        // In the order of the foreign keys; findings name one of the person's records.
        for sql in [
            "DELETE FROM finding WHERE (source, legacy_id) IN (SELECT source, legacy_id FROM pin WHERE person_id = ?1)",
            "DELETE FROM profile_grant WHERE person_id = ?1",
            "DELETE FROM delegation WHERE person_id = ?1",
            "DELETE FROM pin WHERE person_id = ?1",
            "DELETE FROM fiscal_code WHERE person_id = ?1",
            "DELETE FROM person WHERE person_id = ?1",
        ] {
            self.connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute([person_id]))
                .map_err(failed(ACTION))?;
        }
        Ok(())
    }

    fn take_out_record(&self, source: &str, legacy_id: &str) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM finding WHERE source = ?1 AND legacy_id = ?2",
            "DELETE FROM quarantine WHERE source = ?1 AND legacy_id = ?2",
        ] {
            self.connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute(params![source, legacy_id]))
                .map_err(StoreError::sqlite(ACTION))?;
        }
        Ok(())
    }
}

/// The id of the person with this current code.
pub(super) fn person_of(
    connection: &Connection,
    code: FiscalCode,
) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT person_id FROM fiscal_code WHERE fiscal_code = ?1 AND current = 1")?
        .query_row([code.as_str()], |row| row.get(0))
        .optional()
}
