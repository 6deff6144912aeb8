//! What reasons and findings mean, and how to mend them.

use super::language::Text;
use crate::domain::{finding::FindingKind, quarantine::Reason};

/// What something means, and what to do about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remedy {
    pub(super) meaning: Text,
    pub(super) mend: Text,
}

const fn remedy(meaning: Text, mend: Text) -> Remedy {
    Remedy { meaning, mend }
}

/// Of a reason for quarantine.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) const fn of_reason(reason: Reason) -> Remedy {
    match reason {
        Reason::RowMalformed => remedy(
            Text::new(
                "the CSV row has more or fewer fields than the header",
                "la riga CSV ha più o meno campi dell'intestazione",
            ),
            Text::new(
                "export again with every text quoted; look for a delimiter or a line end inside a text",
                "esportare di nuovo con i testi tra virgolette; cercare un separatore o un a capo dentro un testo",
            ),
        ),
        Reason::IdMissing => remedy(
            Text::new("the record has no id", "il record non ha un identificativo"),
            Text::new(
                "give the record its id, or map the column that holds it",
                "assegnare l'identificativo, o mappare la colonna che lo contiene",
            ),
        ),
        Reason::DuplicateId => remedy(
            Text::new(
                "several records of the source share one id",
                "più record della fonte hanno lo stesso identificativo",
            ),
            Text::new(
                "decide which one is true and delete or renumber the others",
                "stabilire quale è quello vero e cancellare o rinumerare gli altri",
            ),
        ),
        Reason::EncodingInvalid => remedy(
            Text::new(
                "a value is not valid in the declared encoding, or holds a control character",
                "un valore non è valido nella codifica dichiarata, o contiene un carattere di controllo",
            ),
            Text::new(
                "declare the true encoding of the source, or correct the value",
                "dichiarare la vera codifica della fonte, o correggere il valore",
            ),
        ),
        Reason::FiscalCodeInvalid => remedy(
            Text::new(
                "the fiscal code has no valid form, date or check character",
                "il codice fiscale non ha forma, data o carattere di controllo validi",
            ),
            Text::new(
                "correct the code from the person's document or the tax register",
                "correggere il codice dal documento della persona o dall'anagrafe tributaria",
            ),
        ),
        Reason::FiscalCodeDiscarded => remedy(
            Text::new(
                "the links file says that this code is nobody's",
                "il file dei collegamenti dice che questo codice non è di nessuno",
            ),
            Text::new(
                "find the person's true code; where it was discarded wrongly, correct the links file",
                "trovare il codice vero della persona; se è stato scartato per errore, correggere il file",
            ),
        ),
        Reason::IdentityMissing => remedy(
            Text::new(
                "surname, or a natural person's given name, is empty",
                "manca il cognome, o il nome di una persona fisica",
            ),
            Text::new("enter the name", "inserire il nome"),
        ),
        Reason::DateInvalid => remedy(
            Text::new(
                "a date is not a date, or the date of issue is empty",
                "una data non è una data, o manca la data di rilascio",
            ),
            Text::new(
                "correct the date, or declare the format the source writes",
                "correggere la data, o dichiarare il formato che la fonte usa",
            ),
        ),
        Reason::ProfileUnknown => remedy(
            Text::new(
                "the catalogue has no such profile",
                "il catalogo non ha questo profilo",
            ),
            Text::new(
                "add the profile to the catalogue, or map its old name",
                "aggiungere il profilo al catalogo, o mappare il suo vecchio nome",
            ),
        ),
        Reason::EntityMissing => remedy(
            Text::new(
                "the profile is exercised for an entity, and the record names none",
                "il profilo si esercita per un ente, e il record non ne indica",
            ),
            Text::new("enter the entity", "inserire l'ente"),
        ),
        Reason::StatusUnknown => remedy(
            Text::new(
                "the status code has no meaning in this source",
                "il codice di stato non ha significato in questa fonte",
            ),
            Text::new(
                "map the code in the source's configuration",
                "mappare il codice nella configurazione della fonte",
            ),
        ),
        Reason::LevelUnknown => remedy(
            Text::new(
                "the level code has no meaning in this source",
                "il codice di livello non ha significato in questa fonte",
            ),
            Text::new(
                "map the code in the source's configuration",
                "mappare il codice nella configurazione della fonte",
            ),
        ),
        Reason::CredentialMissing => remedy(
            Text::new(
                "a PIN in use has no credential",
                "un PIN in uso non ha una credenziale",
            ),
            Text::new(
                "let the holder have a new PIN, or end the old one",
                "rilasciare un nuovo PIN al titolare, o cessare il vecchio",
            ),
        ),
        Reason::CredentialUnsupported => remedy(
            Text::new(
                "a PIN in use is kept by a scheme that is not accepted",
                "un PIN in uso è conservato con uno schema non accettato",
            ),
            Text::new(
                "accept the scheme in the configuration, or let the holder have a new PIN",
                "accettare lo schema nella configurazione, o rilasciare un nuovo PIN al titolare",
            ),
        ),
        Reason::HalvesInvalid => remedy(
            Text::new(
                "the halves delivered are not 0, 1 or 2",
                "le metà consegnate non sono 0, 1 o 2",
            ),
            Text::new(
                "correct the number from the receipts",
                "correggere il numero secondo le ricevute",
            ),
        ),
        Reason::GuardianInvalid => remedy(
            Text::new(
                "the guardian's code is not valid, discarded, or the holder's own",
                "il codice del tutore non è valido, è scartato, o è quello del titolare",
            ),
            Text::new(
                "correct the guardian's code, or remove it",
                "correggere il codice del tutore, o toglierlo",
            ),
        ),
        Reason::IdentityConflict => remedy(
            Text::new(
                "records written with one fiscal code disagree on who the person is",
                "record con lo stesso codice fiscale non concordano su chi sia la persona",
            ),
            Text::new(
                "find out whose code it is and correct the other records, name and date of birth alike",
                "accertare di chi è il codice e correggere gli altri record, nome e data di nascita compresi",
            ),
        ),
    }
}

