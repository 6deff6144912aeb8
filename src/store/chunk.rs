//! The rows of one chunk, built on the thread that judges and written on the thread that commits.

use std::fmt;

use super::{meet::StandingIds, tape::Tape};
use crate::domain::{
    finding::FindingRow,
    quarantine::QuarantineRow,
    rows::{DelegationRow, FiscalCodeRow, GrantRow, PersonRow, PersonRows, PinRow},
    standing::Joining,
};

/// Collects rows; ids and the run are filled in here.
#[derive(Debug)]
pub struct ChunkBuilder {
    run_id: i64,
    rows: ChunkRows,
}

/// The rows of a chunk, ready to be written.
#[derive(Clone, Default)]
pub struct ChunkRows {
    pub(super) person: Tape,
    pub(super) fiscal_code: Tape,
    pub(super) pin: Tape,
    pub(super) profile_grant: Tape,
    pub(super) delegation: Tape,
    pub(super) quarantine: Tape,
    pub(super) finding: Tape,
}

/// A retired PIN names a survivor that is not among the rows of its person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a retired PIN points to a PIN that is not among its person's rows")]
pub struct DanglingSuccessor;

impl ChunkBuilder {
    /// An empty chunk of this run.
    #[must_use]
    pub fn new(run_id: i64) -> Self {
        Self {
            run_id,
            rows: ChunkRows::default(),
        }
    }

    /// An empty chunk of this run in the memory of one that was written.
    #[must_use]
    pub fn reuse(run_id: i64, mut rows: ChunkRows) -> Self {
        for tape in rows.tapes_mut() {
            tape.clear();
        }
        Self { run_id, rows }
    }

    /// Adds a person. Its id is `first_id`; its PINs are numbered from `first_id` in the order of the rows.
    ///
    /// # Errors
    ///
    /// When a PIN is superseded by one that is not among the rows; the chunk must then be dropped.
    pub fn push_person(
        &mut self,
        first_id: i64,
        rows: &PersonRows<'_>,
    ) -> Result<(), DanglingSuccessor> {
        self.push_holder(first_id, &rows.person);
        for code in &rows.codes {
            self.push_code(first_id, code);
        }
        for (pin_id, pin) in (first_id..).zip(&rows.pins) {
            let successor = successor(first_id, pin, &rows.pins)?;
            self.push_pin(first_id, (pin_id, successor), pin);
        }
        self.push_rights(first_id, (&rows.grants, &rows.delegations, &rows.findings));
        Ok(())
    }

    /// Adds what joins a person who stands in the target. Its PINs are numbered from `first_id` in the order of
    /// the rows; retired ones point to the PIN the person has in use, if any.
    pub fn push_joining(&mut self, first_id: i64, stands: StandingIds, rows: &Joining<'_>) {
        let person_id = stands.person_id;
        for code in &rows.codes {
            self.push_code(person_id, code);
        }
        for (pin_id, pin) in (first_id..).zip(&rows.pins) {
            let successor = pin.superseded_by.and(stands.live_pin_id);
            self.push_pin(person_id, (pin_id, successor), pin);
        }
        self.push_rights(person_id, (&rows.grants, &rows.delegations, &rows.findings));
    }

    fn push_rights(
        &mut self,
        person_id: i64,
        (grants, delegations, findings): (&[GrantRow<'_>], &[DelegationRow], &[FindingRow<'_>]),
    ) {
        for grant in grants {
            self.push_grant(person_id, grant);
        }
        for delegation in delegations {
            self.push_delegation(person_id, delegation);
        }
        for finding in findings {
            let tape = &mut self.rows.finding;
            tape.integer(self.run_id);
            tape.text(finding.kind.as_str());
            tape.text(finding.source);
            tape.text(finding.legacy_id);
            tape.end_row();
        }
    }

    /// Adds a row of `person` alone.
    pub(super) fn push_holder(&mut self, person_id: i64, row: &PersonRow<'_>) {
        let tape = &mut self.rows.person;
        tape.integer(person_id);
        tape.text(row.surname);
        tape.optional(row.given_name);
        tape.date(row.birth_date);
        tape.optional(row.email);
        tape.optional(row.phone);
        tape.integer(self.run_id);
        tape.end_row();
    }

    /// Adds a row of `fiscal_code` alone.
    pub(super) fn push_code(&mut self, person_id: i64, row: &FiscalCodeRow<'_>) {
        let tape = &mut self.rows.fiscal_code;
        tape.text(&row.fiscal_code);
        tape.integer(person_id);
        tape.integer(i64::from(row.current));
        tape.end_row();
    }

