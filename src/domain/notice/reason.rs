//! Why a request was refused at the counter, in the words of the person it is told to.

use super::saying::Words;
use crate::domain::{
    activation::refusal::{Refusal, RequestMistake},
    quarantine::Reason,
};

/// What to bring where a form has to be filled in again.
const FORM: &str = "una nuova richiesta compilata per intero";
const NOTHING: &str = "nulla: l'ufficio deve ripresentare la richiesta";
const CARD: &str = "documento d'identità e tessera sanitaria";

/// Why, and what to bring next time.
pub(super) const fn words(refusal: Refusal) -> Words {
    match refusal {
        Refusal::Record(reason) => of_record(reason),
        Refusal::Request(mistake) => of_request(mistake),
    }
}

const fn of_record(reason: Reason) -> Words {
    match reason {
        Reason::RowMalformed => Words("la richiesta è arrivata incompleta", NOTHING),
        Reason::IdMissing => Words("la richiesta è arrivata senza numero", NOTHING),
        Reason::DuplicateId => Words(
            "la richiesta è arrivata due volte con lo stesso numero",
            NOTHING,
        ),
        Reason::EncodingInvalid => Words(
            "la richiesta contiene caratteri che non si possono leggere",
            NOTHING,
        ),
        Reason::FiscalCodeInvalid => Words("il codice fiscale scritto non è valido", CARD),
        Reason::FiscalCodeDiscarded => Words("il codice fiscale scritto non è più in uso", CARD),
        Reason::IdentityMissing => Words("mancano il cognome o il nome", CARD),
        Reason::DateInvalid => Words("una data manca o non esiste", FORM),
        Reason::ProfileUnknown => Words("il profilo chiesto manca o non esiste", FORM),
        Reason::EntityMissing => Words(
            "per questo profilo va indicato l'ente, e non c'era",
            "un documento che indichi l'ente per cui si opera",
        ),
        Reason::StatusUnknown => Words("lo stato del PIN non si può leggere", NOTHING),
        Reason::LevelUnknown => Words("il livello del PIN chiesto manca o non esiste", FORM),
        Reason::CredentialMissing => Words("la richiesta non conteneva il PIN assegnato", NOTHING),
        Reason::CredentialUnsupported => Words(
            "il PIN assegnato è protetto in un modo non ammesso",
            NOTHING,
        ),
        Reason::HalvesInvalid => Words(
            "non si capisce quante parti del PIN siano state consegnate",
            NOTHING,
        ),
        Reason::GuardianInvalid => Words(
            "il codice fiscale del tutore non è valido",
            "documento e tessera sanitaria del tutore",
        ),
        Reason::IdentityConflict => Words(
            "i dati anagrafici non coincidono con quelli già registrati",
            CARD,
        ),
    }
}

const fn of_request(mistake: RequestMistake) -> Words {
    match mistake {
        RequestMistake::AcceptedInFuture => Words("la data della richiesta è nel futuro", NOTHING),
        RequestMistake::CredentialNotHashed => {
            Words("il PIN assegnato non è arrivato in forma protetta", NOTHING)
        }
        RequestMistake::DocumentsMissing => Words(
            "mancavano documenti che il profilo richiede",
            "tutti i documenti richiesti per il profilo",
        ),
        RequestMistake::NothingToActivate => {
            Words("il PIN chiesto non era né attivo né in attesa", FORM)
        }
        RequestMistake::OfficeUnknown => {
            Words("l'ufficio che ha accolto la richiesta non è noto", NOTHING)
        }
        RequestMistake::RelativeWithoutMandate => Words(
            "un familiare non può chiedere senza delega",
            "una delega scritta e i documenti d'identità di entrambi",
        ),
        RequestMistake::MandateMissing => Words(
            "mancavano gli estremi della delega",
            "la delega scritta e i documenti d'identità di entrambi",
        ),
        RequestMistake::ProxiesNotAccepted => Words(
            "la richiesta per delega non è ammessa",
            "un documento d'identità: l'interessato deve venire di persona",
        ),
        RequestMistake::GuardianMustAsk => Words(
            "per un minore, o per chi ha un tutore, deve chiedere il tutore",
            "documento del tutore e dichiarazione di esserlo: deve venire il tutore",
        ),
        RequestMistake::GuardianNotShown => Words(
            "chi ha chiesto come tutore non l'ha dichiarato",
            "documento del tutore e dichiarazione di esserlo",
        ),
        RequestMistake::ContactMissing => Words(
            "mancava il recapito a cui mandare il PIN",
            "un indirizzo di posta elettronica o un numero di telefono",
        ),
        RequestMistake::ContactCertified => Words(
            "una casella PEC non vale come recapito",
            "un indirizzo di posta elettronica ordinaria",
        ),
        RequestMistake::LevelAboveChannel => Words(
            "per questa via non si può avere un PIN dispositivo",
            "un documento d'identità: il PIN dispositivo si chiede allo sportello",
        ),
        RequestMistake::ChannelUnknown => {
            Words("il canale indicato non è tra quelli previsti", FORM)
        }
        RequestMistake::CredentialUnexpected => {
            Words("la richiesta conteneva un PIN che non serviva", NOTHING)
        }
        RequestMistake::AcceptedTooLongAgo => {
            Words("la richiesta è arrivata troppo tempo dopo", FORM)
        }
        RequestMistake::TooLong => Words("un dato della richiesta è troppo lungo", NOTHING),
        RequestMistake::RequestIdTaken => Words(
            "il numero della richiesta era già usato per un'altra",
            NOTHING,
        ),
    }
}