/// Of a finding.
#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) const fn of_finding(kind: FindingKind) -> Remedy {
    match kind {
        FindingKind::OmocodiaPair => remedy(
            Text::new(
                "another person's code differs by omocodia only",
                "il codice di un'altra persona differisce solo per omocodia",
            ),
            Text::new(
                "make sure that they are two people; where they are one, join the codes in the links file",
                "accertare che siano due persone; se è una sola, unire i codici nel file dei collegamenti",
            ),
        ),
        FindingKind::NameCodeMismatch => remedy(
            Text::new(
                "the first six letters of the code do not fit the name",
                "le prime sei lettere del codice non corrispondono al nome",
            ),
            Text::new(
                "compare with the person's document: name changed, misspelt, or somebody else's code",
                "confrontare col documento: nome cambiato, scritto male, o codice di un altro",
            ),
        ),
        FindingKind::BirthDateMismatch => remedy(
            Text::new(
                "the date of birth does not fit the code",
                "la data di nascita non corrisponde al codice",
            ),
            Text::new(
                "compare with the person's document",
                "confrontare col documento della persona",
            ),
        ),
        FindingKind::MinorWithoutGuardian => remedy(
            Text::new(
                "under 18, and no guardian is known",
                "minore di 18 anni, e non risulta un tutore",
            ),
            Text::new(
                "ask for the guardian's declaration",
                "chiedere la dichiarazione del tutore",
            ),
        ),
        FindingKind::GuardianOfAdult => remedy(
            Text::new("an adult with a guardian", "un adulto con un tutore"),
            Text::new(
                "see whether the guardianship still holds",
                "verificare se la tutela è ancora in atto",
            ),
        ),
        FindingKind::PinExpired => remedy(
            Text::new(
                "the PIN that stays has expired already",
                "il PIN che resta è già scaduto",
            ),
            Text::new(
                "nothing before the migration; the holder renews at the next login",
                "nulla prima della migrazione; il titolare rinnova al prossimo accesso",
            ),
        ),
        FindingKind::NumericCode => remedy(
            Text::new(
                "a numeric code: a body, not a natural person",
                "un codice numerico: un ente, non una persona fisica",
            ),
            Text::new(
                "see whether the body is to hold a PIN at all",
                "verificare se l'ente deve avere un PIN",
            ),
        ),
        FindingKind::EntityIgnored => remedy(
            Text::new(
                "an entity was given where the profile has none; it is left out",
                "è indicato un ente dove il profilo non ne ha; viene tralasciato",
            ),
            Text::new(
                "see whether the profile is the right one",
                "verificare se il profilo è quello giusto",
            ),
        ),
        FindingKind::HalvesOpen => remedy(
            Text::new(
                "in use with fewer than two halves delivered; it counts as delivered",
                "in uso con meno di due metà consegnate; vale come consegnato",
            ),
            Text::new(
                "record the missing receipt",
                "registrare la ricevuta mancante",
            ),
        ),
        FindingKind::PendingUpgradeLost => remedy(
            Text::new(
                "a dispositive PIN that was never delivered gives way to one that is not dispositive",
                "un PIN dispositivo mai consegnato cede a uno che non è dispositivo",
            ),
            Text::new(
                "deliver it before the migration, or tell the holder to ask again",
                "consegnarlo prima della migrazione, o dire al titolare di richiederlo",
            ),
        ),
        FindingKind::LastUsedPinRetired => remedy(
            Text::new(
                "the PIN used last is not the one that stays: people will call",
                "il PIN usato per ultimo non è quello che resta: le persone chiameranno",
            ),
            Text::new(
                "tell the holder beforehand which PIN stays",
                "avvisare prima il titolare di quale PIN resta",
            ),
        ),
        FindingKind::BelowMinimumLevel => remedy(
            Text::new(
                "a right is granted below its profile's minimum level",
                "un diritto è concesso sotto il livello minimo del suo profilo",
            ),
            Text::new(
                "let the holder raise the PIN at a counter",
                "far elevare il PIN al titolare allo sportello",
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FindingKind, Reason, Remedy, of_finding, of_reason};

    #[test]
    fn every_reason_and_finding_is_explained_in_words_of_its_own_in_both_languages() {
        let reasons = Reason::ALL.iter().map(|one| of_reason(*one));
        let findings = FindingKind::ALL.iter().map(|one| of_finding(*one));
        let mut meanings = BTreeSet::new();
        for Remedy { meaning, mend } in reasons.chain(findings) {
            assert_ne!(meaning.en, meaning.it);
            assert_ne!(mend.en, mend.it);
            for text in [meaning.en, meaning.it, mend.en, mend.it] {
                assert!(!text.is_empty() && !text.ends_with('.'), "{text}");
            }
            // Status and level have the same remedy, and meanings that differ by a word.
            assert!(meanings.insert(meaning.en) && meanings.insert(meaning.it));
        }
    }
}
