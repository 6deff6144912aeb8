//! Whether two tell of the same person.

use super::standing::Identity;
use crate::domain::folding;

impl Identity {
    /// As the judge compares people: names folded, birth dates where both are present.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        let same_given_name = match (&self.given_name, &other.given_name) {
            (Some(one), Some(other)) => folding::same(one, other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        let same_birth_date = match (self.birth_date, other.birth_date) {
            (Some(one), Some(other)) => one == other,
            (None, _) | (_, None) => true,
        };
        folding::same(&self.surname, &other.surname) && same_given_name && same_birth_date
    }

    /// Whether who takes rights away means this person by what he told. He need not say a name; where he does it must
    /// be right, for the code alone is soon mistyped.
    #[must_use]
    pub fn loses_by(&self, told: &Self) -> bool {
        let given_names = self.given_name.as_ref().zip(told.given_name.as_ref());
        let same_surname = told.surname.is_empty() || folding::same(&self.surname, &told.surname);
        same_surname && given_names.is_none_or(|(one, other)| folding::same(one, other))
    }
}
