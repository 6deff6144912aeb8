//! Rules and sources that are others than in an earlier dry run.

use super::language::Language;
use crate::engine::drift::Drift;

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
