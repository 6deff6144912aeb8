//! Writing effects, those of many people at once.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::tx::ActivationTx;
use crate::{
    domain::{
        activation::{
            effect::{Effect, Holder},
            refusal::Failure,
            standing::{Pin, PinName},
            waiting::WhyNotYet,
        },
        rows::{FiscalCodeRow, PersonRow},
    },
    store::{
        ChunkBuilder, StoreError,
        database::{damaged, values},
    },
};

const ACTION: &str = "let requests take effect";

/// An effect, and the id of the person it is on, be he new or not.
#[derive(Clone, Debug)]
pub struct PersonEffect {
    /// His id.
    pub person_id: i64,
    /// What is to change.
    pub effect: Effect,
}

/// Where the ids of people and PINs that requests bring begin. They follow from the number of the request: so any
/// number of drains give them out at once, and a request brings the same ones however often a drain died.
#[derive(Clone, Copy, Debug)]
pub struct IdBase(i64);

impl IdBase {
    /// The id of the person that a request brings.
    #[must_use]
    pub const fn person_id(self, activation_id: i64) -> i64 {
        self.0 + 2 * activation_id - 1
    }

    /// The id of the PIN that a request brings.
    #[must_use]
    pub const fn pin_id(self, activation_id: i64) -> i64 {
        self.0 + 2 * activation_id
    }
}

