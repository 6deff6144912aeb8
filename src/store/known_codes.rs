//! Codes of people who stand in a target in use, as a later run finds and fixes them.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    Reader, StoreError, Target,
    database::{Database, Row, values},
};
use crate::domain::{known_codes::KnownCode, links::Links};

const ACTION: &str = "read the codes that stand";

/// Codes whose rows are read or written at once.
const CODES_AT_ONCE: usize = 10_000;

impl Reader {
    /// Where codes lead: every old one, and those that the links name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn known_codes(&self, links: &Links) -> Result<BTreeMap<String, String>, StoreError> {
        known_codes(&self.database, links)
    }
}

impl Target {
    /// Where codes lead: every old one, and those that the links name.
    ///
    /// # Errors
    /// When the database fails.
    pub fn known_codes(&self, links: &Links) -> Result<BTreeMap<String, String>, StoreError> {
        known_codes(&self.database, links)
    }

    /// What a run fixed of them when it was created.
    ///
    /// # Errors
    /// When the database fails.
    pub fn run_codes(&self, run_id: i64) -> Result<Vec<KnownCode>, StoreError> {
        let rows = self.database.rows(
            ACTION,
            "SELECT fiscal_code, leads_to, known FROM run_code WHERE run_id = ?1 ORDER BY fiscal_code",
            values![run_id],
        )?;
        let code = |row: &Row| {
            Ok(KnownCode {
                code: row.get(0)?,
                leads_to: row.get(1)?,
                known: row.get(2)?,
            })
        };
        rows.iter().map(code).collect()
    }
}

fn known_codes(database: &Database, links: &Links) -> Result<BTreeMap<String, String>, StoreError> {
    const LEADS_TO: &str = "SELECT fiscal_code.fiscal_code, now.fiscal_code FROM fiscal_code
        JOIN fiscal_code AS now ON now.person_id = fiscal_code.person_id AND now.current";
    let mut known = BTreeMap::new();
    let old = format!("{LEADS_TO} WHERE NOT fiscal_code.current");
    for row in database.rows(ACTION, &old, &[])? {
        known.insert(row.get(0)?, row.get(1)?);
    }
    let named: Vec<&str> = links.codes().into_iter().collect();
    let named_ones = format!(
        "{LEADS_TO} WHERE fiscal_code.fiscal_code IN (SELECT listed.code FROM {})",
        database.listed("?1", &[("code", "TEXT")])
    );
    for some in named.chunks(CODES_AT_ONCE) {
        let some: Vec<_> = some.iter().map(|code| json!({ "code": code })).collect();
        let some = serde_json::Value::from(some).to_string();
        for row in database.rows(ACTION, &named_ones, values![&some])? {
            known.insert(row.get(0)?, row.get(1)?);
        }
    }
    Ok(known)
}

/// Fixes codes for a run.
pub(super) fn fix(database: &Database, run_id: i64, codes: &[KnownCode]) -> Result<(), StoreError> {
    let listed = database.listed(
        "?2",
        &[("code", "TEXT"), ("leads_to", "TEXT"), ("known", "BOOLEAN")],
    );
    let sql = format!(
        "INSERT INTO run_code (run_id, fiscal_code, leads_to, known)
         SELECT ?1, listed.code, listed.leads_to, listed.known FROM {listed}"
    );
    for some in codes.chunks(CODES_AT_ONCE) {
        let some = some.iter().map(
            |code| json!({ "code": code.code, "leads_to": code.leads_to, "known": code.known }),
        );
        let some = serde_json::Value::from_iter(some).to_string();
        database.execute("fix the codes that stand", &sql, values![run_id, &some])?;
    }
    Ok(())
}
