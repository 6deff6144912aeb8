//! Why an accepted request changed nothing, in the words of the person it is told to.

use super::saying::Words;
use crate::domain::activation::refusal::Failure;

const CARD: &str = "documento d'identità e tessera sanitaria";

/// Why, and what to bring next time.
pub(super) const fn words(failure: Failure) -> Words {
    match failure {
        Failure::IdentityConflict => Words(
            "i dati anagrafici non coincidono con quelli già registrati",
            CARD,
        ),
        Failure::GuardianMustAsk => Words(
            "l'interessato ha un tutore, ed è il tutore che deve chiedere",
            "documento del tutore e dichiarazione di esserlo: deve venire il tutore",
        ),
        Failure::HolderUnknown => Words("nessuno è registrato con questo codice fiscale", CARD),
        Failure::PinMissing => Words(
            "l'interessato non ha un PIN in uso",
            "un documento d'identità, per chiedere un nuovo PIN",
        ),
        Failure::PinUnknown => Words(
            "non risulta il PIN di cui si parla",
            "la lettera o il messaggio con cui è arrivato il PIN",
        ),
        Failure::GrantMissing => Words("l'interessato non ha questo profilo", CARD),
        Failure::Suspended => Words(
            "il PIN o il profilo è stato sospeso nello stesso momento o dopo la richiesta",
            "un documento d'identità, per una nuova richiesta",
        ),
        Failure::ProfileUnknown => Words(
            "il profilo chiesto non esiste",
            "una nuova richiesta compilata per intero",
        ),
        Failure::Revoked => Words(
            "il PIN o il profilo è stato revocato nello stesso momento o dopo la richiesta",
            "un documento d'identità, per una nuova richiesta",
        ),
        Failure::SetAside => Words(
            "per un impedimento tecnico non è stato possibile darle effetto",
            "nulla: l'ufficio deve rivolgersi all'amministratore",
        ),
    }
}
