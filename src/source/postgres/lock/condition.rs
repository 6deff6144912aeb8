//! What the guards let through, as SQL over OLD and NEW.
//!
//! Values decide, never the list of columns in the statement, and they are compared as they are stored: a
//! collation that takes letters for equal must not hide a change. Every condition that lets something through is
//! wrapped so that an unknown (NULL) outcome is a refusal.

use std::collections::BTreeSet;

use sqlx::{Row, postgres::PgArguments};

use crate::{
    config::settings::CredentialChange,
    domain::{field::Field, rules::SourceRules, status::LegacyStatus},
    postgres::{PostgresError, Session},
    source::lock::tightening::{codes, lower},
};

use super::{shape::TableShape, sql};

/// White space as the judge trims it (Unicode).
const WHITE_SPACE: &str = "\t\n\u{b}\u{c}\r \u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}";

/// What every encoding has of it; a code with another space around it is refused, which is the safe side.
const ASCII_SPACE: &str = "\t\n\u{b}\u{c}\r ";

/// The white space that a text of this database can hold.
pub(super) fn white_space(session: &mut Session) -> Result<String, PostgresError> {
    let rows = session.rows(
        "asking for the encoding",
        "SELECT pg_catalog.current_setting('server_encoding') = 'UTF8'",
        PgArguments::default(),
    )?;
    let unicode = rows.first().is_some_and(|row| row.get(0));
    Ok(if unicode { WHITE_SPACE } else { ASCII_SPACE }.to_owned())
}

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
    pub(super) white_space: &'c str,
}

impl Conditions<'_> {
    /// A guarded value or the key changes.
    pub(super) fn touched(&self) -> String {
        let primary = self.primary();
        self.changed_any(self.guarded.iter().copied().chain(primary))
    }

    /// What changes may change.
    pub(super) fn permitted(&self) -> String {
        let changes = self
            .tightening()
            .into_iter()
            .chain(self.credential_change());
        let permitted = sql::any(changes);
        // A status that is part of the key identifies no row by itself, and a tightening is to pass all the same.
        let status = self.shape.mapped.get(&Field::Status);
        let key = self.changed_any(self.primary().filter(|at| Some(at) != status));
        format!("(NOT {key} AND coalesce({permitted}, false))")
    }

    /// Only the status changes, downwards.
    fn tightening(&self) -> Option<String> {
        let at = *self.shape.mapped.get(&Field::Status)?;
        if !self.captures || !self.guarded.contains(&at) {
            return None;
        }
        let rest = self.guarded.iter().copied().filter(|&other| other != at);
        let (old, new) = (self.code("OLD", at), self.code("NEW", at));
        let down = sql::any(LegacyStatus::ALL.iter().filter_map(|&from| {
            let to = self.codes(|status| lower(from).contains(&status))?;
            let from = self.codes(|status| status == from)?;
            Some(format!("({old} IN {from} AND {new} IN {to})"))
        }));
        Some(format!("({down} AND NOT {})", self.changed_any(rest)))
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
        let rest = self.guarded.iter().copied().filter(|at| !own.contains(at));
        Some(format!(
            "({} IN {active} AND {} AND NOT {})",
            self.code("OLD", status),
            self.changed_any([credential].into_iter()),
            self.changed_any(rest)
        ))
    }

    /// The legacy's codes of the statuses that qualify, as a list; `None` without any.
    fn codes(&self, qualifies: impl Fn(LegacyStatus) -> bool) -> Option<String> {
        let codes = codes(&self.rules.status_codes, qualifies);
        (!codes.is_empty()).then(|| sql::texts(codes.into_iter()))
    }

    fn primary(&self) -> impl Iterator<Item = usize> {
        (0..self.shape.columns.len()).filter(|&at| self.shape.columns[at].primary)
    }

    /// The stored bytes differ, or one is NULL and the other is not.
    fn changed_any(&self, columns: impl Iterator<Item = usize>) -> String {
        let columns: Vec<String> = columns.map(|at| self.shape.column(at)).collect();
        if columns.is_empty() {
            return "false".to_owned();
        }
        let row = |which: &str| {
            let values: Vec<String> = columns
                .iter()
                .map(|name| format!("{which}.{name}"))
                .collect();
            format!("ROW({})::pg_catalog.record", values.join(", "))
        };
        format!("({} OPERATOR(pg_catalog.*<>) {})", row("OLD"), row("NEW"))
    }

    /// A code as the judge normalises it: trimmed, then ASCII upper case. Bytes are shown with a backslash
    /// here and so are never a code.
    pub(super) fn code(&self, row: &str, at: usize) -> String {
        code(
            &format!("{row}.{}", self.shape.column(at)),
            self.white_space,
        )
    }
}

/// The same of any expression.
pub(super) fn code(value: &str, white_space: &str) -> String {
    let space = sql::text(white_space);
    format!(
        "pg_catalog.upper(pg_catalog.btrim({value}::pg_catalog.text, {space}) COLLATE pg_catalog.\"C\")"
    )
}