    /// Adds a row of `pin` alone: its id, and that of the PIN that superseded it.
    pub(super) fn push_pin(
        &mut self,
        person_id: i64,
        (pin_id, successor): (i64, Option<i64>),
        row: &PinRow<'_>,
    ) {
        let ids = (pin_id, person_id, successor, self.run_id);
        push_pin(&mut self.rows.pin, ids, row);
    }

    /// Adds a row of `profile_grant` alone.
    pub(super) fn push_grant(&mut self, person_id: i64, row: &GrantRow<'_>) {
        let tape = &mut self.rows.profile_grant;
        tape.integer(person_id);
        tape.text(row.profile);
        tape.text(&row.entity);
        tape.text(row.status.as_str());
        tape.text(row.level.as_str());
        tape.date(Some(row.valid_from));
        tape.text(&row.evidence);
        tape.integer(self.run_id);
        tape.end_row();
    }

    /// Adds a row of `delegation` alone.
    pub(super) fn push_delegation(&mut self, person_id: i64, row: &DelegationRow) {
        let tape = &mut self.rows.delegation;
        tape.integer(person_id);
        tape.text(row.guardian_fiscal_code.as_str());
        tape.text(&row.evidence);
        tape.integer(self.run_id);
        tape.end_row();
    }

    /// Adds a quarantined record.
    pub fn push_quarantine(&mut self, row: &QuarantineRow<'_>) {
        let tape = &mut self.rows.quarantine;
        tape.text(row.source);
        tape.text(&row.legacy_id);
        tape.integer(i64::from(row.copy));
        tape.text(row.reason.as_str());
        tape.text(&row.detail);
        tape.text(&row.payload);
        tape.integer(self.run_id);
        tape.end_row();
    }

    /// Rows collected so far, all tables together.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.rows()
    }

    /// The chunk.
    #[must_use]
    pub fn finish(self) -> ChunkRows {
        self.rows
    }
}

impl ChunkRows {
    /// Rows, all tables together.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.tapes().iter().map(|tape| tape.rows()).sum()
    }

    /// Bytes of memory in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tapes().iter().map(|tape| tape.bytes()).sum()
    }

    fn tapes(&self) -> [&Tape; 7] {
        [
            &self.person,
            &self.fiscal_code,
            &self.pin,
            &self.profile_grant,
            &self.delegation,
            &self.quarantine,
            &self.finding,
        ]
    }

    fn tapes_mut(&mut self) -> [&mut Tape; 7] {
        [
            &mut self.person,
            &mut self.fiscal_code,
            &mut self.pin,
            &mut self.profile_grant,
            &mut self.delegation,
            &mut self.quarantine,
            &mut self.finding,
        ]
    }
}

// The rows are personal data; only their number is shown.
impl fmt::Debug for ChunkRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkRows")
            .field("rows", &self.rows())
            .finish_non_exhaustive()
    }
}

/// The id of the PIN that superseded `pin`.
fn successor(
    first_id: i64,
    pin: &PinRow<'_>,
    pins: &[PinRow<'_>],
) -> Result<Option<i64>, DanglingSuccessor> {
    let Some(successor) = pin.superseded_by else {
        return Ok(None);
    };
    (first_id..)
        .zip(pins)
        .find(|(_, pin)| pin.source == successor.source && pin.legacy_id == successor.legacy_id)
        .map(|(pin_id, _)| Some(pin_id))
        .ok_or(DanglingSuccessor)
}

fn push_pin(
    tape: &mut Tape,
    (pin_id, person_id, successor, run_id): (i64, i64, Option<i64>, i64),
    pin: &PinRow<'_>,
) {
    tape.integer(pin_id);
    tape.integer(person_id);
    tape.text(pin.status.as_str());
    tape.text(pin.disposition.as_str());
    tape.text(pin.level.as_str());
    tape.optional(pin.credential);
    tape.optional(pin.credential_scheme.as_deref());
    tape.optional(pin.credential_salt);
    tape.integer(i64::from(pin.halves_delivered));
    tape.date(Some(pin.issued_on));
    tape.date(pin.expires_on);
    tape.date(pin.last_used_on);
    tape.optional(pin.office);
    tape.optional(pin.channel.as_deref());
    tape.text(pin.source);
    tape.text(pin.legacy_id);
    tape.text(pin.legacy_profile);
    tape.text(&pin.legacy_entity);
    tape.text(pin.legacy_status.as_str());
    tape.optional_integer(successor);
    tape.integer(run_id);
    tape.end_row();
}
