//! What became of one legacy record, or of one person's.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{
    Reader,
    story::{CaptureFate, ReceiptFate, RequestFate},
};
use crate::{
    domain::{
        activation::standing::ACTIVATION_SOURCE,
        record_name::shown_id,
        status::{Disposition, LegacyStatus},
    },
    store::{
        StoreError,
        activation::diverted,
        database::{Row, Value, values},
        phase::IS_BEFORE_CUT_OVER,
    },
};

const ACTION: &str = "look for the record";

/// Everything the target says of some records; neither names nor codes nor credentials, and an id that has the form of
/// a code is masked.
#[derive(Clone, Default, Serialize)]
pub struct Fate {
    /// The records that were migrated.
    pub pins: Vec<PinFate>,
    /// What their people may do.
    pub grants: Vec<GrantFate>,
    /// Warnings about their people.
    pub findings: Vec<String>,
    /// The records that were left out.
    pub quarantine: Vec<QuarantineFate>,
    /// What changed of the records under the lock.
    pub captures: Vec<CaptureFate>,
    /// What was asked for at the counters, or diverted by the lock.
    pub requests: Vec<RequestFate>,
    /// What became of halves that were sent.
    pub receipts: Vec<ReceiptFate>,
    /// Names of the records, as the tables have them.
    #[serde(skip)]
    pub(super) records: BTreeSet<(String, String)>,
    /// Fiscal codes of the people.
    #[serde(skip)]
    pub(super) codes: BTreeSet<String>,
    /// A request that may have come without a code.
    #[serde(skip)]
    pub(super) request: Option<String>,
}

/// A legacy record in `pin`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct PinFate {
    pub source: String,
    pub legacy_id: String,
    pub disposition: String,
    /// The rule that decided, in words.
    pub decided_by: &'static str,
    pub status: String,
    pub level: String,
    pub legacy_status: String,
    pub legacy_profile: String,
    pub legacy_entity: String,
    pub issued_on: String,
    pub expires_on: Option<String>,
    /// `source:id` of the PIN that replaced it.
    pub superseded_by: Option<String>,
    /// The run that brought it, where that is not cut over: so long it is not in force.
    pub awaits_run: Option<i64>,
}

/// A row of `profile_grant`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct GrantFate {
    pub profile: String,
    pub entity: String,
    pub status: String,
    pub level: String,
    pub valid_from: String,
    pub evidence: String,
    /// As of a PIN.
    pub awaits_run: Option<i64>,
}

/// A legacy record in `quarantine`.
#[derive(Clone, Debug, Serialize)]
#[expect(missing_docs, reason = "named after the columns")]
pub struct QuarantineFate {
    pub source: String,
    pub legacy_id: String,
    pub copy: i64,
    pub reason: String,
    pub detail: String,
    pub state: String,
}

impl Fate {
    /// Whether the target knows nothing of them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pins.is_empty()
            && self.quarantine.is_empty()
            && self.requests.is_empty()
            && self.receipts.is_empty()
    }
}

impl Reader {
    /// What became of the record `source:legacy_id`.
    ///
    /// # Errors
    /// When the database fails.
    pub fn fate_of_record(&self, source: &str, legacy_id: &str) -> Result<Fate, StoreError> {
        let people = self.people(
            "SELECT person_id FROM pin WHERE source = ?1 AND legacy_id = ?2",
            values![source, legacy_id],
        )?;
        let mut fate = Fate::default();
        // What came for it may be all there is.
        (fate.records).insert((source.to_owned(), legacy_id.to_owned()));
        let of_record = "WHERE source = ?1 AND legacy_id = ?2";
        self.add_quarantined(of_record, values![source, legacy_id], &mut fate)?;
        if people.is_empty()
            && fate.quarantine.is_empty()
            && let Some(request_id) = diverted(&self.database, source, legacy_id)?
        {
            return self.fate_of_own_request(&request_id);
        }
        self.tell(people, fate)
    }

