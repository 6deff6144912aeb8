//! People and companies that do not exist, each worked out of its number.

use jiff::civil::date;

use super::{
    calendar::{AS_OF, Calendar, days_between},
    code::Code,
    names::{Name, Names},
    noise::Dice,
};

/// What kind of holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Of age.
    Adult,
    /// Under 18.
    Minor,
    /// With a numeric code.
    Company,
}

/// The holder of PINs.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) kind: Kind,
    pub(super) surname: Name,
    pub(super) given_name: Name,
    /// How many days before [`AS_OF`] they were born.
    pub(super) born: usize,
    pub(super) code: Code,
    woman: bool,
    place: usize,
}

/// Prime, and larger than the birthdays times places that adults are spread over.
const SPREAD: u64 = 1_000_000_007;
const PLACES: usize = 13 * 900;
const MINORS_PERCENT: usize = 1;
const COMPANIES_PERCENT: usize = 2;

/// What people are made of.
#[derive(Debug)]
pub(super) struct Registry {
    seed: u64,
    names: Names,
    pub(super) calendar: Calendar,
    /// Days before [`AS_OF`] between which adults and minors are born.
    adults: (usize, usize),
    minors: (usize, usize),
}

impl Registry {
    pub(super) fn new(seed: u64) -> Self {
        let born = |years: i16| days_between(date(AS_OF.year() - years, 1, 1), AS_OF);
        Self {
            seed,
            names: Names::new(),
            calendar: Calendar::new(),
            // Fewer than a hundred years in all, so that no two share the two digits of their year.
            adults: (born(19) + 1, born(88)),
            minors: (born(0), born(16)),
        }
    }

    /// Anyone.
    pub(super) fn anyone(&self, number: u64) -> Person {
        let mut dice = Dice::new(self.seed, 1, number);
        let kind = match dice.below(100) {
            roll if roll < MINORS_PERCENT => Kind::Minor,
            roll if roll < MINORS_PERCENT + COMPANIES_PERCENT => Kind::Company,
            _ => Kind::Adult,
        };
        self.person(kind, number)
    }

    /// A person of this kind. Adults of different numbers never share birthday, place and sex together
    /// (below [`SPREAD`]), so that no two have the same code.
    pub(super) fn person(&self, kind: Kind, number: u64) -> Person {
        let mut dice = Dice::new(self.seed, 2, number);
        let spread =
            (u128::from(number) * 618_033_989 + u128::from(self.seed)) % u128::from(SPREAD);
        let spread = spread as usize;
        let (youngest, oldest) = match kind {
            Kind::Adult | Kind::Company => self.adults,
            Kind::Minor => self.minors,
        };
        let days = oldest - youngest;
        let born = youngest + spread % days;
        let place = spread / days % PLACES;
        let woman = spread / days / PLACES % 2 == 1;
        let surname = dice.pick(&self.names.surnames);
        let given_name = dice.pick(if woman {
            &self.names.women
        } else {
            &self.names.men
        });
        let mut person = Person {
            kind,
            surname,
            given_name,
            born,
            code: Code::numeric(number % 10_000_000_000 + 1),
            woman,
            place,
        };
        if kind != Kind::Company {
            self.compute_code(&mut person);
        }
        person
    }

    /// The same person born so many days earlier, with the code that follows from it.
    pub(super) fn born_earlier(&self, person: &Person, days: usize) -> Person {
        let mut other = person.clone();
        other.born += days;
        self.compute_code(&mut other);
        other
    }

    fn compute_code(&self, person: &mut Person) {
        person.code = Code::personal(
            person.surname.letters,
            person.given_name.letters,
            self.calendar.before(person.born),
            person.woman,
            person.place,
        );
    }

    /// A surname that makes other letters than this one.
    pub(super) fn other_surname(&self, surname: Name) -> Name {
        let differs = |other: &&Name| other.letters != surname.letters;
        let mut others = self.names.surnames.iter().filter(differs);
        others.next().copied().unwrap_or(surname)
    }
}
