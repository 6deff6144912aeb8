//! The six letters of a fiscal code that stand for surname and given name (D.M. 23/12/1976).

use super::folding;

/// The letters of a person with these names.
#[must_use]
pub fn of(surname: &str, given_name: &str) -> [u8; 6] {
    let [a, b, c] = of_surname(surname);
    let [d, e, f] = of_given_name(given_name);
    [a, b, c, d, e, f]
}

/// Consonants first, then vowels, then X.
fn of_surname(surname: &str) -> [u8; 3] {
    first_three(folding::folded(surname).as_bytes(), &[])
}

/// Like a surname; of four or more consonants the second is left out.
fn of_given_name(given_name: &str) -> [u8; 3] {
    let folded = folding::folded(given_name);
    let consonants = folded.bytes().filter(is_consonant).count();
    let left_out: &[usize] = if consonants >= 4 { &[1] } else { &[] };
    first_three(folded.as_bytes(), left_out)
}

fn first_three(letters: &[u8], left_out: &[usize]) -> [u8; 3] {
    let consonants = letters.iter().filter(|letter| is_consonant(letter));
    let consonants = consonants
        .enumerate()
        .filter(|(position, _)| !left_out.contains(position))
        .map(|(_, letter)| *letter);
    let vowels = letters.iter().copied().filter(is_vowel);
    let mut three = [b'X'; 3];
    for (place, letter) in three.iter_mut().zip(consonants.chain(vowels)) {
        *place = letter;
    }
    three
}

fn is_vowel(letter: &u8) -> bool {
    matches!(letter, b'A' | b'E' | b'I' | b'O' | b'U')
}

fn is_consonant(letter: &u8) -> bool {
    letter.is_ascii_uppercase() && !is_vowel(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_consonants_then_vowels_then_x() {
        for (surname, given_name, expected) in [
            ("ROSSI", "MARIO", "RSSMRA"),
            ("D'Angelo", "Niccolò", "DNGNCL"),
            ("FO", "AL", "FOXLAX"),
            ("AIA", "IO", "AIAIOX"),
            // Of four consonants the second is left out, of three none.
            ("BIANCHI", "GIANFRANCO", "BNCGFR"),
            ("BIANCHI", "ROBERTO", "BNCRRT"),
            ("BIANCHI", "MARTA", "BNCMRT"),
            ("DE LUCA", "ANNA MARIA", "DLCNMR"),
            ("ŁØÆ", "ЖУК", "LOAXXX"),
        ] {
            let got = of(surname, given_name);
            assert_eq!(str::from_utf8(&got), Ok(expected), "{surname} {given_name}");
        }
    }
}
