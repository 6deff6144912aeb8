//! Names of people and companies that do not exist.

use crate::domain::name_letters;

/// A name and the three letters a fiscal code makes of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) text: &'static str,
    pub(super) letters: [u8; 3],
}

/// All names, with their letters worked out once.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) surnames: Vec<Name>,
    pub(super) women: Vec<Name>,
    pub(super) men: Vec<Name>,
}

impl Names {
    pub(super) fn new() -> Self {
        let letters_of = |list: &'static str, letters: fn(&str) -> [u8; 3]| {
            let named = |text| Name {
                text,
                letters: letters(text),
            };
            list.split(',').map(named).collect()
        };
        Self {
            surnames: letters_of(SURNAMES, surname_letters),
            women: letters_of(WOMEN, given_name_letters),
            men: letters_of(MEN, given_name_letters),
        }
    }
}

/// The letters of a surname.
fn surname_letters(name: &str) -> [u8; 3] {
    let [a, b, c, ..] = name_letters::of(name, "");
    [a, b, c]
}

/// The letters of a given name.
fn given_name_letters(name: &str) -> [u8; 3] {
    let [.., a, b, c] = name_letters::of("", name);
    [a, b, c]
}

const SURNAMES: &str = "Rossi,Russo,Ferrari,Esposito,Bianchi,Romano,Colombo,Ricci,Marino,Greco,Bruno,Gallo,Conti,De Luca,Mancini,Costa,Giordano,Rizzo,Lombardi,Moretti,Barbieri,Fontana,Santoro,Mariani,Rinaldi,Caruso,Ferrara,Galli,Martini,Leone,Longo,Gentile,Martinelli,Vitale,Lombardo,Serra,Coppola,De Santis,D'Angelo,Marchetti,Parisi,Villa,Conte,Ferraro,Ferri,Fabbri,Bianco,Marini,Grasso,Valentini,Messina,Sala,De Angelis,Gatti,Pellegrini,Palumbo,Sanna,Farina,Rizzi,Monti,Cattaneo,Morelli,Amato,Silvestri,Mazza,Testa,Grassi,Pellegrino,Carbone,Giuliani,Benedetti,Barone,Rossetti,Caputo,Montanari,Guerra,Palmieri,Bernardi,Martino,Fiore,De Rosa,Ferretti,Bellini,Basile,Riva,Donati,Piras,Vitali,Battaglia,Sartori,Neri,Costantini,Milani,Pagano,Ruggiero,Sorrentino,D'Amico,Orlando,Damico,Negri,Nicolò,Dalò,Cordì,Lo Presti,Fo,Ha,Po,Aiello,Niccolai,Müller,Gruber,Kosmač,Perathoner,Ossola,Iacono";
const WOMEN: &str = "Anna,Maria,Giulia,Francesca,Sara,Laura,Chiara,Elena,Paola,Silvia,Martina,Giovanna,Rosa,Angela,Valentina,Alessandra,Federica,Elisa,Roberta,Barbara,Simona,Cristina,Daniela,Lucia,Teresa,Caterina,Rita,Carla,Ilaria,Beatrice,Eleonora,Noemi,Ada,Eva,Lia,Bea,Niccolina,Maria Grazia,Anna Maria,Renée,Zoe,Ornella,Patrizia,Vincenza,Concetta,Immacolata,Aurora,Gaia,Ivana,Mirella";
const MEN: &str = "Mario,Luigi,Giuseppe,Giovanni,Antonio,Francesco,Paolo,Marco,Andrea,Luca,Matteo,Alessandro,Stefano,Roberto,Davide,Simone,Federico,Riccardo,Vincenzo,Salvatore,Nicolò,Niccolò,Pietro,Enrico,Alberto,Claudio,Massimo,Fabio,Daniele,Giorgio,Michele,Domenico,Raffaele,Angelo,Bruno,Carlo,Emanuele,Filippo,Gabriele,Lorenzo,Ivo,Ugo,Leo,Elia,Noè,Gian Luca,Pier Paolo,Ottavio,Gianfranco,Piergiorgio";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_follow_the_decree() {
        let surnames = [
            ("Rossi", "RSS"),
            ("Fo", "FOX"),
            ("Aiello", "LLA"),
            ("D'Amico", "DMC"),
            ("De Rosa", "DRS"),
            ("Müller", "MLL"),
            ("Iacono", "CNI"),
        ];
        for (name, letters) in surnames {
            assert_eq!(surname_letters(name), letters.as_bytes(), "{name}");
        }
        let given = [
            ("Mario", "MRA"),
            ("Gianfranco", "GFR"),
            ("Anna", "NNA"),
            ("Ada", "DAA"),
            ("Lia", "LIA"),
            ("Nicolò", "NCL"),
            ("Niccolò", "NCL"),
            ("Roberto", "RRT"),
            ("Leo", "LEO"),
            ("Renée", "RNE"),
        ];
        for (name, letters) in given {
            assert_eq!(given_name_letters(name), letters.as_bytes(), "{name}");
        }
    }
}
