//! People judged again because the legacy changed under the lock.

use super::{
    ChunkRows, StoreError,
    database::{Database, values},
    json::json,
    leased_tx::LeasedTx,
    target::Target,
};
use crate::{
    domain::{fiscal_code::FiscalCode, tally::Tally},
    failpoint,
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
const LOOK_UP: &str = "look a person up";

impl Target {
    /// The ids of the person with this current code, if there is one.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn standing(&self, code: FiscalCode) -> Result<Option<StandingPerson>, StoreError> {
        let Some(person_id) = person_of(&self.database, code)? else {
            return Ok(None);
        };
        let rows = self.database.rows(
            LOOK_UP,
            "SELECT pin_id, source, legacy_id FROM pin WHERE person_id = ?1 ORDER BY pin_id",
            values![person_id],
        )?;
        let pins = rows.iter().map(|row| {
            Ok(StandingPin {
                pin_id: row.get(0)?,
                source: row.get(1)?,
                legacy_id: row.get(2)?,
            })
        });
        let pins = pins.collect::<Result<_, StoreError>>()?;
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
        enter_in_ledger(&self.database, cause, difference)
    }

    fn take_out(&self, code: FiscalCode) -> Result<(), StoreError> {
        let Some(person_id) = person_of(&self.database, code)? else {
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
            self.database.execute(ACTION, sql, values![person_id])?;
        }
        Ok(())
    }

    fn take_out_record(&self, source: &str, legacy_id: &str) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM finding WHERE source = ?1 AND legacy_id = ?2",
            "DELETE FROM quarantine WHERE source = ?1 AND legacy_id = ?2",
        ] {
            self.database
                .execute(ACTION, sql, values![source, legacy_id])?;
        }
        Ok(())
    }
}

/// The id of the person with this current code.
pub(super) fn person_of(database: &Database, code: FiscalCode) -> Result<Option<i64>, StoreError> {
    database
        .row(
            LOOK_UP,
            "SELECT person_id FROM fiscal_code WHERE fiscal_code = ?1 AND current = ?2",
            values![code.as_str(), true],
        )?
        .map(|row| row.get(0))
        .transpose()
}

/// Notes the difference that `cause` made to the tally after cut-over.
pub(super) fn enter_in_ledger(
    database: &Database,
    cause: &str,
    difference: &Tally,
) -> Result<(), StoreError> {
    database.execute(
        "write the ledger",
        "INSERT INTO digest_ledger (at, cause, tally) VALUES ({now}, ?1, ?2)",
        values![cause, &json(difference)?],
    )?;
    Ok(())
}