    /// The sources whose records a run of this target took, in the order of their names.
    ///
    /// # Errors
    /// When the database fails.
    pub fn sources_taken(&self) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT DISTINCT source FROM run_source ORDER BY source";
        let rows = self.database.rows(ACTION, sql, &[])?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// What became of the request, or of what a receipt with this id is of, and of whom it is about.
    ///
    /// # Errors
    /// When the database fails.
    pub fn fate_of_request(&self, request_id: &str) -> Result<Fate, StoreError> {
        let receipts = self.database.rows(
            ACTION,
            "SELECT of_source, of_legacy_id, of_request FROM delivery_receipt WHERE request_id = ?1",
            values![request_id],
        )?;
        let Some(receipt) = receipts.first() else {
            return self.fate_of_own_request(request_id);
        };
        let of: (Option<String>, Option<String>) = (receipt.get(0)?, receipt.get(1)?);
        match (of.0.zip(of.1), receipt.get::<Option<String>>(2)?) {
            (Some((source, legacy_id)), _) => self.fate_of_record(&source, &legacy_id),
            (None, of_request) => self.fate_of_own_request(&of_request.unwrap_or_default()),
        }
    }

    fn fate_of_own_request(&self, request_id: &str) -> Result<Fate, StoreError> {
        let people = self.people(
            "SELECT person_id FROM pin WHERE source = ?1 AND legacy_id = ?2
             UNION SELECT known.person_id FROM delayed_activation AS request
                 JOIN fiscal_code AS known ON known.fiscal_code = request.fiscal_code
                 WHERE request.request_id = ?2",
            values![ACTIVATION_SOURCE, request_id],
        )?;
        let mut fate = Fate::default();
        let codes = self.database.rows(
            ACTION,
            "SELECT fiscal_code FROM delayed_activation WHERE request_id = ?1 AND fiscal_code <> ''",
            values![request_id],
        )?;
        for row in &codes {
            fate.codes.insert(row.get(0)?);
        }
        fate.request = Some(request_id.to_owned());
        self.tell(people, fate)
    }

    /// What became of the records written with these fiscal codes, which are one person's.
    ///
    /// # Errors
    /// When the database fails.
    pub fn fate_of_codes(&self, codes: &[String]) -> Result<Fate, StoreError> {
        let (mut people, mut fate) = (BTreeSet::new(), Fate::default());
        let written_with = format!(
            "WHERE upper(trim({})) = ?1",
            self.database.json_text("payload", "fiscal_code")
        );
        for code in codes {
            people.extend(self.people(
                "SELECT person_id FROM fiscal_code WHERE fiscal_code = ?1",
                values![code],
            )?);
            self.add_quarantined(&written_with, values![code], &mut fate)?;
            fate.codes.insert(code.clone());
        }
        self.tell(people, fate)
    }