impl ActivationTx<'_> {
    /// Ids past those that runs have reserved.
    ///
    /// # Errors
    /// When the database fails.
    pub fn id_base(&self) -> Result<IdBase, StoreError> {
        let sql = "SELECT coalesce(max(id_end), 0) FROM run";
        self.database.value(ACTION, sql, &[]).map(IdBase)
    }

    /// Ids past all there are: somebody else gave out the others.
    ///
    /// # Errors
    /// When the database fails.
    pub fn id_base_above_all(&self) -> Result<IdBase, StoreError> {
        let sql = "SELECT coalesce(max(taken.id), 0) FROM (
                SELECT max(person_id) AS id FROM person
                UNION ALL SELECT max(pin_id) FROM pin
                UNION ALL SELECT max(id_end) FROM run) AS taken";
        self.database.value(ACTION, sql, &[]).map(IdBase)
    }

    /// Writes effects, at most one for each person. `pin_ids` has the ids of all PINs that they name.
    ///
    /// # Errors
    /// When the database fails or its constraints refuse a row.
    pub fn write(
        &self,
        run_id: i64,
        effects: &[PersonEffect],
        pin_ids: &HashMap<PinName, i64>,
    ) -> Result<(), StoreError> {
        let mut rows = ChunkBuilder::new(run_id);
        let (mut pins, mut live, mut grants) = (Vec::new(), Vec::new(), Vec::new());
        for PersonEffect { person_id, effect } in effects {
            if effect.holder == Holder::New {
                push_person(&mut rows, *person_id, effect);
            }
            for change in &effect.pins {
                let pin = &change.after;
                let pin_id = id_of(&pin.name, pin_ids)?;
                let successor = pin.superseded_by.as_ref();
                let successor = successor.map(|name| id_of(name, pin_ids)).transpose()?;
                match change.before {
                    None => rows.push_pin(*person_id, (pin_id, successor), &pin.row()),
                    Some(_) if pin.status.is_live() => {
                        live.push(changed_pin(pin_id, successor, pin))
                    }
                    Some(_) => pins.push(changed_pin(pin_id, successor, pin)),
                }
            }
            for change in &effect.grants {
                let grant = &change.after;
                match change.before {
                    None => rows.push_grant(*person_id, &grant.row()),
                    Some(_) => grants.push(json!({
                        "person_id": person_id,
                        "profile": grant.profile,
                        "entity": grant.entity,
                        "status": grant.status.as_str(),
                        "level": grant.level.as_str(),
                        "valid_from": grant.valid_from.to_string(),
                        "evidence": grant.evidence,
                    })),
                }
            }
            for delegation in &effect.delegations {
                rows.push_delegation(*person_id, delegation);
            }
        }
        // What gives way first: a person has one PIN at a time.
        self.change_pins(pins)?;
        self.change_pins(live)?;
        self.change_grants(grants)?;
        self.database.insert(&rows.finish())
    }

    /// Writes what an effect may change of PINs that stand: status, expiry, successor, halves.
    fn change_pins(&self, pins: Vec<Value>) -> Result<(), StoreError> {
        let listed = self.database.listed(
            "?1",
            &[
                ("pin_id", "BIGINT"),
                ("status", "TEXT"),
                ("expires_on", "DATE"),
                ("successor", "BIGINT"),
                ("halves_delivered", "SMALLINT"),
            ],
        );
        let sql = format!(
            "UPDATE pin SET status = listed.status, expires_on = listed.expires_on,
                 superseded_by = listed.successor, halves_delivered = listed.halves_delivered
             FROM {listed} WHERE pin.pin_id = listed.pin_id"
        );
        self.change(&sql, pins)
    }

    fn change_grants(&self, grants: Vec<Value>) -> Result<(), StoreError> {
        let listed = self.database.listed(
            "?1",
            &[
                ("person_id", "BIGINT"),
                ("profile", "TEXT"),
                ("entity", "TEXT"),
                ("status", "TEXT"),
                ("level", "TEXT"),
                ("valid_from", "DATE"),
                ("evidence", "TEXT"),
            ],
        );
        let sql = format!(
            "UPDATE profile_grant SET status = listed.status, level = listed.level,
                 valid_from = listed.valid_from, evidence = listed.evidence
             FROM {listed} WHERE profile_grant.person_id = listed.person_id
                 AND profile_grant.profile = listed.profile AND profile_grant.entity = listed.entity"
        );
        self.change(&sql, grants)
    }

    /// Changes one row for each that is listed.
    fn change(&self, sql: &str, listed: Vec<Value>) -> Result<(), StoreError> {
        if listed.is_empty() {
            return Ok(());
        }
        let rows = listed.len() as u64;
        let listed = Value::from(listed).to_string();
        let changed = self.database.execute(ACTION, sql, values![&listed])?;
        if changed == rows {
            Ok(())
        } else {
            Err(damaged("rows that went away while they were held"))
        }
    }

    /// Marks requests as done, with the PINs they brought, if they bring any.
    ///
    /// # Errors
    /// When the database fails, or one of them does not wait any more.
    pub fn mark_done(&self, done: &[(i64, Option<i64>)], now: Timestamp) -> Result<(), StoreError> {
        self.mark_done_from("accepted", done, now)
    }

    /// Marks requests as done that had failed, and took effect after all.
    ///
    /// # Errors
    /// When the database fails.
    pub fn mark_done_after_all(
        &self,
        done: &[(i64, Option<i64>)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.mark_done_from("failed", done, now)
    }

    fn mark_done_from(
        &self,
        state: &str,
        done: &[(i64, Option<i64>)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        if done.is_empty() {
            return Ok(());
        }
        let rows = done.iter();
        let rows = rows.map(|(id, pin_id)| json!({ "activation_id": id, "pin_id": pin_id }));
        let listed = self
            .database
            .listed("?1", &[("activation_id", "BIGINT"), ("pin_id", "BIGINT")]);
        let sql = format!(
            "UPDATE delayed_activation SET state = 'done', reason = '', done_at = ?2,
                 pin_id = listed.pin_id FROM {listed}
             WHERE delayed_activation.activation_id = listed.activation_id
                 AND delayed_activation.state = ?3"
        );
        let listed = Value::from_iter(rows).to_string();
        let values = values![&listed, now, state];
        let marked = self
            .database
            .execute("mark requests as done", &sql, values)?;
        if marked == done.len() as u64 {
            Ok(())
        } else {
            Err(damaged("two drains with the same request"))
        }
    }

    /// Says of requests that wait for their holder, or for an earlier one, that they do.
    ///
    /// # Errors
    /// When the database fails.
    pub fn mark_waiting(&self, waiting: &[(i64, WhyNotYet)]) -> Result<(), StoreError> {
        if waiting.is_empty() {
            return Ok(());
        }
        let listed = self
            .database
            .listed("?1", &[("activation_id", "BIGINT"), ("reason", "TEXT")]);
        let rows = waiting.iter();
        let rows = rows.map(|(id, why)| json!({ "activation_id": id, "reason": why.as_str() }));
        let rows = Value::from_iter(rows).to_string();
        self.database.execute(
            ACTION,
            &format!(
                "UPDATE delayed_activation SET reason = listed.reason FROM {listed}
                 WHERE delayed_activation.activation_id = listed.activation_id
                     AND delayed_activation.state = 'accepted' AND delayed_activation.reason <> listed.reason"
            ),
            values![&rows],
        )?;
        Ok(())
    }

    /// Marks requests as failed: they were due and changed nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub fn mark_failed(&self, failed: &[(i64, Failure)]) -> Result<(), StoreError> {
        let rows = failed.iter();
        let rows = rows.map(|(id, why)| json!({ "activation_id": id, "reason": why.as_str() }));
        let listed = self
            .database
            .listed("?1", &[("activation_id", "BIGINT"), ("reason", "TEXT")]);
        let sql = format!(
            "UPDATE delayed_activation SET state = 'failed', reason = listed.reason FROM {listed}
             WHERE delayed_activation.activation_id = listed.activation_id
                 AND delayed_activation.state = 'accepted'"
        );
        self.change(&sql, rows.collect())
    }
}

fn push_person(rows: &mut ChunkBuilder, person_id: i64, effect: &Effect) {
    let identity = &effect.identity;
    rows.push_holder(
        person_id,
        &PersonRow {
            surname: &identity.surname,
            given_name: identity.given_name.as_deref(),
            birth_date: identity.birth_date,
            email: identity.email.as_deref(),
            phone: identity.phone.as_deref(),
        },
    );
    rows.push_code(
        person_id,
        &FiscalCodeRow {
            fiscal_code: effect.fiscal_code.as_str().into(),
            current: true,
        },
    );
}

fn changed_pin(pin_id: i64, successor: Option<i64>, pin: &Pin) -> Value {
    json!({
        "pin_id": pin_id,
        "status": pin.status.as_str(),
        "expires_on": pin.expires_on.map(|date| date.to_string()),
        "successor": successor,
        "halves_delivered": pin.halves_delivered,
    })
}

fn id_of(name: &PinName, pin_ids: &HashMap<PinName, i64>) -> Result<i64, StoreError> {
    let id = pin_ids.get(name).copied();
    id.ok_or_else(|| damaged("a PIN without an id"))
}
