//! The six letters of a fiscal code that stand for surname and given name (D.M. 23/12/1976).

use super::folding;

/// The letters of a person with these names.
#[must_use]
pub fn of(surname: &str, given_name: &str) -> [u8; 6] {
    let [a, b, c] = Letters::of(surname).of_surname();
    let [d, e, f] = Letters::of(given_name).of_given_name();
    [a, b, c, d, e, f]
}

/// As many consonants and vowels of a name as count, in their order.
#[derive(Default)]
struct Letters {
    consonants: [u8; 4],
    consonant_count: usize,
    vowels: [u8; 3],
    vowel_count: usize,
}

impl Letters {
    fn of(name: &str) -> Self {
        let mut letters = Self::default();
        if name.is_ascii() {
            name.bytes()
                .for_each(|byte| letters.push(byte.to_ascii_uppercase()));
        } else {
            folding::folded(name)
                .bytes()
                .for_each(|byte| letters.push(byte));
        }
        letters
    }

    /// Takes note of a byte in upper case; what is no letter A to Z does not count.
    fn push(&mut self, byte: u8) {
        let (places, count) = if is_vowel(&byte) {
            (&mut self.vowels[..], &mut self.vowel_count)
        } else if byte.is_ascii_uppercase() {
            (&mut self.consonants[..], &mut self.consonant_count)
        } else {
            return;
        };
        if let Some(place) = places.get_mut(*count) {
            *place = byte;
            *count += 1;
        }
    }

    /// Consonants first, then vowels, then X.
    fn of_surname(&self) -> [u8; 3] {
        let consonants = &self.consonants[..self.consonant_count];
        let vowels = &self.vowels[..self.vowel_count];
        let mut three = [b'X'; 3];
        for (place, letter) in three.iter_mut().zip(consonants.iter().chain(vowels)) {
            *place = *letter;
        }
        three
    }

    /// Like a surname; of four or more consonants the second is left out.
    fn of_given_name(&self) -> [u8; 3] {
        match self.consonants {
            [first, _, third, fourth] if self.consonant_count == 4 => [first, third, fourth],
            _ => self.of_surname(),
        }
    }
}

fn is_vowel(letter: &u8) -> bool {
    matches!(letter, b'A' | b'E' | b'I' | b'O' | b'U')
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
