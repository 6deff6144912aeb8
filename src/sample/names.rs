//! Names of people and companies that do not exist.

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

/// Consonants, then vowels, then X (D.M. 23/12/1976).
fn surname_letters(name: &str) -> [u8; 3] {
    let (consonants, vowels) = split(name);
    first_three(&[consonants, vowels].concat())
}

/// As for surnames, but of four consonants or more the second is left out.
fn given_name_letters(name: &str) -> [u8; 3] {
    let (mut consonants, vowels) = split(name);
    if consonants.len() > 3 {
        consonants.remove(1);
    }
    first_three(&[consonants, vowels].concat())
}

fn first_three(letters: &[u8]) -> [u8; 3] {
    let mut three = [b'X'; 3];
    for (slot, letter) in three.iter_mut().zip(letters) {
        *slot = *letter;
    }
    three
}

fn split(name: &str) -> (Vec<u8>, Vec<u8>) {
    folded(name).partition(|letter| !b"AEIOU".contains(letter))
}

/// Upper-case letters without accents; the lists hold no other characters than these.
pub(super) fn folded(name: &str) -> impl Iterator<Item = u8> {
    name.chars().filter_map(|letter| match letter {
        'a'..='z' | 'A'..='Z' => Some(letter.to_ascii_uppercase() as u8),
        'à' | 'À' => Some(b'A'),
        'è' | 'é' | 'È' => Some(b'E'),
        'ì' => Some(b'I'),
        'ò' | 'ö' | 'Ò' => Some(b'O'),
        'ù' | 'ü' => Some(b'U'),
        'č' | 'ć' => Some(b'C'),
        _ => None,
    })
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
