//! What the guards let through, as SQL over OLD and NEW.
//!
//! Values decide, never the list of columns in the statement. Every comparison is binary: a column declared
//! COLLATE NOCASE must not hide a change of letters, nor an affinity a change of type. Every condition that
//! lets something through is wrapped so that an unknown (NULL) outcome is a refusal.

use std::collections::BTreeSet;

use crate::{
    config::settings::CredentialChange,
    domain::{field::Field, rules::SourceRules, status::LegacyStatus},
    source::lock::tightening::{codes, lower},
};

use super::{
    shape::{Key, TableShape},
    sql,
};

/// White space as the judge trims it (Unicode), by code point.
const WHITE_SPACE: &str = "char(9,10,11,12,13,32,133,160,5760,8192,8193,8194,8195,8196,8197,8198,8199,8200,8201,8202,8232,8233,8239,8287,12288)";

/// What decides about one table.
#[derive(Debug)]
pub(super) struct Conditions<'c> {
    pub(super) shape: &'c TableShape,
    pub(super) rules: &'c SourceRules,
    pub(super) credential_change: CredentialChange,
    /// Positions of the columns that must not change.
    pub(super) guarded: BTreeSet<usize>,
    /// Whether the rows of this table are records, so that a change can be captured.
    pub(super) captures: bool,
}

