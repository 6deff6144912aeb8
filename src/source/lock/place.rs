//! A source together with what locking it takes.

use std::collections::BTreeMap;

use crate::{
    config::settings::{LockSettings, SourceLocation, SourceSettings},
    domain::field::Field,
};

use super::LockError;

/// A source together with what locking it takes.
#[derive(Clone, Debug)]
pub(in crate::source) struct Place {
    pub(in crate::source) source: SourceSettings,
    pub(in crate::source) lock: LockSettings,
}

/// Which kind of database a lock stands in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Engine {
    Sqlite,
    Postgres,
}

impl Place {
    pub(super) fn of(source: &SourceSettings, lock: &LockSettings) -> Self {
        Self {
            source: source.clone(),
            lock: lock.clone(),
        }
    }

    /// Name of the source.
    pub(in crate::source) fn name(&self) -> &str {
        &self.source.rules.name
    }

    /// The kind of database; `None` for an extract.
    pub(super) fn engine(&self) -> Option<Engine> {
        match &self.source.location {
            SourceLocation::Csv { .. } => None,
            SourceLocation::Sqlite { .. } => Some(Engine::Sqlite),
            SourceLocation::Postgres { .. } => Some(Engine::Postgres),
        }
    }

    /// The refusal to lock it as configured.
    pub(in crate::source) fn not_lockable(&self, why: &str) -> LockError {
        LockError::NotLockable {
            source_name: self.name().to_owned(),
            why: why.to_owned(),
        }
    }

    /// Whether the configuration lets this column change.
    pub(in crate::source) fn allows(&self, column: &str) -> bool {
        let mut allowed = self.lock.allow_columns.iter();
        allowed.any(|one| one.eq_ignore_ascii_case(column))
    }

    /// That a mapped column may not change, or is the one that may.
    pub(in crate::source) fn check_allowed(
        &self,
        field: Field,
        column: &str,
    ) -> Result<(), LockError> {
        if field == Field::LastUsedOn || !self.allows(column) {
            return Ok(());
        }
        Err(self.not_lockable(&format!(
            "lock.allow_columns names {column:?}, which is mapped to {}; only columns that are not mapped and last_used_on may change during the lock",
            field.name()
        )))
    }

    /// Everything the guards depend on in the configuration, as JSON that is equal where that is. `guards` is
    /// the version of the guards themselves.
    pub(in crate::source) fn configuration(
        &self,
        guards: u32,
        tables: &[&str],
        view: Option<&str>,
    ) -> String {
        let (source, lock) = (&self.source, &self.lock);
        let mut allowed: Vec<String> = lock
            .allow_columns
            .iter()
            .map(|column| column.to_ascii_lowercase())
            .collect();
        allowed.sort();
        let columns: BTreeMap<&str, &str> = (source.columns.iter())
            .map(|(field, column)| (field.name(), column.as_str()))
            .collect();
        serde_json::json!({
            "guards": guards,
            "lock_tables": tables,
            "table": view,
            "columns": columns,
            "values.status": source.rules.status_codes,
            "lock.mode": lock.mode,
            "lock.allow_columns": allowed,
            "lock.credential_change": lock.credential_change,
        })
        .to_string()
    }
}