    fn people(&self, sql: &str, values: &[Value<'_>]) -> Result<BTreeSet<i64>, StoreError> {
        let rows = self.database.rows(ACTION, sql, values)?;
        rows.iter().map(|row| row.get(0)).collect()
    }

    fn add_quarantined(
        &self,
        which: &str,
        values: &[Value<'_>],
        fate: &mut Fate,
    ) -> Result<(), StoreError> {
        let code = self.database.json_text("payload", "fiscal_code");
        let sql = format!(
            "SELECT source, legacy_id, copy, reason, detail, state, upper(trim({code})) FROM quarantine
             {which} ORDER BY source, legacy_id, copy"
        );
        for row in &self.database.rows(ACTION, &sql, values)? {
            fate.records.insert((row.get(0)?, row.get(1)?));
            fate.codes.extend(row.get::<Option<String>>(6)?);
            fate.quarantine.push(quarantine_fate(row)?);
        }
        Ok(())
    }

    fn tell(&self, people: BTreeSet<i64>, mut fate: Fate) -> Result<Fate, StoreError> {
        for person_id in people {
            self.add_person(person_id, &mut fate)?;
        }
        self.add_story(&mut fate)?;
        Ok(fate)
    }

    fn add_person(&self, person_id: i64, fate: &mut Fate) -> Result<(), StoreError> {
        let of = |sql: &str| self.database.rows(ACTION, sql, values![person_id]);
        let awaits_run = |row: &str| {
            format!(
                "(SELECT run.run_id FROM run WHERE run.run_id = {row}.run_id AND {IS_BEFORE_CUT_OVER})"
            )
        };
        let pins = of(&format!(
            "SELECT pin.source, pin.legacy_id, pin.disposition, pin.status, pin.level, pin.legacy_status,
                 pin.legacy_profile, pin.legacy_entity, pin.issued_on, pin.expires_on,
                 later.source, later.legacy_id, later.run_id <> pin.run_id, {}
             FROM pin LEFT JOIN pin AS later ON later.pin_id = pin.superseded_by
             WHERE pin.person_id = ?1 ORDER BY pin.pin_id",
            awaits_run("pin")
        ))?;
        for row in &pins {
            fate.records.insert((row.get(0)?, row.get(1)?));
            fate.pins.push(pin_fate(row)?);
        }
        let codes = of("SELECT fiscal_code FROM fiscal_code WHERE person_id = ?1")?;
        for row in &codes {
            fate.codes.insert(row.get(0)?);
        }
        let grants = of(&format!(
            "SELECT profile, entity, status, level, valid_from, evidence, {} FROM profile_grant
             WHERE person_id = ?1 ORDER BY profile, entity",
            awaits_run("profile_grant")
        ))?;
        for row in &grants {
            fate.grants.push(grant_fate(row)?);
        }
        let findings = of("SELECT DISTINCT finding.kind FROM pin
             JOIN finding ON finding.source = pin.source AND finding.legacy_id = pin.legacy_id
             WHERE pin.person_id = ?1 ORDER BY finding.kind")?;
        for row in &findings {
            fate.findings.push(row.get(0)?);
        }
        Ok(())
    }
}

fn pin_fate(row: &Row) -> Result<PinFate, StoreError> {
    let mut columns = row.columns();
    let (source, legacy_id): (String, String) = (columns.next()?, columns.next()?);
    let disposition = columns.word(Disposition::by_name)?;
    let (status, level) = (columns.next()?, columns.next()?);
    let legacy_status = columns.word(LegacyStatus::by_name)?;
    let mut fate = PinFate {
        legacy_id: shown_id(&legacy_id).into_owned(),
        disposition: disposition.as_str().to_owned(),
        decided_by: "",
        status,
        level,
        legacy_status: legacy_status.as_str().to_owned(),
        legacy_profile: columns.next()?,
        legacy_entity: columns.next()?,
        issued_on: columns.next()?,
        expires_on: columns.next()?,
        superseded_by: None,
        awaits_run: None,
        source,
    };
    let later: (Option<String>, Option<String>) = (columns.next()?, columns.next()?);
    let of_other_run: Option<bool> = columns.next()?;
    fate.awaits_run = columns.next()?;
    fate.superseded_by = (later.0.zip(later.1)).map(|(source, id)| shown_name(&source, &id));
    fate.decided_by = match disposition {
        Disposition::Survivor | Disposition::Retired if fate.source == ACTIVATION_SOURCE => {
            "the request that brought it"
        }
        Disposition::Survivor => "rule 5: first among the person's PINs",
        Disposition::Retired if of_other_run == Some(true) => {
            "rule 10: the person had a PIN already"
        }
        Disposition::Retired => "rule 5: another PIN came first",
        Disposition::History => "rule 5: it was revoked or ceased",
    };
    Ok(fate)
}

/// `source:id`, as it may be shown.
pub(super) fn shown_name(source: &str, id: &str) -> String {
    format!("{source}:{}", shown_id(id))
}

/// `legacy:source:id` or `activation:id`, as it may be shown.
fn shown_evidence(evidence: &str) -> String {
    let (kind, rest) = evidence.split_once(':').unwrap_or_default();
    match rest.split_once(':') {
        Some((source, id)) if kind != ACTIVATION_SOURCE => {
            format!("{kind}:{}", shown_name(source, id))
        }
        Some(_) | None => shown_name(kind, rest),
    }
}

fn grant_fate(row: &Row) -> Result<GrantFate, StoreError> {
    let mut columns = row.columns();
    Ok(GrantFate {
        profile: columns.next()?,
        entity: columns.next()?,
        status: columns.next()?,
        level: columns.next()?,
        valid_from: columns.next()?,
        evidence: shown_evidence(&columns.next::<String>()?),
        awaits_run: columns.next()?,
    })
}

fn quarantine_fate(row: &Row) -> Result<QuarantineFate, StoreError> {
    let mut columns = row.columns();
    Ok(QuarantineFate {
        source: columns.next()?,
        legacy_id: shown_id(&columns.next::<String>()?).into_owned(),
        copy: columns.next()?,
        reason: columns.next()?,
        detail: columns.next()?,
        state: columns.next()?,
    })
}