impl Conditions<'_> {
    /// A guarded value or the key changes.
    pub(super) fn touched(&self) -> String {
        let guarded = self.changed_any(self.guarded.iter().copied());
        format!("({guarded} OR {})", self.key_changes())
    }

    /// The update changes something guarded, and in no permitted way.
    pub(super) fn forbidden_update(&self) -> String {
        let guarded = self.changed_any(self.guarded.iter().copied());
        let permitted = sql::any(
            self.tightening()
                .into_iter()
                .chain(self.credential_change()),
        );
        format!(
            "({} OR ({guarded} AND NOT coalesce({permitted}, 0)))",
            self.key_changes()
        )
    }

    /// Another row stands where the update leads: OR REPLACE would delete it without a trigger.
    pub(super) fn update_collides(&self) -> String {
        sql::any(self.shape.uniques.iter().map(|unique| {
            let changed = self.changed_any(unique.columns.iter().map(|(at, _)| *at));
            let there = self.stands(&unique.columns);
            let other = self.other_row();
            let table = sql::name(&self.shape.table);
            format!("({changed} AND EXISTS (SELECT 1 FROM {table} AS t WHERE {there} AND {other}))")
        }))
    }

    /// A column of a unique index changes whose collisions cannot be foreseen.
    pub(super) fn hidden_unique_changes(&self) -> Option<String> {
        let mentioned: BTreeSet<usize> = (self.shape.hidden_uniques.iter())
            .flat_map(|unique| unique.mentioned.iter().copied())
            .collect();
        (!mentioned.is_empty()).then(|| self.changed_any(mentioned.into_iter()))
    }

    /// The new row meets one that is there, so that an upsert may become an update; `None` when nobody can
    /// foresee that.
    pub(super) fn insert_collides(&self) -> Option<String> {
        let mut keys: Vec<Vec<(usize, String)>> = Vec::new();
        if let Some(&id) = self.shape.mapped.get(&Field::LegacyId) {
            keys.push(vec![(id, "BINARY".to_owned())]);
        }
        keys.extend(
            self.shape
                .uniques
                .iter()
                .map(|unique| unique.columns.clone()),
        );
        for unique in &self.shape.hidden_uniques {
            keys.push(unique.columns.clone()?);
        }
        if let Some(at) = self.shape.integer_primary_key() {
            keys.push(vec![(at, "BINARY".to_owned())]);
        }
        let table = sql::name(&self.shape.table);
        Some(sql::any(keys.iter().map(|columns| {
            let there = self.stands(columns);
            format!("EXISTS (SELECT 1 FROM {table} AS t WHERE {there})")
        })))
    }

    /// Every column that must not be NULL is given; otherwise the table itself refuses the row.
    pub(super) fn insert_is_complete(&self) -> String {
        let primary = self.shape.integer_primary_key();
        sql::all(
            self.shape
                .insertable()
                .filter(|&at| self.shape.columns[at].not_null && Some(at) != primary)
                .map(|at| format!("NEW.{} IS NOT NULL", self.shape.column(at))),
        )
    }

    /// Only the status changes, downwards.
    fn tightening(&self) -> Option<String> {
        let at = *self.shape.mapped.get(&Field::Status)?;
        if !self.captures || !self.guarded.contains(&at) {
            return None;
        }
        let rest = self.guarded.iter().copied().filter(|&other| other != at);
        let column = self.shape.column(at);
        let down = sql::any(LegacyStatus::ALL.iter().filter_map(|&from| {
            let below: BTreeSet<_> = lower(from).iter().copied().collect();
            let to = self.codes(|status| below.contains(&status))?;
            let from = self.codes(|status| status == from)?;
            let (old, new) = (code("OLD", &column), code("NEW", &column));
            Some(format!("({old} IN {from} AND {new} IN {to})"))
        }));
        Some(format!(
            "({} AND {} AND {down} AND NOT {})",
            is_plain("OLD", &column),
            is_plain("NEW", &column),
            self.changed_any(rest)
        ))
    }

    /// A holder's own new credential on an active PIN.
    fn credential_change(&self) -> Option<String> {
        match self.credential_change {
            CredentialChange::Refuse => return None,
            CredentialChange::Capture => {}
        }
        let status = *self.shape.mapped.get(&Field::Status)?;
        let credential = *self.shape.mapped.get(&Field::Credential)?;
        if !self.captures {
            return None;
        }
        let own: BTreeSet<usize> = [
            Field::Credential,
            Field::CredentialScheme,
            Field::CredentialSalt,
            Field::ExpiresOn,
        ]
        .iter()
        .filter_map(|field| self.shape.mapped.get(field).copied())
        .collect();
        let active = self.codes(|status| status == LegacyStatus::Active)?;
        let column = self.shape.column(status);
        let rest = self.guarded.iter().copied().filter(|at| !own.contains(at));
        Some(format!(
            "({} AND {} IN {active} AND {} AND NOT {})",
            is_plain("OLD", &column),
            code("OLD", &column),
            self.changed(credential),
            self.changed_any(rest)
        ))
    }

    /// The legacy's codes of the statuses that qualify, as a list; `None` without any.
    fn codes(&self, qualifies: impl Fn(LegacyStatus) -> bool) -> Option<String> {
        let codes = codes(&self.rules.status_codes, qualifies);
        (!codes.is_empty()).then(|| sql::texts(codes.into_iter()))
    }

    fn key_changes(&self) -> String {
        match &self.shape.key {
            Key::Rowid { alias, .. } => {
                let alias = sql::name(alias);
                let primary =
                    (0..self.shape.columns.len()).filter(|&at| self.shape.columns[at].primary);
                format!(
                    "(NEW.{alias} IS NOT OLD.{alias} OR {})",
                    self.changed_any(primary)
                )
            }
            Key::Columns(columns) => self.changed_any(columns.iter().copied()),
        }
    }

    fn changed(&self, at: usize) -> String {
        let column = self.shape.column(at);
        format!(
            "(NEW.{column} COLLATE BINARY IS NOT OLD.{column} OR typeof(NEW.{column}) IS NOT typeof(OLD.{column}))"
        )
    }

    fn changed_any(&self, columns: impl Iterator<Item = usize>) -> String {
        sql::any(columns.map(|at| self.changed(at)))
    }

    /// Row `t` has the new row's values in these columns.
    fn stands(&self, columns: &[(usize, String)]) -> String {
        sql::all(columns.iter().map(|(at, collation)| {
            let column = self.shape.column(*at);
            format!("t.{column} = NEW.{column} COLLATE {}", sql::name(collation))
        }))
    }

    /// Row `t` is not the one being updated.
    fn other_row(&self) -> String {
        match &self.shape.key {
            Key::Rowid { alias, .. } => {
                let alias = sql::name(alias);
                format!("t.{alias} IS NOT OLD.{alias}")
            }
            Key::Columns(columns) => sql::any(columns.iter().map(|&at| {
                let column = self.shape.column(at);
                format!("t.{column} IS NOT OLD.{column}")
            })),
        }
    }
}

/// A code as the judge normalises it: trimmed, then ASCII upper case.
fn code(row: &str, column: &str) -> String {
    format!("upper(trim({row}.{column}, {WHITE_SPACE}))")
}

/// Bytes are read as hexadecimal digits, so they are never a code.
fn is_plain(row: &str, column: &str) -> String {
    format!("typeof({row}.{column}) IN ('text', 'integer')")
}
