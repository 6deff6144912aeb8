//! Rules and sources that are others than in an earlier dry run.

use super::language::Language;
use crate::{engine::drift::Drift, ui::table::grouped};

/// One of them in a sentence. Keys are those of the configuration in every language.
pub(super) fn sentence(drift: &Drift, language: Language) -> String {
    match (language, drift) {
        (Language::English, drift) => drift.to_string(),
        (Language::Italian, Drift::Another(key)) => format!("{key}: valore diverso da allora"),
        (Language::Italian, Drift::Gone(key)) => format!("{key}: non c'è più"),
        (Language::Italian, Drift::New(key)) => format!("{key}: allora non c'era"),
        (
            Language::Italian,
            Drift::Source {
                name,
                planned,
                found,
            },
        ) => format!("fonte {name}: è cambiata, l'impronta era {planned} ed è {found}"),
    }
}

/// A source that has more or fewer records: its name, by how many, then and now.
pub(super) fn count((source, more, counts): (&str, i64, [i64; 2]), language: Language) -> String {
    let by = grouped(more.abs());
    let [then, now] = counts.map(grouped);
    match (language, more < 0) {
        (Language::English, true) => {
            format!("Source {source}: {by} records fewer ({then} > {now}).")
        }
        (Language::English, false) => {
            format!("Source {source}: {by} records more ({then} > {now}).")
        }
        (Language::Italian, true) => {
            format!("Fonte {source}: {by} record in meno ({then} > {now}).")
        }
        (Language::Italian, false) => {
            format!("Fonte {source}: {by} record in più ({then} > {now}).")
        }
    }
}
