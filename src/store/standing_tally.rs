//! What people and quarantined records who stand in the target count for, read from their rows.

use jiff::civil::Date;

use super::{
    StoreError,
    database::{Value, values},
    leased_tx::LeasedTx,
    replace::person_of,
    run_row::date,
};
use crate::domain::{
    digest::RowHash,
    finding::{FindingKind, FindingRow},
    fiscal_code::FiscalCode,
    quarantine::{QuarantineRow, Reason},
    rows::{DelegationRow, FiscalCodeRow, GrantRow, PersonRow, PinRef, PinRow},
    standing::Joining,
    status::{Disposition, GrantStatus, LegacyStatus, Level, PinStatus},
    tally::Tally,
};

const ACTION: &str = "read a person back";

/// A row's columns as text, whatever their type.
type Texts = Vec<Option<String>>;

impl LeasedTx<'_> {
    /// Counts and digests of what this run gave the people with these current codes, and of the quarantine rows of
    /// these records (source, legacy_id), as they stand.
    ///
    /// # Errors
    ///
    /// When the database fails or holds what this program does not understand.
    pub fn standing_tally(
        &self,
        codes: &[FiscalCode],
        records: &[(&str, &str)],
    ) -> Result<Tally, StoreError> {
        let mut tally = Tally::default();
        let mut hash = RowHash::default();
        for code in codes {
            self.add_standing(*code, &mut tally, &mut hash)?;
        }
        for (source, legacy_id) in records {
            let rows = self.texts(
                "SELECT source, legacy_id, copy, reason, detail, payload FROM quarantine
                 WHERE source = ?1 AND legacy_id = ?2",
                values![*source, *legacy_id],
            )?;
            for row in &rows {
                let row = QuarantineRow {
                    source: text(row, 0),
                    legacy_id: text(row, 1).into(),
                    copy: number(row, 2)?,
                    reason: known(row, 3, Reason::by_name)?,
                    detail: text(row, 4).into(),
                    payload: text(row, 5).to_owned(),
                };
                tally.add_quarantined(&row, &mut hash);
            }
        }
        Ok(tally)
    }

    fn add_standing(
        &self,
        code: FiscalCode,
        tally: &mut Tally,
        hash: &mut RowHash,
    ) -> Result<(), StoreError> {
        let Some(person_id) = person_of(&self.database, code)? else {
            return Ok(());
        };
        let of = |sql: &str| self.texts(sql, values![person_id, self.run_id()]);
        let people = of(
            "SELECT surname, given_name, birth_date, email, phone FROM person
             WHERE person_id = ?1 AND run_id = ?2",
        )?;
        let codes = of("SELECT fiscal_code, current FROM fiscal_code WHERE person_id = ?1 AND (
                 person_id IN (SELECT person_id FROM person WHERE person_id = ?1 AND run_id = ?2)
                 OR fiscal_code IN (SELECT fiscal_code FROM run_code WHERE run_id = ?2 AND NOT known))")?;
        let pins = of(
            "SELECT pin.status, pin.disposition, pin.level, pin.credential, pin.credential_scheme,
                 pin.credential_salt, pin.halves_delivered, pin.issued_on, pin.expires_on, pin.last_used_on,
                 pin.office, pin.channel, pin.source, pin.legacy_id, pin.legacy_profile, pin.legacy_entity,
                 pin.legacy_status, next.source, next.legacy_id
             FROM pin LEFT JOIN pin AS next ON next.pin_id = pin.superseded_by
             WHERE pin.person_id = ?1 AND pin.run_id = ?2",
        )?;
        let grants = of(
            "SELECT profile, entity, status, level, valid_from, evidence FROM profile_grant
             WHERE person_id = ?1 AND run_id = ?2",
        )?;
        let delegations = of("SELECT guardian_fiscal_code, evidence FROM delegation
             WHERE person_id = ?1 AND run_id = ?2")?;
        let findings = of(
            "SELECT kind, source, legacy_id FROM finding WHERE run_id = ?2
                 AND (source, legacy_id) IN (SELECT source, legacy_id FROM pin WHERE person_id = ?1)",
        )?;
        let joining = Joining {
            fiscal_code: code,
            codes: each(&codes, fiscal_code_row)?,
            pins: each(&pins, pin_row)?,
            grants: each(&grants, grant_row)?,
            delegations: each(&delegations, delegation_row)?,
            findings: each(&findings, finding_row)?,
        };
        tally.add_joining(&joining, hash);
        if let Some(person) = people.first() {
            let row = PersonRow {
                surname: text(person, 0),
                given_name: optional(person, 1),
                birth_date: day(person, 2)?,
                email: optional(person, 3),
                phone: optional(person, 4),
            };
            tally.add_person_row(code, &row, hash);
        }
        Ok(())
    }

    fn texts(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Texts>, StoreError> {
        let rows = self.database.rows(ACTION, sql, values)?;
        Ok(rows.iter().map(|row| row.texts()).collect())
    }
}

fn fiscal_code_row(row: &Texts) -> Result<FiscalCodeRow<'_>, StoreError> {
    Ok(FiscalCodeRow {
        fiscal_code: text(row, 0).into(),
        current: text(row, 1) == "1",
    })
}

