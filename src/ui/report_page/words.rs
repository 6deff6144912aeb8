//! The words of the page.

use super::language::{Language, Text};
use crate::domain::status::{GrantStatus, PinStatus};

/// Declares the words of the page, each in every language.
macro_rules! words {
    ($($name:ident: $en:literal, $it:literal;)+) => {
        /// The words of a page in its language.
        pub(super) struct Words { $(pub(super) $name: &'static str,)+ }

        impl Words {
            pub(super) const fn of(language: Language) -> Self {
                Self { $($name: Text::new($en, $it).in_(language),)+ }
            }
        }
    };
}

words! {
    title: "PIN migration: dry run", "Migrazione dei PIN: prova a vuoto";
    judged_at: "judged as of", "giudicato alla data del";
    written: "written", "scritto il";
    nothing_changed: "A dry run reads and judges everything and changes nothing.",
        "Una prova a vuoto legge e giudica tutto e non cambia nulla.";
    as_it_stands: "The totals are what the run committed; profiles, offices and PINs per person are counted as the target holds them now.",
        "I totali sono ciò che l'esecuzione ha registrato; profili, sedi e PIN per persona sono contati come la destinazione li contiene ora.";
    records: "records", "record";
    persons: "persons", "persone";
    pins: "PINs", "PIN";
    grants: "rights granted", "diritti concessi";
    delegations: "delegations", "deleghe";
    quarantined: "quarantined", "in quarantena";
    migrated: "migrated", "migrati";
    flow: "Where the records go", "Dove vanno i record";
    sources: "Sources", "Fonti";
    source: "source", "fonte";
    fingerprint: "fingerprint", "impronta";
    pins_per_person: "Persons by number of PINs", "Persone per numero di PIN";
    pins_per_person_text: "Of the people who are new to the target. Who has several keeps one, with the rights of all.",
        "Delle persone nuove per la destinazione. Chi ne ha più d'uno ne conserva uno, con i diritti di tutti.";
    quarantine: "Quarantine", "Quarantena";
    quarantine_text: "These records are not migrated. They stay in the quarantine with everything that was read, until they are mended.",
        "Questi record non vengono migrati. Restano in quarantena con tutto ciò che è stato letto, finché non vengono corretti.";
    no_quarantine: "No record is quarantined.", "Nessun record è in quarantena.";
    findings: "Findings", "Rilievi";
    findings_text: "These people are migrated all the same; somebody should look at them.",
        "Queste persone vengono migrate comunque; qualcuno dovrebbe guardarle.";
    no_findings: "Nothing odd was found.", "Nessun rilievo.";
    reason: "reason", "motivo";
    finding: "finding", "rilievo";
    people: "people", "persone";
    share: "share", "quota";
    meaning: "what it means", "che cosa significa";
    mend: "how to mend it", "come rimediare";
    examples: "examples", "esempi";
    profiles: "Profiles, before and after", "Profili, prima e dopo";
    profile: "profile", "profilo";
    legacy_pins: "legacy PINs", "PIN precedenti";
    since: "Compared with the dry run as of", "Confronto con la prova a vuoto alla data del";
    change: "change", "cambiamento";
    mended: "mended: migrated now", "corretti: ora migrati";
    gone: "gone from the source", "non più nella fonte";
    added: "newly quarantined", "nuovi in quarantena";
    otherwise: "quarantined for another reason", "in quarantena per un altro motivo";
    unchanged: "as before", "come prima";
    by_line: "known by their line only, without an id: counted, then > now",
        "noti solo per riga, senza identificativo: contati, allora > ora";
    moved: "Rules and sources that moved:", "Regole e fonti cambiate:";
    offices: "Offices", "Sedi";
    offices_text: "Those with most problems first.", "Prima quelle con più problemi.";
    office: "office", "sede";
    no_office: "(none)", "(nessuna)";
    other_offices: "(not codes of offices)", "(non sono codici di sedi)";
    other: "other", "altri";
    filter: "filter", "filtra";
    digest: "digest", "impronta del risultato";
    no_data: "The page names records by source and id; it holds no fiscal code, name, contact or credential.",
        "La pagina indica i record per fonte e identificativo; non contiene codici fiscali, nomi, recapiti o credenziali.";
    ready: "Ready.", "Pronta.";
    not_ready: "Not ready.", "Non pronta.";
    nothing: "There is nothing to migrate.", "Non c'è nulla da migrare.";
}

/// The status of a PIN, of several of them.
pub(super) const fn pin_status(status: PinStatus) -> Text {
    match status {
        PinStatus::Active => Text::new("active", "attivi"),
        PinStatus::Suspended => Text::new("suspended", "sospesi"),
        PinStatus::Pending => Text::new("pending", "in attesa"),
        PinStatus::Retired => Text::new("retired", "ritirati"),
        PinStatus::Revoked => Text::new("revoked", "revocati"),
        PinStatus::Ceased => Text::new("ceased", "cessati"),
    }
}

/// The status of a grant, of several of them.
pub(super) const fn grant_status(status: GrantStatus) -> Text {
    match status {
        GrantStatus::Active => Text::new("active", "attivi"),
        GrantStatus::Suspended => Text::new("suspended", "sospesi"),
        GrantStatus::Pending => Text::new("pending", "in attesa"),
        GrantStatus::Ended => Text::new("ended", "cessati"),
    }
}
