//! People judged again because the legacy changed under the lock.

use std::collections::HashMap;

use super::{
    ChunkRows, StoreError,
    database::{Database, values},
    json::json,
    leased_tx::LeasedTx,
};
use crate::{
    domain::{fiscal_code::FiscalCode, tally::Tally},
    failpoint,
};

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

impl LeasedTx<'_> {
    /// The id of the first PIN that this run gave the person with each of these current codes.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub fn first_pin_ids(
        &self,
        codes: &[FiscalCode],
    ) -> Result<HashMap<FiscalCode, i64>, StoreError> {
        let mut first = HashMap::new();
        for &code in codes {
            let Some(person_id) = person_of(&self.database, code)? else {
                continue;
            };
            let pin_id: Option<i64> = self.database.value(
                LOOK_UP,
                "SELECT min(pin_id) FROM pin WHERE person_id = ?1 AND run_id = ?2",
                values![person_id, self.run_id()],
            )?;
            if let Some(pin_id) = pin_id {
                first.insert(code, pin_id);
            }
        }
        Ok(first)
    }

    /// Takes out what this run gave the people with these current codes, who go themselves if it brought them,
    /// and the quarantine rows of these records (source, legacy_id).
    ///
    /// # Errors
    ///
    /// When the database fails; the transaction must then be dropped.
    pub fn take_out(
        &self,
        codes: &[FiscalCode],
        records: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        failpoint::reached("replace.rows");
        for code in codes {
            self.take_out_person(*code)?;
        }
        for &(source, legacy_id) in records {
            self.take_out_record(source, legacy_id)?;
        }
        Ok(())
    }

    /// Puts the same people, judged again, in their place; `difference` is what comes in less what was taken out.
    ///
    /// # Errors
    ///
    /// When the database refuses a row or fails; the transaction must then be dropped.
    pub fn put_in(
        &self,
        rows: &ChunkRows,
        account: Account<'_>,
        difference: &Tally,
    ) -> Result<(), StoreError> {
        self.insert(rows)?;
        match account {
            Account::Partition(no) => self.add_tally(no, difference),
            Account::Ledger(cause) => self.enter_in_ledger(cause, difference),
        }
    }

    fn enter_in_ledger(&self, cause: &str, difference: &Tally) -> Result<(), StoreError> {
        enter_in_ledger(&self.database, cause, difference)
    }

    fn take_out_person(&self, code: FiscalCode) -> Result<(), StoreError> {
        let Some(person_id) = person_of(&self.database, code)? else {
            return Ok(());
        };
        // In the order of the foreign keys; findings name one of the person's records.
        for sql in [
            "DELETE FROM finding WHERE run_id = ?2
                 AND (source, legacy_id) IN (SELECT source, legacy_id FROM pin WHERE person_id = ?1)",
            "DELETE FROM profile_grant WHERE person_id = ?1 AND run_id = ?2",
            "DELETE FROM delegation WHERE person_id = ?1 AND run_id = ?2",
            "DELETE FROM pin WHERE person_id = ?1 AND run_id = ?2",
            "DELETE FROM fiscal_code WHERE person_id = ?1 AND (
                 person_id IN (SELECT person_id FROM person WHERE person_id = ?1 AND run_id = ?2)
                 OR fiscal_code IN (SELECT fiscal_code FROM run_code WHERE run_id = ?2 AND NOT known))",
            "DELETE FROM person WHERE person_id = ?1 AND run_id = ?2",
        ] {
            self.database
                .execute(ACTION, sql, values![person_id, self.run_id()])?;
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
