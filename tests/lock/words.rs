//! What legacy, lock and application are told, whatever the database.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    time::Duration,
};

use pinferry::{
    config::settings::{CredentialChange, LockMode, LockSettings, SourceLocation, SourceSettings},
    domain::{
        digest::Digest,
        field::Field,
        raw_record::SourceIndex,
        rules::{Nameless, SourceRules},
    },
    source::lock::{LockRequest, Owner},
};

use crate::support::Legacy;

/// A source of the default layout.
pub(crate) fn source(location: SourceLocation) -> SourceSettings {
    let columns: BTreeMap<Field, String> = Field::ALL
        .into_iter()
        .filter_map(|field| Some((field, field.default_column()?.to_owned())))
        .collect();
    SourceSettings {
        rules: SourceRules {
            name: "inps".to_owned(),
            nameless: Nameless::ByHash,
            status_codes: SourceRules::default_status_codes(),
            level_codes: SourceRules::default_level_codes(),
        },
        location,
        columns,
        records: None,
        sha256: None,
        time_zone: "Europe/Rome".to_owned(),
    }
}

pub(crate) fn lock_settings() -> LockSettings {
    LockSettings {
        mode: LockMode::Refuse,
        expected: Duration::from_secs(4 * 3600),
        allow_columns: vec!["ultimo_accesso".to_owned()],
        credential_change: CredentialChange::Refuse,
        application_role: None,
    }
}

pub(crate) fn row(id: u32, status: &str) -> String {
    insert("INSERT", &id.to_string(), status)
}

/// A whole row; `verb` may hold a conflict clause.
pub(crate) fn insert(verb: &str, id: &str, status: &str) -> String {
    format!(
        "{verb} INTO pin_legacy (id, codice_fiscale, cognome, nome, classe_utente, stato, tipo_pin, \
         pin_hash, algoritmo, data_rilascio, gettone) VALUES ('{id}', 'CF{id}', 'Rossi', 'Anna', 'CIT', \
         '{status}', 'ORD', 'abc', 'SHA256', '2012-01-0{id}', 'g{id}')"
    )
}

pub(crate) fn run_one() -> Owner {
    Owner::Run("1".to_owned())
}

pub(crate) fn administrator() -> Owner {
    Owner::Administrator("anna".to_owned())
}

pub(crate) fn request(owner: &Owner) -> LockRequest {
    LockRequest {
        owner: owner.clone(),
        reason: "passaggio ai PIN dell'utente multiprofilo".to_owned(),
        successor: "sqlite://out/multiprofile.db".to_owned(),
    }
}

pub(crate) fn fingerprint(legacy: &Legacy) -> Digest {
    let excludes: BTreeSet<_> = legacy.source.changing_fields(&legacy.lock.allow_columns);
    let summary = pinferry::source::read(&legacy.source, SourceIndex(0), &excludes, &mut |_| {
        ControlFlow::Continue(())
    });
    summary.expect("a reading").fingerprint
}

impl Legacy {
    /// Asserts that the statement is refused with the lock's reason, and changes nothing.
    pub(crate) fn assert_refused(&self, statement: &str) {
        self.assert_refused_with(statement, "passaggio ai PIN");
    }

    /// The same with another reason.
    pub(crate) fn assert_refused_with(&self, statement: &str, reason: &str) {
        let before = self.dump();
        let error = self.run(statement).expect_err(statement);
        assert!(
            error.contains("PIN management is locked"),
            "{statement}: {error}"
        );
        assert!(error.contains(reason), "{statement}: {error}");
        assert!(error.contains("Expected end: 20"), "{statement}: {error}");
        assert_eq!(before, self.dump(), "{statement}");
    }
}