fn pin_row(row: &Texts) -> Result<PinRow<'_>, StoreError> {
    Ok(PinRow {
        status: known(row, 0, PinStatus::by_name)?,
        disposition: known(row, 1, Disposition::by_name)?,
        level: known(row, 2, Level::by_name)?,
        credential: optional(row, 3),
        credential_scheme: optional(row, 4).map(Into::into),
        credential_salt: optional(row, 5),
        halves_delivered: number(row, 6)?,
        issued_on: day(row, 7)?.ok_or_else(damaged)?,
        expires_on: day(row, 8)?,
        last_used_on: day(row, 9)?,
        office: optional(row, 10),
        channel: optional(row, 11).map(Into::into),
        source: text(row, 12),
        legacy_id: text(row, 13),
        legacy_profile: text(row, 14),
        legacy_entity: text(row, 15).into(),
        legacy_status: known(row, 16, LegacyStatus::by_name)?,
        superseded_by: optional(row, 17).map(|source| PinRef {
            source,
            legacy_id: text(row, 18),
        }),
    })
}

fn grant_row(row: &Texts) -> Result<GrantRow<'_>, StoreError> {
    Ok(GrantRow {
        profile: text(row, 0),
        entity: text(row, 1).into(),
        status: known(row, 2, GrantStatus::by_name)?,
        level: known(row, 3, Level::by_name)?,
        valid_from: day(row, 4)?.ok_or_else(damaged)?,
        evidence: text(row, 5).to_owned(),
    })
}

fn delegation_row(row: &Texts) -> Result<DelegationRow, StoreError> {
    Ok(DelegationRow {
        guardian_fiscal_code: text(row, 0).parse().map_err(|_| damaged())?,
        evidence: text(row, 1).to_owned(),
    })
}

fn finding_row(row: &Texts) -> Result<FindingRow<'_>, StoreError> {
    Ok(FindingRow {
        kind: known(row, 0, FindingKind::by_name)?,
        source: text(row, 1),
        legacy_id: text(row, 2),
    })
}

fn each<'r, T>(
    rows: &'r [Texts],
    make: impl Fn(&'r Texts) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    rows.iter().map(make).collect()
}

fn optional(row: &Texts, at: usize) -> Option<&str> {
    row[at].as_deref()
}

fn text(row: &Texts, at: usize) -> &str {
    optional(row, at).unwrap_or_default()
}

fn number<T: std::str::FromStr>(row: &Texts, at: usize) -> Result<T, StoreError> {
    text(row, at).parse().map_err(|_| damaged())
}

fn day(row: &Texts, at: usize) -> Result<Option<Date>, StoreError> {
    optional(row, at).map(date).transpose()
}

fn known<T>(row: &Texts, at: usize, by_name: fn(&str) -> Option<T>) -> Result<T, StoreError> {
    by_name(text(row, at)).ok_or_else(damaged)
}

fn damaged() -> StoreError {
    StoreError::Damaged {
        what: "a value outside its vocabulary among a person's rows".to_owned(),
    }
}
